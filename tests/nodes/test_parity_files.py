"""The same pictures as diffusers makes, from files and prompts on."""

from typing import Any

import diffusers
import pytest

from nodes.control import control_net_apply
from nodes.diffusion.pool import Pool
from nodes.folders import Folders
from nodes.latents import empty_latent
from nodes.loaders import load_checkpoint, load_controlnet
from nodes.sampling import ksampler
from nodes.text import clip_encode
from nodes.values import Image
from tests.nodes.conftest import Tiny
from tests.nodes.references import OFFSET, SIZE, generators, made_scheduler, picture
from tests.nodes.sides import Sides
from tests.nodes.tiny.pipelines import Opened

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation:DeprecationWarning", "ignore::FutureWarning"
)


@pytest.mark.parametrize("with_control", [False, True])
def test_text_to_picture(
    tiny: Tiny, folders: Folders, pool: Pool, sides: Sides, *, with_control: bool
) -> None:
    parts, seed, steps = tiny.pipeline(), 5, 4
    texts = {"prompt": "a red house at night", "negative_prompt": "people"}
    hint = picture(9)
    kind: Any = diffusers.StableDiffusionControlNetPipeline
    made = kind(
        vae=parts.vae,
        text_encoder=parts.text_encoder,
        tokenizer=parts.tokenizer,
        unet=parts.unet,
        controlnet=parts.controlnet,
        scheduler=made_scheduler("EulerDiscreteScheduler", **OFFSET, use_karras_sigmas=True),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    made.set_progress_bar_config(disable=True)
    expected = made(
        **texts,
        image=hint,
        controlnet_conditioning_scale=1.0 if with_control else 0.0,
        num_inference_steps=steps,
        generator=generators(seed, 1),
        output_type="latent",
    ).images

    checkpoint = load_checkpoint(checkpoint=tiny.checkpoint, folders=folders)
    positive, negative = (
        clip_encode(checkpoint.text_encoder, text=text, pool=pool) for text in texts.values()
    )
    if with_control:
        controlnet = load_controlnet(controlnet=tiny.controlnet, folders=folders)
        positive, negative = control_net_apply(positive, negative, controlnet, Image(hint))
    latents = ksampler(
        checkpoint.model,
        positive,
        negative,
        empty_latent(width=SIZE, height=SIZE),
        seed=seed,
        steps=steps,
        pool=pool,
    )

    how = "euler / karras, ControlNet" if with_control else "euler / karras, from files"
    sides.agree(
        "SD 1.x", how, latents.samples, expected, made=Opened(checkpoint, pool), vae=parts.vae
    )
