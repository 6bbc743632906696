"""Prompts that count in a part of the picture or of the run, or beside others in the same role."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from engine.errors import InputError
from nodes.values import Area, Region
from nodes.widgets import ProfileName

from . import control, windows
from .families import SCALE
from .guides import Guide
from .schedules import NoiseSchedule, Schedule

_FADE = 8
"""Over so many latents an area's borders fade in, as far as it has room for it."""


@dataclass(frozen=True)
class Box:
    """A rectangle of latents."""

    left: int
    top: int
    width: int
    height: int

    def of(self, tensor: Tensor, scale: int = 1) -> Tensor:
        """That part of (B, C, h, w); `scale` is how many of its places are one latent."""
        rows = slice(self.top * scale, (self.top + self.height) * scale)
        columns = slice(self.left * scale, (self.left + self.width) * scale)
        return tensor[..., rows, columns]


@dataclass(frozen=True, eq=False)
class Part:
    """One prompt at work: what the model reads of it, and where and when it counts."""

    guide: Guide
    active: tuple[bool, ...]
    weight: Tensor | None = None
    """(1 or B, 1, h, w); None for 1 everywhere."""
    box: Box | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it speaks for the whole picture all the time."""
        return self.weight is None and self.box is None and all(self.active)


def window(
    region: Region, run: Schedule, noise: NoiseSchedule, profile: ProfileName
) -> tuple[bool, ...]:
    """For each step of a run whether a prompt counts in it.

    In the diffusers profile see `windows.of_prompt`; ComfyUI's goes by the noise, see `control.window`.
    """
    if region.strength == 0:
        return (False,) * run.steps
    if profile == "comfyui":
        return control.window(region, run, noise, profile)
    return windows.of_prompt(region.start, region.end, run.steps)


def place(
    region: Region, shape: Sequence[int], device: torch.device
) -> tuple[Tensor | None, Box | None]:
    """Where a prompt counts, and how much: the weights of latents (B, C, h, w), and the part that is read.

    Raises:
        InputError: The area lies outside of the picture, or the mask's number is not that of the latents.
    """
    batch, _, height, width = shape
    box = None if region.area is None else _box(region.area, width, height)
    mask = region.mask
    if box is None and mask is None and region.strength == 1:
        return None, None
    if mask is not None:
        if mask.shape[0] not in {1, batch}:
            raise InputError(
                f"a prompt has {mask.shape[0]} masks for {batch} latents: give 1 or {batch}",
                code="batch_mismatch",
                input="positive",
            )
        weight = functional.interpolate(mask.float(), (height, width), mode="bilinear")
        weight = weight if box is None else box.of(weight)
    else:
        weight = _fading(box or Box(0, 0, width, height), width, height)
    return (weight * region.strength).to(device), box


def _box(area: Area, width: int, height: int) -> Box:
    if area.is_fraction:
        sides = area.x * width, area.y * height, area.width * width, area.height * height
    else:
        sides = area.x / SCALE, area.y / SCALE, area.width / SCALE, area.height / SCALE
    left, top = round(sides[0]), round(sides[1])
    across = min(max(round(sides[2]), 1), width - left)
    down = min(max(round(sides[3]), 1), height - top)
    if across <= 0 or down <= 0:
        raise InputError(
            f"the area of a prompt begins at ({area.x:g}, {area.y:g}), outside of the picture of"
            f" {width * SCALE}x{height * SCALE}: move it inside",
            code="out_of_picture",
            input="positive",
        )
    return Box(left, top, across, down)


def _fading(box: Box, width: int, height: int) -> Tensor:
    def side(length: int, *, first: bool, last: bool) -> Tensor:
        weight = torch.ones(length)
        rising = torch.arange(1, min(_FADE, length) + 1) / _FADE
        if first:
            weight[: len(rising)] *= rising
        if last:
            weight[-len(rising) :] *= rising.flip(0)
        return weight

    across = side(box.width, first=box.left > 0, last=box.left + box.width < width)
    down = side(box.height, first=box.top > 0, last=box.top + box.height < height)
    return (down[:, None] * across[None, :])[None, None]


def cropped(guide: Guide, box: Box) -> Guide:
    """What the model reads of a prompt for a part of the picture."""
    beside = guide.extras.beside
    return Guide(
        guide.embeddings,
        tuple(replace(each, hint=box.of(each.hint, SCALE)) for each in guide.controls),
        replace(guide.extras, beside=None if beside is None else box.of(beside)),
    )


def averaged(parts: Sequence[Part], estimates: Sequence[Tensor], like: Tensor) -> Tensor:
    """The estimates of several prompts by their weights; zero where none counts, as ComfyUI has it.

    Args:
        parts: Those that are active.
        estimates: For each the estimate of x0, in its part of the picture.
        like: The noisy latents, (B, C, h, w).
    """
    total = torch.zeros_like(like, dtype=torch.float32)
    weights = total.new_zeros(like.shape[0], 1, *like.shape[2:])
    for part, estimate in zip(parts, estimates, strict=True):
        weight = estimate.new_ones(()) if part.weight is None else part.weight
        box = part.box or Box(0, 0, like.shape[-1], like.shape[-2])
        box.of(total).add_(estimate * weight)
        box.of(weights).add_(weight)
    return torch.where(weights > 0, total / weights.clamp(min=1e-37), 0.0)


def check_said(role: str, parts: Sequence[Part]) -> None:
    """Raise `InputError` if in a step no prompt of a role counts."""
    by_step = zip(*(part.active for part in parts), strict=True)
    silent = [step for step, active in enumerate(by_step) if not any(active)]
    if silent:
        raise InputError(
            f"no {role} prompt counts in step {silent[0] + 1} of {len(parts[0].active)}: give one of them"
            " a range of time that holds it, or a strength above 0",
            code="no_prompt",
            input=role,
        )
