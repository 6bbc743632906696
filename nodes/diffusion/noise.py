"""Noise: reproducible streams of it, and the noisy latents that a run starts from.

All noise is drawn on the CPU, so that a seed means the same on every device. A stream is a value:
drawing returns the noise with the stream that comes after.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from nodes.widgets import ProfileName, SamplerName, ScheduleName, StartScale

from .brownian import BrownianTree
from .schedules import VARIANCE_PRESERVING, Schedule

SEEDS = 2**64


@dataclass(frozen=True, eq=False)
class NoiseStream:
    """Standard normal noise to come.

    `states` are the states of CPU generators: one for each image of the batch, or one for all.
    """

    states: tuple[Tensor, ...]
    tree: BrownianTree | None = None
    """Where the noise between two levels comes from; None draws it, too."""

    @classmethod
    def seeded(cls, *seeds: int) -> Self:
        """A stream for each image from its seed, or with one seed a stream for the whole batch."""
        return cls(
            tuple(torch.Generator("cpu").manual_seed(seed % SEEDS).get_state() for seed in seeds)
        )

    def draw(self, shape: Sequence[int]) -> "tuple[Tensor, NoiseStream]":
        """Noise of the shape (B, ...) and the stream after it.

        Raises:
            ValueError: There are several generators, and not one for each image.
        """
        if len(self.states) == 1:
            noise, after = _draw(self.states[0], shape)
            return noise, replace(self, states=(after,))
        if len(self.states) != shape[0]:
            raise ValueError(
                f"the noise has generators for {len(self.states)} images, {shape[0]} are asked for: give one each"
            )
        drawn = [_draw(state, (1, *shape[1:])) for state in self.states]
        noise = torch.cat([noise for noise, _ in drawn])
        return noise, replace(self, states=tuple(after for _, after in drawn))

    def between(
        self, shape: Sequence[int], sigma: float, after: float
    ) -> "tuple[Tensor, NoiseStream]":
        """Noise of the shape (B, ...) for the way between two levels, and the stream after it.

        Raises:
            ValueError: There are several generators or seeds, and not one for each image.
        """
        if self.tree is None:
            return self.draw(shape)
        return self.tree.between(shape, sigma, after), self


def _draw(state: Tensor, shape: Sequence[int]) -> tuple[Tensor, Tensor]:
    generator = torch.Generator("cpu")
    generator.set_state(state)
    return torch.randn(tuple(shape), generator=generator), generator.get_state()


def initial(
    profile: ProfileName, seed: int, shape: Sequence[int], *, draws_before: int = 0
) -> tuple[Tensor, NoiseStream]:
    """The noise that a run starts with, and the stream that its steps draw from.

    `diffusers`: image k has a generator of its own, seeded `seed + k`, for the start and then the
    steps; so it equals a run of its own with that seed (a list of generators in diffusers).
    `comfyui`: the start is drawn for the whole batch from `seed`, the steps from `seed + 1`.

    Args:
        profile: Whose order of draws.
        seed: Taken modulo 2**64.
        shape: (B, C, h, w).
        draws_before: Draws of this shape that the seed has already served, such as 1 for the
            posterior sample of an encoded image; ignored by `comfyui`, which takes none.
    """
    if profile == "comfyui":
        noise, _ = NoiseStream.seeded(seed).draw(shape)
        return noise, NoiseStream.seeded(seed + 1)
    stream = NoiseStream.seeded(*(seed + index for index in range(shape[0])))
    for _ in range(draws_before):
        _, stream = stream.draw(shape)
    return stream.draw(shape)


def start_scale(
    schedule: Schedule,
    sigma_max: float,
    *,
    empty: bool,
    sampler: SamplerName,
    spacing: ScheduleName,
    profile: ProfileName,
    rule: StartScale | None = None,
) -> float:
    """How strong the noise is that a run adds to its latents: sigma, or sqrt(1 + sigma^2).

    The greater one gives empty latents exactly the variance that training saw at sigma; the
    references disagree by these 0.2 to 0.7 %. ComfyUI uses it whenever a run starts at the
    greatest noise. diffusers uses it for pure noise, except with the Euler and Heun schedulers
    unless their spacing is `leading`.

    Args:
        schedule: The steps to be taken.
        sigma_max: The greatest noise that the model knows.
        empty: A whole run starts from empty latents: it makes a picture from noise alone.
        sampler: Whose scheduler class.
        spacing: The name of the schedule.
        profile: Which reference.
        rule: One of the two, instead of the reference's choice.
    """
    sigma = schedule.sigmas[0]
    if rule is not None:
        greater = rule == "variance"
    elif profile == "comfyui":
        greater = sigma >= sigma_max * (1 - 1e-5)
    else:
        greater = empty and (
            sampler in VARIANCE_PRESERVING or spacing in {"leading", "ddim_uniform"}
        )
    return math.sqrt(1 + sigma**2) if greater else sigma
