"""Sampling as values: its details, its noise levels, and a run halted between two steps."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.node import Opaque

from .values import Latents
from .widgets import (
    Clock,
    DenoiseRule,
    FamilyName,
    LastLevel,
    MaskRule,
    ProfileName,
    SamplerName,
    StartScale,
    StepNoise,
)

if TYPE_CHECKING:  # declarations must not import torch: a command with nothing to compute is quick
    from torch import Tensor

    from .diffusion.brownian import BrownianTree


@dataclass(frozen=True)
class SamplingDetails(Opaque):
    """How sampling departs from a profile, and from a sampler's own settings; None keeps to them."""

    start_scale: StartScale | None = None
    clock: Clock | None = None
    last_level: LastLevel | None = None
    noise: ProfileName | None = None
    """Whose order of seeds and draws."""
    step_noise: StepNoise | None = None
    denoise_rule: DenoiseRule | None = None
    mask_rule: MaskRule | None = None
    eta: float | None = None
    """The share of the noise that a step makes anew."""
    noise_scale: float = 1.0
    """By what the noise of the steps is multiplied."""
    order: int | None = None
    """How many estimates a multistep sampler goes by."""


@dataclass(frozen=True)
class Sigmas(Opaque):
    """The noise levels of a run, descending: one more than there are steps."""

    levels: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class SamplerState(Opaque):
    """A run of denoising steps, halted between two: all that the rest of it depends on but model and prompts.

    Tensors are float32 on the CPU, latents (B, C, H / 8, W / 8).
    """

    sampler: "SamplerName"
    profile: "ProfileName"
    family: FamilyName
    """Of the model that the schedule was made for."""
    sigmas: tuple[float, ...]
    """The noise levels of the whole run, descending: one more than there are steps."""
    timesteps: tuple[float, ...]
    """What the model's clock shows at each step."""
    x: "Tensor"
    """The noisy latents: clean ones + sigma * noise."""
    noise: "Tensor"
    """What the run started with, of standard deviation 1."""
    generators: tuple["Tensor", ...]
    """Where the noise of the steps to come is drawn from: CPU generators' states."""
    step: int = 0
    """How many steps are taken."""
    denoised: "Tensor | None" = None
    """The latest estimate of the clean latents, which multistep samplers go on from."""
    history: "tuple[Tensor, ...]" = ()
    """What else they remember, the latest first."""
    kept: Latents | None = None
    """Where the run started, with the mask that limits what is repainted, if there is one."""
    details: SamplingDetails = SamplingDetails()
    """How the run departs from its profile."""
    tree: "BrownianTree | None" = None
    """What the steps' noise is drawn from instead of the generators, if anything."""
    zero_snr: bool = False
    """Whether the schedule was made for a model whose noise ends in noise alone."""
    distilled: bool = False
    """Whether it was made for a latent consistency model."""

    @property
    def steps(self) -> int:
        """How many steps the whole run has."""
        return len(self.timesteps)

    @property
    def done(self) -> bool:
        """Whether all steps are taken."""
        return self.step == self.steps
