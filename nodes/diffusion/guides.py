"""Prompts as one model reads them: embeddings, and what its family reads beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from nodes import brought
from nodes.facts import EmbeddingFacts, PixelFacts, of_pixels
from nodes.values import Conditioning, Framing, Spread

from . import unclip
from .control import ActiveControl
from .families import SCALE
from .places import anchor

_AESTHETIC = {"negative": 2.5}
_PRETTY = 6.0


@dataclass(frozen=True, eq=False)
class Extras:
    """What a model reads beside latents, clock and prompt, one row for each latent; None is not asked for."""

    beside: Tensor | None = None
    """(B, C, h, w): the channels behind those of the latents."""
    labels: Tensor | None = None
    """(B,) noise levels, or (B, n) what pictures say."""
    pooled: Tensor | None = None
    """(B, n)"""
    time_ids: Tensor | None = None
    """(B, 5 or 6): SDXL's sizes."""
    guidance: Tensor | None = None
    """(B, n): the guidance scale, for a model that was taught to follow it (arXiv:2210.03142)."""

    def and_then(self, other: "Extras") -> "Extras":
        """The rows of both, for one call."""
        joined = {}
        for field in fields(self):
            ours, theirs = getattr(self, field.name), getattr(other, field.name)
            joined[field.name] = None if ours is None else torch.cat([ours, theirs])
        return Extras(**joined)

    def rows(self, some: slice) -> "Extras":
        """Those of some latents of a call."""
        held = {field.name: getattr(self, field.name) for field in fields(self)}
        return Extras(**{name: None if each is None else each[some] for name, each in held.items()})

    def beside_latents(self, x: Tensor) -> Tensor:
        """The model's whole input."""
        return x if self.beside is None else torch.cat([x, self.beside], dim=1)

    @property
    def added(self) -> dict[str, Tensor] | None:
        """What SDXL's UNet and ControlNets read beside the prompt."""
        if self.pooled is None or self.time_ids is None:
            return None
        return {"text_embeds": self.pooled, "time_ids": self.time_ids}


@dataclass(frozen=True, eq=False)
class Guide:
    """A prompt as the model reads it: (B, tokens, width) on its device and in its dtype."""

    embeddings: Tensor
    controls: tuple[ActiveControl, ...] = ()
    extras: Extras = Extras()

    def rows(self, some: slice) -> "Guide":
        """The prompts of some latents of a call."""
        controls = tuple(replace(each, hint=each.hint[some]) for each in self.controls)
        return Guide(self.embeddings[some], controls, self.extras.rows(some))


def extras(
    conditioning: Conditioning,
    model: Any,
    shape: Sequence[int],
    role: str,
    *,
    scale: float = 1.0,
    spread: Spread | None = None,
) -> Extras:
    """What a model reads of a conditioning beside its embeddings.

    Args:
        conditioning: Of one prompt.
        model: A diffusers UNet2DConditionModel.
        shape: The latents' (B, C, h, w).
        role: "positive", "negative" or a further one, for defaults and messages.
        scale: The guidance scale, for models that read it.
        spread: The statistics that an unCLIP model brings, if it does.

    Raises:
        InputError: The model needs something that the conditioning lacks, or that does not fit.
    """
    config, batch = model.config, shape[0]

    def placed(tensor: Tensor) -> Tensor:
        return tensor.to(anchor(model))

    def rows(tensor: Tensor) -> Tensor:
        return placed(tensor).expand(batch, *tensor.shape[1:])

    pooled = time_ids = guidance = None
    if config.addition_embed_type == "text_time":
        given = conditioning.pooled
        brought.check_pooled(None if given is None else given.shape[-1], config, role)
        if given is not None:
            pooled = rows(given)
            time_ids = placed(_time_ids(conditioning, config, shape, role, given.shape[-1])).repeat(
                batch, 1
            )
    if config.time_cond_proj_dim is not None:
        wave = unclip.waves(
            torch.tensor([1000 * (scale - 1)]), config.time_cond_proj_dim, cosines_first=False
        )
        guidance = rows(wave)
    beside = _beside(conditioning, config, shape, role)
    return Extras(
        None if beside is None else rows(beside),
        _labels(conditioning, model, batch, role, spread),
        pooled,
        time_ids,
        guidance,
    )


def _beside(
    conditioning: Conditioning, config: Mapping[str, Any], shape: Sequence[int], role: str
) -> Tensor | None:
    missing = config["in_channels"] - shape[1]
    given = conditioning.beside
    if missing <= 0:
        brought.check_unread(None if given is None else given.shape[1], 0, role)
        return None
    if given is None and brought.is_optional(missing, role):
        return torch.zeros(1, missing, *shape[2:])
    said = None if given is None else (given.shape[1], of_pixels(given))
    brought.check_beside(said, missing, PixelFacts(shape[0], shape[2], shape[3]), role)
    return given


def _labels(
    conditioning: Conditioning, model: Any, batch: int, role: str, spread: Spread | None
) -> Tensor | None:
    config = model.config
    if config.class_embed_type != "projection":
        brought.check_unread(None, len(conditioning.images), role)
    if config.num_class_embeds is not None:
        brought.check_noise_level(conditioning.noise_level, config.num_class_embeds, role)
        return torch.tensor([conditioning.noise_level] * batch, device=anchor(model).device)
    if config.class_embed_type != "projection":
        return None
    width = config.projection_class_embeddings_input_dim
    for image in conditioning.images:
        brought.check_image(EmbeddingFacts(*image.embedding.shape), width // 2, batch, role)
    label = unclip.label(conditioning.images, width, spread)
    return label.expand(batch, -1).to(anchor(model))


def _time_ids(
    conditioning: Conditioning,
    config: Mapping[str, Any],
    shape: Sequence[int],
    role: str,
    pooled: int,
) -> Tensor:
    """Original size, crop, and target size or else the aesthetic score (arXiv:2307.01952, section 2.2)."""
    height, width = shape[2] * SCALE, shape[3] * SCALE
    framing = conditioning.framing or Framing(width, height)
    numbers: list[float] = [framing.height, framing.width, framing.top, framing.left]
    if brought.reads_aesthetic(pooled, config):
        score = conditioning.aesthetic
        numbers.append(_AESTHETIC.get(role, _PRETTY) if score is None else score)
    else:
        numbers += [framing.target_height or height, framing.target_width or width]
    return torch.tensor([numbers])
