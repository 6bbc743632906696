"""What an unCLIP model reads of several pictures, against ComfyUI's rule."""

import importlib
from typing import Any

import torch
from torch import Tensor

from nodes.diffusion.unclip import label
from nodes.values import ImagePrompt
from tests.nodes import parity

embeddings: Any = importlib.import_module("diffusers.models.embeddings")
diffusers: Any = importlib.import_module("diffusers")
WIDTH, SEED = 32, 5


def _picture(strength: float, level: int, seed: int = SEED) -> ImagePrompt:
    drawn = torch.Generator().manual_seed(level)
    return ImagePrompt(torch.randn(1, WIDTH, generator=drawn), strength, level, seed)


def _blurred(embedding: Tensor, level: int, generator: torch.Generator) -> Tensor:
    """An embedding and its noise level, by diffusers' parts."""
    noising = diffusers.DDPMScheduler(beta_schedule="squaredcos_cap_v2")
    clock, noise = torch.tensor([level]), torch.randn(embedding.shape, generator=generator)
    told = embeddings.get_timestep_embedding(
        clock, WIDTH, flip_sin_to_cos=True, downscale_freq_shift=0
    )
    return torch.cat([noising.add_noise(embedding, noise, clock), told], dim=1)


def test_two_pictures_with_two_strengths_are_blurred_together() -> None:
    first, second = _picture(0.7, 100), _picture(-0.4, 350)
    # Each picture has the noise of the seed; that of both together goes on where it ended.
    parts, generator = [], torch.Generator()
    for picture in (first, second):
        generator.manual_seed(SEED)
        parts.append(picture.strength * _blurred(picture.embedding, picture.noise_level, generator))
    merged = round(999 * 0.05)
    expected = _blurred((parts[0] + parts[1])[:, :WIDTH], merged, generator)

    found = label([first, second], 2 * WIDTH)

    how, rule = "two pictures with two strengths", "ComfyUI's rule"
    parity.agree("SD 2.1 unCLIP", how, found, expected, what="class labels", by=rule)
