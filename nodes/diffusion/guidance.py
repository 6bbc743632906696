"""Guidance: the denoiser that a sampler sees, made of the model and its prompts.

Symbols: `x` noisy latents with x = x0 + sigma * noise, `eps` and `v` the model's raw prediction.
The model itself reads x / sqrt(1 + sigma^2).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nodes import fitting
from nodes.facts import ConditioningFacts
from nodes.values import PredictionType

from . import control, predictions
from .control import ActiveControl
from .samplers import Denoiser
from .schedules import Schedule

REPEATS = 4
"""Prompts are brought to one length as long as that repeats none of them more often."""


@dataclass(frozen=True, eq=False)
class Guide:
    """A prompt as the model reads it: (B, tokens, width) on its device and in its dtype."""

    embeddings: Tensor
    controls: tuple[ActiveControl, ...] = ()


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
    fitting.check_channels(shape[1], model.config.in_channels, origin)
    fitting.check_text_width(prompt.width, model.config.cross_attention_dim, role)
    fitting.check_prompts(prompt, shape[0], role)
    return embeddings.to(model.device, model.dtype).expand(shape[0], -1, -1)


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
    calls = [_Call(positive)] if negative is None else _calls(positive, negative)
    # Made once: a timestep made in the loop would wait for the device.
    timesteps = torch.tensor(schedule.timesteps, dtype=torch.float32, device=model.device)
    dtype = model.dtype

    def denoise(x: Tensor, step: int, sigma: float | None = None) -> Tensor:
        if sigma is None:
            sigma, timestep = schedule.sigmas[step], timesteps[step]
        else:
            timestep = timesteps.new_tensor(schedule.clock(sigma))
        scaled = predictions.scaled(x, sigma, prediction_type).to(dtype)
        predicted = [call(model, scaled, timestep, step) for call in calls]
        output = predicted[0] if len(predicted) == 1 else torch.cat(predicted)
        output = output.float()
        if negative is not None:
            away, toward = output.chunk(2)
            output = torch.lerp(away, toward, guidance_scale)
        return predictions.denoised(output, x, sigma, prediction_type)

    return denoise


@dataclass(frozen=True, eq=False)
class _Call:
    """One call of the model: the batch once for each of its roles."""

    guide: Guide
    roles: int = 1

    def __call__(self, model: Any, x: Tensor, timestep: Tensor, step: int) -> Tensor:
        inputs = x if self.roles == 1 else torch.cat([x] * self.roles)
        added = control.residuals(
            self.guide.controls, inputs, timestep, self.guide.embeddings, step
        )
        output: Tensor = model(
            inputs,
            timestep,
            encoder_hidden_states=self.guide.embeddings,
            down_block_additional_residuals=added and added.down,
            mid_block_additional_residual=added and added.mid,
            return_dict=False,
        )[0]
        return output


def _calls(positive: Guide, negative: Guide) -> list[_Call]:
    """The calls whose results, joined, are first the negative and then the positive predictions."""
    apart = [_Call(negative), _Call(positive)]
    if not control.same(
        [item.control for item in positive.controls], [item.control for item in negative.controls]
    ):
        return apart
    lengths = positive.embeddings.shape[1], negative.embeddings.shape[1]
    common = math.lcm(*lengths)
    if common > REPEATS * min(lengths):
        return apart
    # Attention over keys of which each stands k times is attention over the keys themselves.
    together = torch.cat(
        [
            guide.embeddings.repeat(1, common // guide.embeddings.shape[1], 1)
            for guide in (negative, positive)
        ]
    )
    return [_Call(Guide(together, tuple(item.for_roles(2) for item in positive.controls)), roles=2)]
