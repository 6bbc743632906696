"""Guidance: the denoiser that a sampler sees, made of the model and its prompts.

Symbols: `x` noisy latents with x = x0 + sigma * noise, `eps` and `v` the model's raw prediction.
The model itself reads x / sqrt(1 + sigma^2).
"""

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from engine.notices import notice
from nodes import fitting
from nodes.facts import ConditioningFacts
from nodes.values import PerturbedAttention
from nodes.widgets import PredictionType

from . import asking, combining, control, predictions
from .guides import Guide
from .perturbing import straightened
from .places import anchor
from .regions import Part, averaged, cropped
from .samplers import Denoiser
from .schedules import Schedule
from .shortage import Remedy, relieved

REPEATS = 4
"""Prompts are brought to one length as long as that repeats none of them more often."""


def fit(
    embeddings: Tensor, shape: Sequence[int], model: Any, role: str, *, origin: str = "latents"
) -> Tensor:
    """A prompt's embeddings, one for each of the latents, where and as the model reads them.

    Args:
        embeddings: (1 or B, tokens, width).
        shape: The latents' (B, C, h, w).
        model: A diffusers UNet2DConditionModel.
        role: "positive" or "negative", for the message.
        origin: The input that the latents came by, for the message.

    Raises:
        InputError: Latents or embeddings do not fit the model or each other.
    """
    prompt = ConditioningFacts(embeddings.shape[0], embeddings.shape[-1])
    fitting.check_channels(shape[1], model.config.out_channels, origin)
    fitting.check_text_width(prompt.width, model.config.cross_attention_dim, role)
    fitting.check_prompts(prompt, shape[0], role)
    return embeddings.to(anchor(model)).expand(shape[0], -1, -1)


def classifier_free(
    model: Any,
    schedule: Schedule,
    positive: Guide,
    negative: Guide | None,
    *,
    guidance_scale: float,
    prediction_type: PredictionType,
) -> Denoiser:
    """The model's estimate of x0 under classifier-free guidance (Ho and Salimans 2022, eq. 6, arXiv:2207.12598).

    One call of the model serves both prompts. Without a negative one the guidance scale means
    nothing, and the model is asked for the positive one only.
    """
    always = (True,) * schedule.steps
    roles = {"positive": (Part(positive, always),)}
    if negative is not None:
        roles["negative"] = (Part(negative, always),)
    return guided(
        model, schedule, roles, guidance_scale=guidance_scale, prediction_type=prediction_type
    )


def guided(
    model: Any,
    schedule: Schedule,
    roles: Mapping[str, tuple[Part, ...]],
    *,
    guidance_scale: float,
    prediction_type: PredictionType,
    rules: asking.Rules = (),
    remedies: Sequence[Remedy] = (),
) -> Denoiser:
    """The model's estimate of x0 under guidance by any of the rules.

    What can be asked in one call of the model is, as long as the memory suffices.

    Args:
        model: A diffusers UNet2DConditionModel.
        schedule: The run's.
        roles: The prompts, by the words that `asking.asked` gives.
        guidance_scale: See `combining.combined`.
        prediction_type: What the model's output means.
        rules: Those of the model, one of each kind.
        remedies: What makes room in memory: the first before calls are divided, others after.

    Raises:
        MemoryError: A call is too much for the memory, whatever was tried.
    """
    # Made once: a timestep made in the loop would wait for the device.
    place = anchor(model)
    timesteps = torch.tensor(schedule.timesteps, dtype=torch.float32, device=place.device)
    perturbed = asking.rule_of(rules, PerturbedAttention)
    voices = _Voices(roles, _Asker(model, remedies), prediction_type)

    def denoise(x: Tensor, step: int, sigma: float | None = None) -> Tensor:
        if sigma is None:
            sigma, timestep = schedule.sigmas[step], timesteps[step]
        else:
            timestep = timesteps.new_tensor(schedule.clock(sigma))
        scaled = predictions.scaled(x, sigma, prediction_type).to(place.dtype)
        now = _Moment(x, scaled, step, sigma, timestep)
        wanted = asking.asked(rules, sigma, has_negative="negative" in roles)
        outputs = voices.spoken(tuple(name for name in wanted if name != "perturbed"), now)
        if perturbed is not None:
            with straightened(model, perturbed.layers):
                outputs["perturbed"] = voices.spoken(("positive",), now)["positive"]
        output = combining.combined(
            rules, outputs, guidance_scale, x=x, sigma=sigma, prediction_type=prediction_type
        )
        estimate = predictions.denoised(output, x, sigma, prediction_type)
        return combining.thresholded(rules, estimate)

    return denoise


def bounded(denoise: Denoiser, schedule: Schedule) -> Denoiser:
    """The denoiser of a latent consistency model; see `predictions.bounded`."""

    def within(x: Tensor, step: int, sigma: float | None = None) -> Tensor:
        timestep = schedule.timesteps[step] if sigma is None else schedule.clock(sigma)
        return predictions.bounded(denoise(x, step, sigma), x, timestep)

    return within


class _Moment(NamedTuple):
    """Where a run is when the model is asked."""

    x: Tensor
    scaled: Tensor
    """What the model reads of `x`."""
    step: int
    sigma: float
    timestep: Tensor


