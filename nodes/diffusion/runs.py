"""Runs: denoising from its settings over halted states to a result, the loop left to the caller."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from nodes import facts, fitting
from nodes.states import SamplerState, SamplingDetails, Sigmas
from nodes.values import (
    Conditioning,
    ControlNet,
    Latents,
    Model,
)
from nodes.widgets import (
    FamilyName,
    MaskRule,
    ProfileName,
    SamplerName,
    ScheduleName,
)

from . import control, guidance, guides, noise, regions, samplers, schedules
from .blend import Kept
from .brownian import BrownianTree
from .control import ActiveControl
from .families import FAMILIES
from .guides import Guide
from .noise import NoiseStream
from .places import anchor
from .regions import Part
from .roles import Prompts
from .samplers import Denoiser, Options, Point
from .schedules import NoiseSchedule, Schedule
from .shortage import Remedy
from .training_noise import ALIGNED_XL


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
    details: SamplingDetails = field(default_factory=SamplingDetails)
    sigmas: Sigmas | None = None
    """The noise levels to go through, instead of those that the other settings lead to."""

    def planned(self, trained: NoiseSchedule) -> Schedule:
        """The steps that the run takes; none at a denoise of 0.

        Raises:
            InputError: The model knows too few timesteps, or `start_step` exceeds `steps`.
        """
        rules: Any = {
            "sampler": self.sampler,
            "profile": self.profile,
            "details": self.details,
        }
        if self.sigmas is not None:
            return schedules.given(self.sigmas.levels, trained, **rules)
        full = partial(schedules.schedule, self.schedule, trained, **rules)
        if self.schedule == "turbo":
            return schedules.turbo(
                full, self.steps, denoise=self.denoise, start_step=self.start_step
            )
        denoise, start_step = self.denoise, self.start_step
        if self.details.denoise_rule == "shorter":
            left_out = self.steps - int(self.steps * denoise)
            denoise, start_step = 1.0, min(self.steps, start_step + left_out)
        return schedules.run(full, self.steps, denoise=denoise, start_step=start_step)

    @property
    def whole(self) -> bool:
        """Whether the run begins at the noisiest level of its schedule."""
        return self.sigmas is None and self.denoise == 1 and self.start_step == 0


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
    options: Options = field(default_factory=Options)
    mask_rule: MaskRule = "behind"

    @classmethod
    def of(cls, state: SamplerState, device: torch.device) -> "Run":
        """The run that a state is halted in."""
        kept = None
        if state.kept is not None and state.kept.mask is not None:
            tensors = (state.kept.samples, state.kept.mask, state.noise)
            kept = Kept(*(tensor.to(device, torch.float32) for tensor in tensors))
        known, details = trained(state.family, zero_snr=state.zero_snr), state.details
        order = details.order
        if order is None and state.profile == "comfyui" and state.sampler in schedules.UNIPC:
            order = 3
        usual: MaskRule = "around" if state.profile == "comfyui" else "behind"
        return cls(
            state.sampler,
            state.profile,
            known,
            _schedule(state, known),
            state.x.shape,
            kept,
            Options(details.eta, details.noise_scale, order, known),
            details.mask_rule or usual,
        )

    def denoiser(
        self,
        model: Any,
        prompts: Prompts,
        borrow: Callable[[ControlNet], Any],
        *,
        origin: str,
        remedies: Sequence[Remedy] = (),
    ) -> Denoiser:
        """The denoiser that the sampler sees.

        Args:
            model: A diffusers UNet2DConditionModel.
            prompts: With their ControlNets.
            borrow: Gives a ControlNet's weights, to be kept until the run ends.
            origin: The input that the latents came by, for messages.
            remedies: See `guidance.guided`.

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
                *regions.place(region, self.shape, anchor(model).device),
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
            remedies=remedies,
        )
        if self.kept is not None and self.mask_rule == "around":
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
        after = samplers.step(self.sampler, self.schedule, point, denoise, self.options)
        if self.kept is None or self.mask_rule == "around":
            return after
        if self.mask_rule == "ahead":
            return replace(after, x=self.kept.ahead(after.x, self.schedule, point.step))
        return replace(after, x=self.kept.behind(after.x, self.schedule, point.step, self.sampler))

    def result(self, point: Point) -> Tensor:
        """The latents at the end, (B, C, h, w)."""
        latents = samplers.finish(self.schedule, point)
        if self.kept is not None and self.mask_rule != "around" and self.schedule.steps:
            return self.kept.clean(latents)
        return latents


def trained(family: FamilyName, *, zero_snr: bool = False) -> NoiseSchedule:
    """The noise that the models of a family were trained with.

    Args:
        family: The family.
        zero_snr: Whether the model was trained on until its noise ended in noise alone.
    """
    constants = FAMILIES[family]
    made = NoiseSchedule.scaled_linear(
        constants.beta_start, constants.beta_end, constants.train_steps
    )
    if family.startswith("sdxl"):
        made = replace(made, aligned=ALIGNED_XL)
    return made.ending_in_noise() if zero_snr else made


