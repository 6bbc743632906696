"""Runs: denoising from its settings over halted states to a result, the loop left to the caller."""

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
    DualGuidance,
    FamilyName,
    GuidanceRule,
    Latents,
    Model,
    PerpendicularNegative,
    PredictionType,
    ProfileName,
    SamplerName,
    SamplerState,
    ScheduleName,
)

from . import control, guidance, guides, noise, regions, samplers, schedules
from .blend import Kept
from .control import ActiveControl
from .families import FAMILIES
from .guides import Guide
from .noise import NoiseStream
from .regions import Part
from .samplers import Denoiser, Point
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
    negative: Conditioning | None
    """None at a guidance scale of 1, which asks for none."""
    guidance_scale: float
    prediction_type: PredictionType
    rules: tuple[GuidanceRule, ...] = ()

    @classmethod
    def of(
        cls, positive: Conditioning, negative: Conditioning, guidance_scale: float, model: Model
    ) -> "Prompts":
        """What a model is to show and to avoid."""
        is_asked = guidance_scale != 1 or any(
            isinstance(rule, DualGuidance | PerpendicularNegative) for rule in model.guidance
        )
        asked = negative if is_asked else None
        return cls(positive, asked, guidance_scale, model.prediction_type, model.guidance)

    @property
    def roles(self) -> dict[str, Conditioning]:
        """What a model may be asked for, by the words of `combining.asked`."""
        found = {"positive": self.positive}
        if self.negative is not None:
            found["negative"] = self.negative
            for rule in self.rules:
                if isinstance(rule, DualGuidance):
                    found["middle"] = rule.middle
                elif isinstance(rule, PerpendicularNegative):
                    found["empty"] = rule.empty
        return found


@dataclass(frozen=True, eq=False)
class Run:
    """A denoising run at work on a device. Everything that changes is in its `Point`."""

    sampler: SamplerName
    profile: ProfileName
    trained: NoiseSchedule
    schedule: Schedule
    shape: torch.Size
    """(B, C, h, w)"""
    kept: Kept | None = None

    @classmethod
    def of(cls, state: SamplerState, device: torch.device) -> "Run":
        """The run that a state is halted in."""
        kept = None
        if state.kept is not None and state.kept.mask is not None:
            tensors = (state.kept.samples, state.kept.mask, state.noise)
            kept = Kept(*(tensor.to(device, torch.float32) for tensor in tensors))
        return cls(
            state.sampler,
            state.profile,
            trained(state.family),
            Schedule(state.sigmas, state.timesteps),
            state.x.shape,
            kept,
        )

    def denoiser(
        self, model: Any, prompts: Prompts, borrow: Callable[[ControlNet], Any], *, origin: str
    ) -> Denoiser:
        """The denoiser that the sampler sees.

        Args:
            model: A diffusers UNet2DConditionModel.
            prompts: With their ControlNets.
            borrow: Gives a ControlNet's weights, to be kept until the run ends.
            origin: The input that the latents came by, for messages.

        Raises:
            InputError: Latents, prompts, hints and models do not fit each other.
        """

        def part(role: str, conditioning: Conditioning) -> Part:
            embeddings = guidance.fit(
                conditioning.embeddings, self.shape, model, role, origin=origin
            )
            extras = guides.extras(
                conditioning, model, self.shape, role, scale=prompts.guidance_scale
            )
            region = conditioning.region
            return Part(
                Guide(embeddings, self._acting(conditioning, model, role, borrow), extras),
                regions.window(region, self.schedule, self.trained, self.profile),
                *regions.place(region, self.shape, model.device),
            )

        is_taught = model.config.time_cond_proj_dim is not None  # to follow the scale by itself
        roles = {
            role: tuple(part(role, each) for each in conditioning.parts)
            for role, conditioning in prompts.roles.items()
            if role == "positive" or not is_taught
        }
        for role, parts in roles.items():
            regions.check_said(role, parts)
        denoise = guidance.guided(
            model,
            self.schedule,
            roles,
            guidance_scale=prompts.guidance_scale,
            prediction_type=prompts.prediction_type,
            rules=prompts.rules,
        )
        if self.kept is not None and self.profile == "comfyui":
            return self.kept.around(denoise, self.schedule)
        return denoise

    def _acting(
        self,
        conditioning: Conditioning,
        model: Any,
        role: str,
        borrow: Callable[[ControlNet], Any],
    ) -> tuple[ActiveControl, ...]:
        acting = []
        for each in conditioning.controls:
            active = control.window(each, self.schedule, self.trained, self.profile)
            if any(active):
                net = borrow(each.controlnet)
                name = f"the ControlNet {each.controlnet.weights.name!r}"
                fitting.check_family(model.config, net.config, name, role)
                acting.append(control.bind(each, net, self.shape, active, role))
        return tuple(acting)

    def advance(self, point: Point, denoise: Denoiser) -> Point:
        """The point one step further on."""
        after = samplers.step(self.sampler, self.schedule, point, denoise)
        if self.kept is not None and self.profile == "diffusers":
            return replace(
                after, x=self.kept.after(after.x, self.schedule, point.step, self.sampler)
            )
        return after

    def result(self, point: Point) -> Tensor:
        """The latents at the end, (B, C, h, w)."""
        latents = samplers.finish(self.schedule, point)
        if self.kept is not None and self.profile == "diffusers" and self.schedule.steps:
            return self.kept.clean(latents)
        return latents


