"""SDXL and its refiner, from the files that people have, against diffusers' own pipelines."""

from typing import Any

import diffusers
import pytest
import torch
from torch import Tensor

from engine.errors import InputError
from nodes.handover import steps_to_noise
from nodes.latents import empty_latent
from nodes.sampling import finish_sampling, ksampler, sample_steps, start_sampling
from nodes.sdxl import aesthetic_score, size_conditioning
from nodes.states import SamplerState
from nodes.text import clip_encode, clip_encode_pair, clip_skip
from nodes.values import Conditioning, Latents
from tests.nodes import parity
from tests.nodes.conftest import tokenizer
from tests.nodes.sides import Sides
from tests.nodes.tiny import models
from tests.nodes.tiny.pipelines import (
    NEGATIVE,
    PROMPT,
    SIZE,
    Opened,
    latents,
    opened,
    scheduler,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
_ZERO = "!"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    return opened("sdxl", tmp_path_factory.mktemp("sdxl"))


@pytest.fixture(scope="module")
def refiner(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    return opened("refiner", tmp_path_factory.mktemp("refiner"))


def _pipeline(
    kind: str = "StableDiffusionXLPipeline", model: models.Kind = "sdxl", **changes: Any
) -> Any:
    is_refiner = model == "refiner"
    return getattr(diffusers, kind)(
        vae=models.vae(model),
        unet=models.unet(model),
        text_encoder=None if is_refiner else models.clip_l(),
        tokenizer=None if is_refiner else tokenizer(),
        text_encoder_2=models.big_g(),
        tokenizer_2=tokenizer(_ZERO),
        scheduler=scheduler(),
        add_watermarker=False,
        **changes,
    )


def _sampled(
    made: Opened, positive: Conditioning, negative: Conditioning, **settings: Any
) -> Tensor:
    given: dict[str, Any] = {"seed": 11, "steps": 4, "guidance_scale": 5.0, "schedule": "leading"}
    start = settings.pop("latents", None) or empty_latent(width=SIZE, height=SIZE)
    return ksampler(
        made.checkpoint.model, positive, negative, start, pool=made.pool, **given | settings
    ).samples


def test_text(base: Opened) -> None:
    made = _pipeline()
    expected = made.encode_prompt(PROMPT, negative_prompt=NEGATIVE, device="cpu")

    found = clip_encode(base.checkpoint.text_encoder, text=PROMPT, pool=base.pool)
    negative = clip_encode(base.checkpoint.text_encoder, text=NEGATIVE, pool=base.pool)

    assert found.pooled is not None
    assert negative.pooled is not None
    parity.agree("SDXL", "prompt", found.embeddings, expected[0], what="text")
    parity.agree("SDXL", "negative prompt", negative.embeddings, expected[1], what="text")
    parity.agree("SDXL", "pooled", found.pooled, expected[2], what="text")
    parity.agree("SDXL", "negative pooled", negative.pooled, expected[3], what="text")


def test_text_of_two_prompts_and_an_earlier_layer(base: Opened) -> None:
    expected = _pipeline().encode_prompt(PROMPT, "a boat", device="cpu", clip_skip=1)

    encoder = clip_skip(base.checkpoint.text_encoder, layers=2)
    found = clip_encode_pair(encoder, text_l=PROMPT, text_g="a boat", pool=base.pool)

    assert found.pooled is not None
    parity.agree("SDXL", "two prompts, clip skip", found.embeddings, expected[0], what="text")
    parity.agree("SDXL", "pooled of two prompts, clip skip", found.pooled, expected[2], what="text")


def test_text_to_image(base: Opened, sides: Sides) -> None:
    expected = latents(
        _pipeline(), prompt=PROMPT, negative_prompt=NEGATIVE, width=SIZE, height=SIZE
    )
    encoder = base.checkpoint.text_encoder
    positive = clip_encode(encoder, text=PROMPT, pool=base.pool)
    negative = clip_encode(encoder, text=NEGATIVE, pool=base.pool)

    found = _sampled(base, positive, negative)

    sides.agree("SDXL", "euler / leading", found, expected, made=base, vae=models.vae("sdxl"))


def test_no_negative_prompt_and_sizes(base: Opened, sides: Sides) -> None:
    expected = latents(
        _pipeline(),
        prompt=PROMPT,
        width=SIZE,
        height=SIZE,
        original_size=(512, 768),
        crops_coords_top_left=(16, 32),
        target_size=(1024, 640),
        negative_original_size=(256, 128),
        negative_target_size=(SIZE, SIZE),
    )
    encoder = base.checkpoint.text_encoder
    positive = size_conditioning(
        clip_encode(encoder, text=PROMPT, pool=base.pool),
        width=768, height=512, crop_x=32, crop_y=16, target_width=640, target_height=1024,
    )  # fmt: skip
    negative = size_conditioning(
        clip_encode(encoder, zero_if_empty=True, pool=base.pool), width=128, height=256
    )

    found = _sampled(base, positive, negative)

    how = "euler / leading, sizes, no negative prompt"
    sides.agree("SDXL", how, found, expected, made=base, vae=models.vae("sdxl"))


def test_refiner_as_image_to_image(refiner: Opened, sides: Sides) -> None:
    start = torch.randn(1, 4, SIZE // 8, SIZE // 8, generator=torch.Generator().manual_seed(3))
    made = _pipeline("StableDiffusionXLImg2ImgPipeline", "refiner", requires_aesthetics_score=True)
    expected = latents(
        made, prompt=PROMPT, negative_prompt=NEGATIVE, image=start, strength=0.5,
        num_inference_steps=8, aesthetic_score=7.0,
    )  # fmt: skip
    encoder = refiner.checkpoint.text_encoder
    positive = aesthetic_score(clip_encode(encoder, text=PROMPT, pool=refiner.pool), score=7.0)
    negative = clip_encode(encoder, text=NEGATIVE, pool=refiner.pool)

    found = _sampled(refiner, positive, negative, latents=Latents(start), steps=8, start_step=4)

    how = "euler / leading, image to image"
    sides.agree("SDXL refiner", how, found, expected, made=refiner, vae=models.vae("refiner"))


def test_base_hands_over_to_the_refiner_at_a_fraction_of_the_noise(
    base: Opened, refiner: Opened
) -> None:
    given: dict[str, Any] = {
        "prompt": PROMPT,
        "negative_prompt": NEGATIVE,
        "num_inference_steps": 5,
    }
    noisy = latents(_pipeline(), **given, width=SIZE, height=SIZE, denoising_end=0.8)
    made = _pipeline("StableDiffusionXLImg2ImgPipeline", "refiner", requires_aesthetics_score=True)
    expected = latents(made, **given, image=noisy, denoising_start=0.8)
    state = start_sampling(
        base.checkpoint.model,
        empty_latent(width=SIZE, height=SIZE),
        seed=11,
        steps=5,
        schedule="leading",
    )

    def stepped(made: Opened, state: SamplerState, count: int) -> SamplerState:
        encoder = made.checkpoint.text_encoder
        positive = clip_encode(encoder, text=PROMPT, pool=made.pool)
        negative = clip_encode(encoder, text=NEGATIVE, pool=made.pool)
        return sample_steps(
            made.checkpoint.model,
            positive,
            negative,
            state,
            count=count,
            guidance_scale=5.0,
            pool=made.pool,
        ).state

    count = steps_to_noise(state, fraction=0.8)
    handed = stepped(base, state, count)

    assert count == 4
    assert steps_to_noise(handed, fraction=1.0) == 1
    found = finish_sampling(stepped(refiner, handed, 1000)).samples
    parity.agree("SDXL refiner", "euler / leading, from the base at 0.8", found, expected)


def test_no_step_before_the_hand_over_is_an_error(base: Opened) -> None:
    state = start_sampling(base.checkpoint.model, empty_latent(width=SIZE, height=SIZE), steps=5)

    with pytest.raises(InputError, match="no step remains before a fraction of 0 of the noise"):
        steps_to_noise(state, fraction=0.0)
