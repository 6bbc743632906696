"""SD 2.1 unCLIP under Karlo's prior, from their diffusers folders, against diffusers' own pipeline of both."""

import importlib
import json
from typing import Any

import pytest
import torch
from torch import Tensor

from nodes.clip_vision import unclip_conditioning
from nodes.diffusion.pool import Pool
from nodes.folders import Folders
from nodes.karlo import karlo_prior, load_karlo
from nodes.latents import empty_latent
from nodes.loaders import load_checkpoint
from nodes.sampling import ksampler
from nodes.text import clip_encode
from nodes.values import ImageEmbedding
from tests.nodes.conftest import save, tokenizer
from tests.nodes.references import made_scheduler
from tests.nodes.sides import Sides
from tests.nodes.tiny import karlo, models
from tests.nodes.tiny.pipelines import NEGATIVE, PROMPT, SIZE, Opened, latents, scheduler

diffusers: Any = importlib.import_module("diffusers")
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
SEEDS = {"prior": 12, "blur": 9, "latents": 11}
LEVEL, STEPS = 300, 4


@pytest.fixture(scope="module")
def statistics() -> dict[str, Tensor]:
    """Those of the unCLIP checkpoint, far from mean 0 and deviation 1."""
    mean, deviation = torch.randn(2, 1, models.WIDTH, generator=torch.Generator().manual_seed(6))
    return {"mean": mean, "std": deviation.exp()}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, statistics: dict[str, Tensor]) -> Opened:
    root = tmp_path_factory.mktemp("prior")
    karlo.write(root)
    folder = root / "checkpoints" / "sd21-unclip"
    models.unet("unclip").save_pretrained(folder / "unet")
    models.vae("unclip").save_pretrained(folder / "vae")
    models.open_clip(2).save_pretrained(folder / "text_encoder")
    save(folder / "image_normalizer" / "diffusion_pytorch_model.safetensors", statistics)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "StableUnCLIPPipeline"}))
    scheduler(prediction_type="v_prediction").save_pretrained(folder / "scheduler")
    folders = Folders((root,), ())
    return Opened(load_checkpoint(checkpoint="sd21-unclip", folders=folders), Pool(folders))


def _expected(statistics: dict[str, Tensor]) -> Tensor:
    """What the pipeline makes, each of its stages with a seed of its own."""
    normalizer = diffusers.pipelines.stable_diffusion.StableUnCLIPImageNormalizer(models.WIDTH)
    normalizer.mean.data, normalizer.std.data = statistics["mean"], statistics["std"]
    steps = made_scheduler(
        "DDPMScheduler", beta_schedule="squaredcos_cap_v2", variance_type="fixed_small_log",
        prediction_type="sample", clip_sample_range=5.0,
    )  # fmt: skip
    # float32's rounding alone is 5e-4 at the last step.
    steps.alphas_cumprod = (1 - steps.betas.double()).cumprod(0)
    pipeline = diffusers.StableUnCLIPPipeline(
        prior_tokenizer=tokenizer(),
        prior_text_encoder=models.big_g(),
        prior=karlo.parts()["prior"],
        prior_scheduler=steps,
        image_normalizer=normalizer,
        image_noising_scheduler=made_scheduler("DDPMScheduler", beta_schedule="squaredcos_cap_v2"),
        tokenizer=tokenizer("!"),
        text_encoder=models.open_clip(2),
        unet=models.unet("unclip"),
        scheduler=scheduler(prediction_type="v_prediction"),
        vae=models.vae("unclip"),
    )
    generator = torch.Generator()
    _seeded(pipeline, "prepare_latents", generator, ["prior", "latents"])
    _seeded(pipeline, "noise_image_embeddings", generator, ["blur"])
    return latents(
        pipeline, prompt=PROMPT, negative_prompt=NEGATIVE, noise_level=LEVEL, guidance_scale=7.5,
        prior_num_inference_steps=STEPS, num_inference_steps=STEPS, generator=generator,
        width=SIZE, height=SIZE,
    )  # fmt: skip


def _seeded(pipeline: Any, name: str, generator: torch.Generator, stages: list[str]) -> None:
    plain, left = getattr(pipeline, name), iter(stages)

    def seeded(*arguments: Any, **given: Any) -> Any:
        generator.manual_seed(SEEDS[next(left)])
        return plain(*arguments, **given)

    setattr(pipeline, name, seeded)


def test_a_prior_before_unclip(made: Opened, statistics: dict[str, Tensor], sides: Sides) -> None:
    expected = _expected(statistics)
    checkpoint, pool = made
    seen = karlo_prior(
        load_karlo(karlo="tiny", folders=pool.folders),
        text=PROMPT, seed=SEEDS["prior"], steps=STEPS, spacing="leading", pool=pool,
    )  # fmt: skip
    positive, negative = (
        clip_encode(checkpoint.text_encoder, text=text, pool=pool) for text in (PROMPT, NEGATIVE)
    )
    positive = unclip_conditioning(positive, seen, noise_level=LEVEL, seed=SEEDS["blur"])

    found = ksampler(
        checkpoint.model, positive, negative, empty_latent(width=SIZE, height=SIZE),
        seed=SEEDS["latents"], steps=STEPS, schedule="leading", pool=pool,
    ).samples  # fmt: skip

    how = f"Karlo's prior, noise level {LEVEL}"
    sides.agree("SD 2.1 unCLIP", how, found, expected, made=made, vae=models.vae("unclip"))


def test_the_models_statistics_count_before_those_of_an_encoder(made: Opened) -> None:
    checkpoint, pool = made
    seen = torch.ones(1, models.WIDTH)
    strange = (seen * 3, seen * 4)
    words = clip_encode(checkpoint.text_encoder, text=PROMPT, pool=pool)

    def sampled(embedding: ImageEmbedding) -> Tensor:
        shown = unclip_conditioning(words, embedding, noise_level=LEVEL)
        start = empty_latent(width=SIZE, height=SIZE)
        return ksampler(checkpoint.model, shown, words, start, steps=1, pool=pool).samples

    assert sampled(ImageEmbedding(seen, strange)).equal(sampled(ImageEmbedding(seen)))


def test_the_statistics_are_part_of_what_the_checkpoint_is(made: Opened) -> None:
    folders = made.pool.folders
    file = folders.find("checkpoints", "sd21-unclip") / "image_normalizer"

    assert set(file.iterdir()) <= set(folders.open("checkpoints", "sd21-unclip").files)
