"""Runs: denoising at work on a device, from the prompts to one step after the other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from nodes import fitting
from nodes.states import SamplerState
from nodes.values import Conditioning, ControlNet, Spread
from nodes.widgets import MaskRule, ProfileName, SamplerName

from . import control, guidance, guides, regions, samplers, schedules
from .blend import Kept
from .control import ActiveControl
from .endings import UNIPC
from .guides import Guide
from .places import anchor
from .regions import Part
from .roles import Prompts
from .samplers import Denoiser, Options, Point
from .schedules import NoiseSchedule, Schedule
from .settings import trained
from .shortage import Remedy


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
        known, details = trained(state), state.details
        order = details.order
        if order is None and state.profile == "comfyui" and state.sampler in UNIPC:
            order = 3
        usual: MaskRule = "around" if state.profile == "comfyui" else "behind"
        return cls(
            state.sampler,
            state.profile,
            known,
            _schedule(state, known),
            state.x.shape,
            kept,
            Options(
                details.eta,
                details.noise_scale,
                order,
                known,
                preserving=state.profile == "comfyui",
            ),
            details.mask_rule or usual,
        )

    def denoiser(
        self,
        model: Any,
        prompts: Prompts,
        borrow: Callable[[ControlNet], Any],
        *,
        origin: str,
        spread: Spread | None = None,
        remedies: Sequence[Remedy] = (),
    ) -> Denoiser:
        """The denoiser that the sampler sees.

        Args:
            model: A diffusers UNet2DConditionModel.
            prompts: With their ControlNets.
            borrow: Gives a ControlNet's weights, to be kept until the run ends.
            origin: The input that the latents came by, for messages.
            spread: See `guides.extras`.
            remedies: See `guidance.guided`.

        Raises:
            InputError: Latents, prompts, hints and models do not fit each other.
        """

        def part(role: str, conditioning: Conditioning) -> Part:
            embeddings = guidance.fit(
                conditioning.embeddings, self.shape, model, role, origin=origin
            )
            extras = guides.extras(
                conditioning, model, self.shape, role, scale=prompts.guidance_scale, spread=spread
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
        if prompts.is_distilled:
            denoise = guidance.bounded(denoise, self.schedule)
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


def _schedule(state: SamplerState, known: NoiseSchedule) -> Schedule:
    clock = schedules.clock(
        known, sampler=state.sampler, profile=state.profile, details=state.details
    )
    return Schedule(state.sigmas, state.timesteps, clock)