def trained(family: FamilyName) -> NoiseSchedule:
    """The noise that the models of a family were trained with."""
    constants = FAMILIES[family]
    return NoiseSchedule.scaled_linear(
        constants.beta_start, constants.beta_end, constants.train_steps
    )


def begin(settings: Settings, family: FamilyName, latents: Latents) -> SamplerState:
    """The state that a run starts in.

    Args:
        settings: What to do.
        family: Of the model.
        latents: Where to start. All zeros are empty: the run makes a picture from noise alone.

    Raises:
        InputError: The latents' mask does not fit them, or see `Settings.planned`.
    """
    samples = latents.samples.to("cpu", torch.float32)
    mask = latents.mask
    fitting.check_latent_mask(facts.of(latents))
    known = trained(family)
    schedule = settings.planned(known)
    drawn, stream = noise.initial(
        settings.profile, settings.seed, samples.shape, draws_before=settings.draws_before
    )
    scale = noise.start_scale(
        schedule,
        float(known.sigmas[-1]),
        empty=settings.denoise == 1 and settings.start_step == 0 and not bool(samples.any()),
        sampler=settings.sampler,
        spacing=settings.schedule,
        profile=settings.profile,
    )
    return SamplerState(
        settings.sampler,
        settings.profile,
        family,
        schedule.sigmas,
        schedule.timesteps,
        samples + scale * drawn if schedule.steps else samples,
        drawn,
        stream.states,
        kept=None if mask is None else Latents(samples, mask),
    )


def point(state: SamplerState, device: torch.device) -> Point:
    """Where a state stands, with its latents on a device."""
    denoised = None if state.denoised is None else state.denoised.to(device)
    return Point(state.x.to(device), NoiseStream(state.generators), state.step, denoised)


def halted(state: SamplerState, reached: Point) -> SamplerState:
    """The state of the same run at a point that is `at_rest`."""
    return replace(
        state,
        x=reached.x,
        generators=reached.noise.states,
        step=reached.step,
        denoised=reached.denoised,
    )


def continued(state: SamplerState, stored: tuple[int, object], most: int) -> SamplerState:
    """The state at a stored point of its run; the state itself if what is stored is no such point.

    Args:
        state: Where the run stands.
        stored: The step that a point was stored for, and what was read back.
        most: The step to go to at most.
    """
    step, found = stored
    if not (isinstance(found, Point) and found.step == step and state.step < step <= most):
        return state
    shapes = {tensor.shape for tensor in (found.x, found.denoised) if tensor is not None}
    whole = found.denoised is not None and len(found.noise.states) == len(state.generators)
    return halted(state, found) if whole and shapes == {state.x.shape} else state


def rescheduled(state: SamplerState, steps: int, schedule: ScheduleName) -> SamplerState:
    """The same run with its remaining noise levels laid anew in `steps` steps.

    Raises:
        InputError: No step remains, or there are no such levels.
    """
    fitting.check_unfinished(state.step, state.steps)
    known, sampler, profile = trained(state.family), state.sampler, state.profile
    plan = schedules.rest(
        partial(schedules.schedule, schedule, known, sampler=sampler, profile=profile),
        state.sigmas[state.step],
        state.timesteps[state.step],
        steps,
        most=schedules.most_steps(schedule, known, sampler=sampler, profile=profile),
    )
    # What is past stays: multistep samplers read the last step's length from it.
    return replace(
        state,
        sigmas=(*state.sigmas[: state.step], *plan.sigmas),
        timesteps=(*state.timesteps[: state.step], *plan.timesteps),
    )
