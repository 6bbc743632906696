"""Models that were taught to follow the guidance scale by themselves, against diffusers' pipeline for them."""

import importlib
from pathlib import Path
from typing import Any

import pytest

from nodes.diffusion import layout
from nodes.diffusion.pool import Pool
from nodes.folders import Folders
from nodes.latents import empty_latent
from nodes.loaders import load_checkpoint
from nodes.sampling import ksampler
from nodes.text import clip_encode
from tests.nodes.conftest import UNET, randomised, save, tokenizer
from tests.nodes.references import BETAS
from tests.nodes.sides import Sides
from tests.nodes.tiny import models
from tests.nodes.tiny.pipelines import PROMPT, SIZE, Opened, latents

diffusers: Any = importlib.import_module("diffusers")
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.mark.parametrize("scale", [1.0, 8.0])
def test_the_guidance_scale_is_read_by_the_model(
    scale: float, tmp_path: Path, sides: Sides
) -> None:
    up = ("UpBlock2D", "CrossAttnUpBlock2D")
    unet = randomised(
        diffusers.UNet2DConditionModel(
            **UNET, up_block_types=up, time_cond_proj_dim=256, sample_size=64
        ),
        7,
    )
    parts: Any = {
        "unet": unet.state_dict(),
        "vae": models.vae("sd1").state_dict(),
        "text_encoder": models.clip_l().state_dict(),
    }
    save(tmp_path / "checkpoints" / "lcm.safetensors", layout.to_checkpoint(parts))
    pipeline = diffusers.LatentConsistencyModelPipeline(
        vae=models.vae("sd1"),
        text_encoder=models.clip_l(),
        tokenizer=tokenizer(),
        unet=unet,
        scheduler=diffusers.LCMScheduler(**BETAS),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    expected = latents(
        pipeline,
        prompt=PROMPT,
        width=SIZE,
        height=SIZE,
        guidance_scale=scale,
        num_inference_steps=1,
    )
    folders = Folders((tmp_path,), ())
    loaded, pool = load_checkpoint(checkpoint="lcm.safetensors", folders=folders), Pool(folders)
    positive = clip_encode(loaded.text_encoder, text=PROMPT, pool=pool)
    negative = clip_encode(loaded.text_encoder, text="ugly", pool=pool)

    found = ksampler(
        loaded.model,
        positive,
        negative,
        empty_latent(width=SIZE, height=SIZE),
        seed=11,
        steps=1,
        guidance_scale=scale,
        sampler="lcm",
        schedule="trailing",
        pool=pool,
    ).samples

    how = f"lcm / trailing, one step, guidance {scale:g}"
    sides.agree("LCM", how, found, expected, made=Opened(loaded, pool), vae=models.vae("sd1"))
