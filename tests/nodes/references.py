"""diffusers' own pipelines over the small models, to compare with."""

from typing import Any

import diffusers
import torch
from torch import Tensor

from nodes.values import Conditioning
from tests.nodes import parity, small

SIZE = 64
"""Pixels of the pictures, each way."""
TOLERANCE = parity.TOLERANCE
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
OFFSET = BETAS | {"steps_offset": 1}
DDIM = OFFSET | {"clip_sample": False, "set_alpha_to_one": False}


def pipeline(kind: str, scheduler: Any, **parts: Any) -> Any:
    """A diffusers pipeline over the small models; its prompts are given as embeddings."""
    made = getattr(diffusers, kind)(
        vae=small.autoencoder(),
        text_encoder=None,
        tokenizer=None,
        unet=small.unet(),
        scheduler=made_scheduler("DDIMScheduler", **DDIM),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
        **parts,
    )
    # After construction: a pipeline silently changes the scheduler that it is made with.
    made.scheduler = scheduler
    made.set_progress_bar_config(disable=True)
    return made


def made_scheduler(kind: str, **config: Any) -> Any:
    return getattr(diffusers, kind)(**config)


def generators(seed: int, batch: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed + index) for index in range(batch)]


def prompts(positive: Conditioning, negative: Conditioning, batch: int = 1) -> dict[str, Tensor]:
    return {
        "prompt_embeds": positive.embeddings.repeat(batch, 1, 1),
        "negative_prompt_embeds": negative.embeddings.repeat(batch, 1, 1),
    }


def picture(seed: int = 3, batch: int = 1) -> Tensor:
    return (
        small.noise(seed, (batch, 3, SIZE // 8, SIZE // 8))
        .sigmoid()
        .repeat_interleave(8, -1)
        .repeat_interleave(8, -2)
    )
