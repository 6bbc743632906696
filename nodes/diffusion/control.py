"""ControlNets at work: when they act, and what they add to the denoiser (arXiv:2302.05543)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from nodes import fitting
from nodes.facts import LatentFacts, of_pixels
from nodes.values import Control, Region
from nodes.widgets import ProfileName

from . import windows
from .places import anchor
from .schedules import NoiseSchedule, Schedule


class Residuals(NamedTuple):
    """What ControlNets add to the skips of the UNet's levels and to its middle."""

    down: list[Tensor]
    mid: Tensor


@dataclass(frozen=True, eq=False)
class ActiveControl:
    """A ControlNet with its weights, bound to a run."""

    control: Control
    net: Any
    """A diffusers ControlNetModel, on the run's device."""
    hint: Tensor
    """(B, 3, 8h, 8w) on the device in the net's dtype, one for each picture of a call."""
    active: tuple[bool, ...]
    """For each step of the run."""

    def for_roles(self, roles: int) -> "ActiveControl":
        """The same for a call that holds the batch once for each role."""
        return self if roles == 1 else replace(self, hint=self.hint.repeat(roles, 1, 1, 1))


def bind(
    control: Control,
    net: Any,
    shape: Sequence[int],
    active: tuple[bool, ...],
    role: str = "positive",
) -> ActiveControl:
    """The control with its net, for latents of the shape (B, C, h, w), beside the prompt of a role.

    Raises:
        InputError: The hint has another size or another number of pictures than the latents.
    """
    batch, channels, height, width = shape
    latents = LatentFacts(batch, channels, height, width)
    name = control.controlnet.weights.name
    fitting.check_control_image(name, of_pixels(control.hint), latents, role)
    hint = control.hint.expand(batch, -1, -1, -1).to(anchor(net))
    return ActiveControl(control, net, hint, active)


def window(
    control: Control | Region, run: Schedule, noise: NoiseSchedule, profile: ProfileName
) -> tuple[bool, ...]:
    """For each step of a run whether the control acts in it.

    `diffusers`: see `windows.of_control`.
    `comfyui`: a step acts if its sigma lies between those of the timesteps (1 - start) * 999 and
    (1 - end) * 999 of the model's whole range, also when the run goes through part of it.
    """
    if control.strength == 0:
        return (False,) * run.steps
    if profile == "comfyui":
        high, low = _sigma_at(control.start, noise), _sigma_at(control.end, noise)
        return tuple(low <= sigma <= high for sigma in run.sigmas[:-1])
    return windows.of_control(control.start, control.end, run.steps)


def _sigma_at(fraction: float, noise: NoiseSchedule) -> float:
    if fraction <= 0:
        return float("inf")
    if fraction >= 1:
        return 0.0
    return float(noise.sigma(np.asarray((1 - fraction) * (noise.span - 1))))


def residuals(
    controls: Sequence[ActiveControl],
    x: Tensor,
    timestep: Tensor,
    embeddings: Tensor,
    step: int,
    *,
    added: dict[str, Tensor] | None = None,
) -> Residuals | None:
    """The sum of what the ControlNets that act in the step say, or None if none does.

    Args:
        controls: Bound to the call's batch.
        x: The model's input, (B, C, h, w).
        timestep: The model's clock, a scalar on the device.
        embeddings: (B, tokens, width).
        step: Index in the run.
        added: What those of SDXL read beside the prompt.
    """
    total: Residuals | None = None
    for acting in controls:
        if not acting.active[step]:
            continue
        down, mid = acting.net(
            x,
            timestep,
            encoder_hidden_states=embeddings,
            controlnet_cond=acting.hint,
            conditioning_scale=acting.control.strength,
            added_cond_kwargs=added,
            return_dict=False,
        )
        if total is None:
            total = Residuals(list(down), mid)
        else:
            total = Residuals(
                [a + b for a, b in zip(total.down, down, strict=True)], total.mid + mid
            )
    return total


def same(ours: Sequence[Control], theirs: Sequence[Control]) -> bool:
    """Whether two prompts are under the same control, so that one call can serve both."""
    return len(ours) == len(theirs) and all(_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def _equal(ours: Control, theirs: Control) -> bool:
    if ours is theirs:
        return True
    settings = ours.controlnet == theirs.controlnet and (ours.strength, ours.start, ours.end) == (
        theirs.strength,
        theirs.start,
        theirs.end,
    )
    return settings and torch.equal(ours.hint, theirs.hint)