@dataclass(frozen=True, eq=False)
class _Voices:
    """What the model says to each role's prompts."""

    roles: Mapping[str, tuple[Part, ...]]
    asker: "_Asker"
    prediction_type: PredictionType

    def spoken(self, names: tuple[str, ...], now: _Moment) -> dict[str, Tensor]:
        """The model's output for each role, of all the prompts that act in it."""
        acting = {
            name: [part for part in self.roles[name] if part.active[now.step]] for name in names
        }
        parts = [part for name in names for part in acting[name]]
        outputs = self.asker(parts, now.scaled, now.timestep, now.step)
        return {
            name: self._joined(acting[name], [outputs.pop(0) for _ in acting[name]], now)
            for name in names
        }

    def _joined(self, parts: list[Part], outputs: list[Tensor], now: _Moment) -> Tensor:
        if len(outputs) == 1 and parts[0].weight is None:
            return outputs[0]
        x, sigma, kind = now.x, now.sigma, self.prediction_type
        estimates = [
            predictions.denoised(output, x if part.box is None else part.box.of(x), sigma, kind)
            for part, output in zip(parts, outputs, strict=True)
        ]
        return combining.raw(averaged(parts, estimates, x), x, sigma, kind)


@dataclass(frozen=True, eq=False)
class _Call:
    """One call of the model: the batch once for each of its roles."""

    guide: Guide
    roles: int = 1

    def __call__(self, model: Any, x: Tensor, timestep: Tensor, step: int, rows: int) -> Tensor:
        """The model's output, asked for at most so many rows at a time."""
        inputs = x if self.roles == 1 else torch.cat([x] * self.roles)
        if len(inputs) <= rows:
            return _asked(model, self.guide, inputs, timestep, step)
        parts = [slice(at, at + rows) for at in range(0, len(inputs), rows)]
        return torch.cat(
            [_asked(model, self.guide.rows(some), inputs[some], timestep, step) for some in parts]
        )


def _asked(model: Any, guide: Guide, inputs: Tensor, timestep: Tensor, step: int) -> Tensor:
    extras = guide.extras
    added = control.residuals(
        guide.controls, inputs, timestep, guide.embeddings, step, added=extras.added
    )
    output: Tensor = model(
        extras.beside_latents(inputs),
        timestep,
        encoder_hidden_states=guide.embeddings,
        class_labels=extras.labels,
        timestep_cond=extras.guidance,
        added_cond_kwargs=extras.added,
        down_block_additional_residuals=added and added.down,
        mid_block_additional_residual=added and added.mid,
        return_dict=False,
    )[0]
    return output


class _Asker:
    """Asks the model for several prompts, in as few calls as it can. Calls are made up once.

    One that is too much for the memory is asked in halves, as are those after it.
    """

    def __init__(self, model: Any, remedies: Sequence[Remedy]) -> None:
        self.model = model
        self.made: dict[tuple[int, ...], list[_Call]] = {}
        self.rows = sys.maxsize
        self.remedies = remedies

    def _answer(self, call: _Call, x: Tensor, timestep: Tensor, step: int) -> Tensor:
        def halved() -> bool:
            rows = min(self.rows, call.roles * len(x))
            if rows == 1:
                return False
            self.rows = (rows + 1) // 2
            notice(
                f"a call of the model is too much for the memory: it takes {self.rows} latents at a time"
            )
            return True

        return relieved(
            lambda: call(self.model, x, timestep, step, self.rows),
            (*self.remedies[:1], halved, *self.remedies[1:]),
            f"out of memory on {anchor(self.model).device} at latents of {x.shape[-1]}x{x.shape[-2]}, although the"
            " model was asked for one at a time",
        ).float()

    def __call__(
        self, parts: Sequence[Part], x: Tensor, timestep: Tensor, step: int
    ) -> list[Tensor]:
        """The model's outputs for each of the parts, in float32."""
        whole = [part for part in parts if part.box is None]
        key = tuple(map(id, whole))
        if key not in self.made:
            self.made[key] = _calls([part.guide for part in whole])
        outputs: list[Tensor] = []
        for call in self.made[key]:
            outputs += self._answer(call, x, timestep, step).chunk(call.roles)
        found = []
        for part in parts:
            if part.box is None:
                found.append(outputs.pop(0))
            else:
                call = _Call(cropped(part.guide, part.box))
                found.append(self._answer(call, part.box.of(x), timestep, step))
        return found


def _calls(guides: Sequence[Guide]) -> list[_Call]:
    """The calls whose results, divided by their roles, are the predictions in order."""
    apart = [_Call(guide) for guide in guides]
    if len(guides) < 2:
        return apart
    first, *others = guides
    controls = [[item.control for item in guide.controls] for guide in guides]
    if not all(control.same(controls[0], other) for other in controls[1:]):
        return apart
    lengths = [guide.embeddings.shape[1] for guide in guides]
    common = math.lcm(*lengths)
    if common > REPEATS * min(lengths):
        return apart
    # Attention over keys of which each stands k times is attention over the keys themselves.
    together = torch.cat(
        [guide.embeddings.repeat(1, common // guide.embeddings.shape[1], 1) for guide in guides]
    )
    acting = tuple(item.for_roles(len(guides)) for item in first.controls)
    extras = first.extras
    for other in others:
        extras = extras.and_then(other.extras)
    return [_Call(Guide(together, acting, extras), roles=len(guides))]