def _schedule(state: SamplerState, known: NoiseSchedule) -> Schedule:
    clock = schedules.clock(
        known, sampler=state.sampler, profile=state.profile, details=state.details
    )
    return Schedule(state.sigmas, state.timesteps, clock)


def begin(settings: Settings, model: Model, latents: Latents) -> SamplerState:
    """The state that a run starts in.

    Args:
        settings: What to do.
        model: Says how noise and the model's clock belong together.
        latents: Where to start. All zeros are empty: the run makes a picture from noise alone.

    Raises:
        InputError: The latents' mask does not fit them, or see `Settings.planned`.
    """
    samples = latents.samples.to("cpu", torch.float32)
    mask, details = latents.mask, settings.details
    fitting.check_latent_mask(facts.of(latents))
    known = trained(model.family, zero_snr=model.zero_snr)
    schedule = settings.planned(known)
    drawn, stream = noise.initial(
        details.noise or settings.profile,
        settings.seed,
        samples.shape,
        draws_before=settings.draws_before,
    )
    scale = noise.start_scale(
        schedule,
        float(known.sigmas[-1]),
        empty=settings.whole and not bool(samples.any()),
        sampler=settings.sampler,
        spacing=settings.schedule,
        profile=settings.profile,
        rule=details.start_scale,
    )
    return SamplerState(
        settings.sampler,
        settings.profile,
        model.family,
        schedule.sigmas,
        schedule.timesteps,
        samples + scale * drawn if schedule.steps else samples,
        drawn,
        stream.states,
        kept=None if mask is None else Latents(samples, mask),
        details=details,
        tree=_tree(settings, schedule, samples.shape[0]),
        zero_snr=model.zero_snr,
    )


def _tree(settings: Settings, schedule: Schedule, batch: int) -> BrownianTree | None:
    """What the noise between the levels of a run comes from, if it is not drawn."""
    details = settings.details
    always = settings.sampler == "dpmpp_sde" or settings.profile == "comfyui"
    brownian = always if details.step_noise is None else details.step_noise == "brownian"
    levels = [sigma for sigma in schedule.sigmas if sigma > 0]
    if not (brownian and settings.sampler in samplers.BROWNIAN and levels):
        return None
    alone = (details.noise or settings.profile) == "comfyui"
    seeds = tuple((settings.seed + index) % noise.SEEDS for index in range(1 if alone else batch))
    return BrownianTree(seeds, min(levels), max(levels))


def point(state: SamplerState, device: torch.device) -> Point:
    """Where a state stands, with its latents on a device."""
    denoised = None if state.denoised is None else state.denoised.to(device)
    history = tuple(tensor.to(device) for tensor in state.history)
    stream = NoiseStream(state.generators, state.tree)
    return Point(state.x.to(device), stream, state.step, denoised, history)


def halted(state: SamplerState, reached: Point) -> SamplerState:
    """The state of the same run at a point that is `at_rest`."""
    return replace(
        state,
        x=reached.x,
        generators=reached.noise.states,
        step=reached.step,
        denoised=reached.denoised,
        history=reached.history,
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
    shapes = {
        tensor.shape for tensor in (found.x, found.denoised, *found.history) if tensor is not None
    }
    remembered = samplers.SAMPLERS[state.sampler].history(step)
    whole = (
        found.denoised is not None
        and len(found.history) == remembered
        and len(found.noise.states) == len(state.generators)
    )
    return halted(state, found) if whole and shapes == {state.x.shape} else state


def rescheduled(state: SamplerState, steps: int, schedule: ScheduleName) -> SamplerState:
    """The same run with its remaining noise levels laid anew in `steps` steps.

    Raises:
        InputError: No step remains, or there are no such levels.
    """
    fitting.check_unfinished(state.step, state.steps)
    known = trained(state.family, zero_snr=state.zero_snr)
    whose: Any = {"sampler": state.sampler, "profile": state.profile}
    plan = schedules.rest(
        partial(schedules.schedule, schedule, known, details=state.details, **whose),
        state.sigmas[state.step],
        state.timesteps[state.step],
        steps,
        most=schedules.most_steps(schedule, known, **whose),
    )
    tree = state.tree
    if tree is not None:
        # Another interval is another motion: of other seeds, so that none of its noise came before.
        seeds = tuple((seed + (state.step << 32)) % noise.SEEDS for seed in tree.seeds)
        low = min(sigma for sigma in plan.sigmas if sigma > 0)
        tree = BrownianTree(seeds, low, plan.sigmas[0]) if state.step else replace(tree, low=low)
    # What is past stays: multistep samplers read the last step's length from it.
    return replace(
        state,
        sigmas=(*state.sigmas[: state.step], *plan.sigmas),
        timesteps=(*state.timesteps[: state.step], *plan.timesteps),
        tree=tree,
    )
