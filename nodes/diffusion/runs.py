"""Runs: denoising from its settings over a start to a result, the sampler's loop left to the caller."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from nodes import facts, fitting
from nodes.values import (
    Conditioning,
    ControlNet,
    Latents,
    PredictionType,
    ProfileName,
    SamplerName,
    ScheduleName,
)

from . import control, guidance, noise, samplers, schedules
from .blend import Kept
from .guidance import Guide
from .samplers import Denoiser, SamplerState
from .schedules import NoiseSchedule, Schedule


@dataclass(frozen=True)
class Settings:
    """What a run is to do, apart from the prompts."""

    sampler: SamplerName = "euler"
    schedule: ScheduleName = "karras"
    steps: int = 20
    denoise: float = 1.0
    start_step: int = 0
    profile: ProfileName = "diffusers"
    seed: int = 0
    draws_before: int = 0

    def planned(self, trained: NoiseSchedule) -> Schedule:
        """The steps that the run takes; none at a denoise of 0.

        Raises:
            InputError: The model knows too few timesteps, or `start_step` exceeds `steps`.
        """
        full = partial(
            schedules.schedule, self.schedule, trained, sampler=self.sampler, profile=self.profile
        )
        return schedules.run(full, self.steps, denoise=self.denoise, start_step=self.start_step)


@dataclass(frozen=True, eq=False)
class Prompts:
    """What a run is to show and to avoid, and what the model's output means."""

    positive: Conditioning
    negative: Conditioning
    guidance_scale: float
    prediction_type: PredictionType


@dataclass(frozen=True, eq=False)
class Run:
    """A denoising run at work. Everything that changes is in its `SamplerState`."""

    settings: Settings
    trained: NoiseSchedule
    schedule: Schedule
    shape: torch.Size
    """(B, C, h, w)"""
    kept: Kept | None = None

    def denoiser(
        self, model: Any, prompts: Prompts, borrow: Callable[[ControlNet], Any]
    ) -> Denoiser:
        """The denoiser that the sampler sees.

        Args:
            model: A diffusers UNet2DConditionModel.
            prompts: With their ControlNets.
            borrow: Gives a ControlNet's weights, to be kept until the run ends.

        Raises:
            InputError: Latents, prompts, hints and models do not fit each other.
        """
        positive = self._guide("positive", prompts.positive, model, borrow)
        if prompts.guidance_scale == 1:
            negative = None
        else:
            negative = self._guide("negative", prompts.negative, model, borrow)
        denoise = guidance.classifier_free(
            model,
            self.schedule,
            positive,
            negative,
            guidance_scale=prompts.guidance_scale,
            prediction_type=prompts.prediction_type,
        )
        if self.kept is not None and self.settings.profile == "comfyui":
            return self.kept.around(denoise, self.schedule)
        return denoise

    def _guide(
        self, role: str, conditioning: Conditioning, model: Any, borrow: Callable[[ControlNet], Any]
    ) -> Guide:
        embeddings = guidance.fit(conditioning.embeddings, self.shape, model, role)
        acting = []
        for each in conditioning.controls:
            active = control.window(each, self.schedule, self.trained, self.settings.profile)
            if any(active):
                net = borrow(each.controlnet)
                name = f"the ControlNet {each.controlnet.weights.name!r}"
                fitting.check_family(model.config, net.config, name, role)
                acting.append(control.bind(each, net, self.shape, active, role))
        return Guide(embeddings, tuple(acting))

    def advance(self, state: SamplerState, denoise: Denoiser) -> SamplerState:
        """The state one step further on."""
        after = samplers.step(self.settings.sampler, self.schedule, state, denoise)
        if self.kept is not None and self.settings.profile == "diffusers":
            return replace(
                after, x=self.kept.after(after.x, self.schedule, state.step, self.settings.sampler)
            )
        return after

    def result(self, state: SamplerState) -> Tensor:
        """The latents of the last state, (B, C, h, w)."""
        latents = samplers.finish(self.schedule, state)
        if self.kept is not None and self.settings.profile == "diffusers":
            return self.kept.clean(latents)
        return latents


def begin(
    settings: Settings, trained: NoiseSchedule, latents: Latents, device: torch.device
) -> tuple[Run, SamplerState]:
    """A run of at least one step on a device, and the state it starts in.

    Args:
        settings: What to do.
        trained: The noise that the model was trained with.
        latents: Where to start. All zeros are empty: the run makes a picture from noise alone.
        device: Where to compute, in float32.

    Raises:
        InputError: The latents' mask does not fit them, or see `Settings.planned`.
    """
    samples, mask = latents.samples, latents.mask
    fitting.check_latent_mask(facts.of(latents))
    schedule = settings.planned(trained)
    drawn, stream = noise.initial(
        settings.profile, settings.seed, samples.shape, draws_before=settings.draws_before
    )
    scale = noise.start_scale(
        schedule,
        float(trained.sigmas[-1]),
        empty=settings.denoise == 1 and settings.start_step == 0 and not bool(samples.any()),
        sampler=settings.sampler,
        spacing=settings.schedule,
        profile=settings.profile,
    )
    original, drawn = samples.to(device, torch.float32), drawn.to(device)
    kept = None if mask is None else Kept(original, mask.to(device, torch.float32), drawn)
    run = Run(settings, trained, schedule, original.shape, kept)
    return run, SamplerState(original + scale * drawn, stream)
