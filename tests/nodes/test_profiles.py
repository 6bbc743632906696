from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch

from nodes.profiles import Ways, choose_profile
from nodes.sampling import ksampler
from nodes.sampling_details import sampling_rules
from nodes.states import SamplingDetails
from nodes.text import clip_encode, clip_skip
from nodes.vae import vae_encode
from nodes.values import Image, TextEncoder, Weights
from nodes.widgets import FamilyName
from tests.nodes.conftest import tokenizer
from tests.nodes.small import relative_rms

from .tiny import models
from .tiny.pipelines import PROMPT, SIZE, latents, opened, scheduler


def encoder(family: FamilyName, skip: int = 0) -> TextEncoder:
    return TextEncoder(Weights("checkpoints", "", ""), family, skip)


@pytest.mark.filterwarnings("ignore")
def test_diffusers_profile_is_its_whole_pipeline(tmp_path: Path) -> None:
    """A picture made over, without a negative prompt, by SDXL: what other nodes than the sampler do."""
    made = opened("sdxl", tmp_path)
    pixels = torch.rand((1, 3, SIZE, SIZE), generator=torch.Generator().manual_seed(5))
    kind: Any = diffusers.StableDiffusionXLImg2ImgPipeline
    theirs = kind(
        vae=models.vae("sdxl"), unet=models.unet("sdxl"), text_encoder=models.clip_l(),
        tokenizer=tokenizer(), text_encoder_2=models.big_g(), tokenizer_2=tokenizer("!"),
        scheduler=scheduler(), add_watermarker=False,
    )  # fmt: skip
    expected = latents(
        theirs, prompt=PROMPT, image=pixels * 2 - 1, strength=0.5, num_inference_steps=6,
        guidance_scale=5.0,
    )  # fmt: skip

    ways = choose_profile(made.checkpoint.text_encoder)
    found = ksampler(
        made.checkpoint.model,
        clip_encode(ways.positive, text=PROMPT, pool=made.pool),
        clip_encode(ways.negative, zero_if_empty=ways.zero_if_empty, pool=made.pool),
        vae_encode(
            made.checkpoint.vae, Image(pixels), sample=ways.sample, seed=11, pool=made.pool
        ),
        ways.details,
        seed=11, steps=6, denoise=0.5, guidance_scale=5.0, schedule="leading",
        profile=ways.profile, draws_before=ways.draws_before, pool=made.pool,
    ).samples  # fmt: skip

    assert relative_rms(found, expected) < 1e-4


def test_comfyui_profile_leaves_the_nodes_as_they_are() -> None:
    skipping = encoder("sdxl", skip=3)
    assert choose_profile(skipping, profile="comfyui") == Ways(
        "comfyui", SamplingDetails(), skipping, skipping, False, False, 0
    )


@pytest.mark.parametrize(("family", "usual"), [("sd1", 0), ("sd2", 1), ("sdxl", 1)])
def test_clip_skip_is_of_the_positive_prompt_alone_in_diffusers(
    family: FamilyName, usual: int
) -> None:
    ways = choose_profile(clip_skip(encoder(family), layers=4))
    assert (ways.positive.skip, ways.negative.skip) == (4, usual)


@pytest.mark.parametrize(
    ("family", "zeros"), [("sd1", False), ("sd2", False), ("sdxl", True), ("refiner", False)]
)
def test_no_negative_prompt_is_zeros_for_sdxl_alone(family: FamilyName, zeros: bool) -> None:
    assert choose_profile(encoder(family)).zero_if_empty == zeros


def test_a_detail_is_set_behind_the_profile() -> None:
    details = sampling_rules(choose_profile(encoder("sd1")).details, clock="rounded")
    assert details == SamplingDetails(denoise_rule="shorter", clock="rounded")
    assert sampling_rules(details, denoise_rule="longer").denoise_rule == "longer"
