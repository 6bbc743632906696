"""Textual-inversion embeddings in a prompt, against diffusers' loader for them."""

import copy
import importlib
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from nodes.diffusion.embeddings import open_embedding, vectors
from nodes.diffusion.prompts import parse
from nodes.diffusion.text import END, read
from nodes.latents import empty_latent
from nodes.sampling import ksampler
from nodes.text import clip_encode
from tests.nodes import parity, small
from tests.nodes.conftest import TEXT, randomised, tokenizer
from tests.nodes.sides import Sides
from tests.nodes.tiny import models
from tests.nodes.tiny.models import WIDTH, Kind
from tests.nodes.tiny.pipelines import NEGATIVE, SIZE, Opened, latents, opened, scheduler

diffusers: Any = importlib.import_module("diffusers")
pytestmark = [pytest.mark.filterwarnings("ignore")]
HOW = "euler / leading, two vectors in a prompt"
WORD = "<style>"
OURS, THEIRS = "a house in embedding:style at night", f"a house in {WORD} at night"


def learned(seed: int) -> Tensor:
    return small.noise(seed, (2, WIDTH)) * 0.5


def sampled(made: Opened, text: str) -> Tensor:
    positive, negative = (
        clip_encode(made.checkpoint.text_encoder, text=each, pool=made.pool)
        for each in (text, NEGATIVE)
    )
    return ksampler(
        made.checkpoint.model, positive, negative, empty_latent(width=SIZE, height=SIZE), seed=11,
        steps=4, guidance_scale=7.5, schedule="leading", pool=made.pool,
    ).samples  # fmt: skip


def embedding(root: Path, **tensors: Tensor) -> None:
    (root / "embeddings").mkdir()
    save_file(tensors, root / "embeddings" / "style.safetensors")


@pytest.mark.parametrize(("kind", "family"), [("sd1", "SD 1.x"), ("sd2", "SD 2.x")])
def test_an_embedding_for_one_encoder(
    kind: Kind, family: str, tmp_path: Path, sides: Sides
) -> None:
    made = opened(kind, tmp_path)
    embedding(tmp_path, emb_params=learned(5))
    text, words = (
        (models.clip_l(), tokenizer()) if kind == "sd1" else (models.open_clip(2), tokenizer("!"))
    )
    pipeline = diffusers.StableDiffusionPipeline(
        vae=models.vae(kind), unet=models.unet(kind), text_encoder=copy.deepcopy(text),
        tokenizer=words, safety_checker=None, feature_extractor=None,
        requires_safety_checker=False,
        scheduler=scheduler(prediction_type=made.checkpoint.model.prediction_type),
    )  # fmt: skip
    pipeline.load_textual_inversion(learned(5), token=WORD)
    expected = latents(pipeline, prompt=THEIRS, negative_prompt=NEGATIVE, width=SIZE, height=SIZE)

    found = sampled(made, OURS)

    how = f"{HOW}, {family}"
    sides.agree("Textual inversion", how, found, expected, made=made, vae=models.vae(kind))
    assert small.relative_rms(sampled(made, "a house in style at night"), expected) > 1e-2


def test_an_embedding_for_both_encoders_of_sdxl(tmp_path: Path, sides: Sides) -> None:
    made = opened("sdxl", tmp_path)
    # Both encoders are as wide here, so that only the names tell their vectors apart.
    held = {"clip_g": learned(6), "clip_l": learned(5)}
    embedding(tmp_path, **held)
    pipeline = diffusers.StableDiffusionXLPipeline(
        vae=models.vae("sdxl"), unet=models.unet("sdxl"),
        text_encoder=copy.deepcopy(models.clip_l()), tokenizer=tokenizer(),
        text_encoder_2=copy.deepcopy(models.big_g()), tokenizer_2=tokenizer("!"),
        scheduler=scheduler(), add_watermarker=False,
    )  # fmt: skip
    for name, number in (("clip_l", ""), ("clip_g", "_2")):
        pipeline.load_textual_inversion(
            held[name], token=WORD, tokenizer=getattr(pipeline, f"tokenizer{number}"),
            text_encoder=getattr(pipeline, f"text_encoder{number}"),
        )  # fmt: skip
    expected = latents(
        pipeline, prompt=THEIRS, negative_prompt=NEGATIVE, width=SIZE, height=SIZE,
        guidance_scale=7.5,
    )  # fmt: skip

    found = sampled(made, OURS)

    how = f"{HOW}, SDXL"
    sides.agree("Textual inversion", how, found, expected, made=made, vae=models.vae("sdxl"))
    assert small.relative_rms(sampled(made, "a house in style at night"), expected) > 1e-2


def test_an_encoder_that_pools_at_the_greatest_id_pools_at_the_end(tmp_path: Path) -> None:
    """Old repositories say eos_token_id 2, for which transformers pools at the greatest id.

    diffusers gives an embedding's token a greater one than the end's, and pools there instead.
    """
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    config: Any = CLIPTextConfig(**TEXT | {"projection_dim": WIDTH, "eos_token_id": 2})
    module = randomised(CLIPTextModelWithProjection(config), 5)
    save_file({"clip_g": learned(6)}, tmp_path / "style.safetensors")
    file = open_embedding(tmp_path / "style.safetensors")

    found = read(
        module, parse(OURS), lookup=lambda _: vectors(file, WIDTH, "text_encoder_2")
    ).pooled

    ids = torch.tensor([[49406, 320, 1212, 530, 0, 0, 536, 930, *[END] * 69]])
    held = module.get_input_embeddings()(ids)
    held[0, 4:6] = learned(6)
    handle = module.get_input_embeddings().register_forward_hook(lambda *_: held)
    with torch.no_grad():
        states = module(ids).last_hidden_state
    handle.remove()
    expected = module.text_projection(states[:, 8])
    assert found is not None
    parity.agree(
        "Textual inversion", "an encoder of an old repository", found, expected,
        what="pooled text", by="the end of the prompt",
    )  # fmt: skip
