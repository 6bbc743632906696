"""Predictions for several prompts made into one: guidance as formulas over the model's raw outputs.

Symbols: p, n, m, e and q are the outputs for the positive, the negative, a middle and an empty prompt, and
for the positive one with the self-attention switched off; w and s are guidance scales.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from nodes.values import (
    DualGuidance,
    DynamicThreshold,
    PerpendicularNegative,
    PerturbedAttention,
    RescaledGuidance,
    StaticThreshold,
)
from nodes.widgets import PredictionType

from . import predictions
from .asking import Rules, rule_of


def combined(
    rules: Rules,
    outputs: Mapping[str, Tensor],
    scale: float,
    *,
    x: Tensor,
    sigma: float,
    prediction_type: PredictionType,
) -> Tensor:
    """The guided output.

    Args:
        rules: Those of the model.
        outputs: The raw ones for what was `asked`.
        scale: The guidance scale s.
        x: The noisy latents.
        sigma: Their noise.
        prediction_type: What outputs mean.
    """
    positive = outputs["positive"]
    output = _guided(rules, outputs, scale)
    perturbed = rule_of(rules, PerturbedAttention)
    if perturbed is not None:  # Ahn et al. 2024, eq. 15: + w (p - q)
        output = output + perturbed.scale * (positive - outputs["perturbed"])
    rescaled = rule_of(rules, RescaledGuidance)
    if rescaled is None or output is positive:
        return output
    if rescaled.of == "prediction":
        return _rescaled(output, positive, rescaled.amount)
    pair = [velocity(each, x, sigma, prediction_type) for each in (output, positive)]
    return _unvelocity(_rescaled(pair[0], pair[1], rescaled.amount), x, sigma, prediction_type)


def _guided(rules: Rules, outputs: Mapping[str, Tensor], scale: float) -> Tensor:
    positive, negative = outputs["positive"], outputs.get("negative")
    if negative is None:
        return positive
    dual, perpendicular = rule_of(rules, DualGuidance), rule_of(rules, PerpendicularNegative)
    if dual is not None:  # Brooks et al. 2023, eq. 3: n + w (m - n) + s (p - m)
        middle = outputs["middle"]
        return negative + dual.scale * (middle - negative) + scale * (positive - middle)
    if perpendicular is not None:  # Armandpour et al. 2023, eq. 8
        empty = outputs["empty"]
        toward, away = positive - empty, negative - empty
        dims = tuple(range(1, toward.ndim))
        length = toward.square().sum(dims, keepdim=True)
        along = (away * toward).sum(dims, keepdim=True) / length.clamp(min=1e-12)
        return empty + scale * (toward - perpendicular.scale * (away - along * toward))
    return torch.lerp(negative, positive, scale)


def _rescaled(output: Tensor, positive: Tensor, amount: float) -> Tensor:
    """Lin et al. 2024, eq. 15 and 16: towards the standard deviation that the prompt's own output has."""
    dims = tuple(range(1, output.ndim))
    ratio = positive.std(dims, keepdim=True) / output.std(dims, keepdim=True)
    return torch.lerp(output, output * ratio, amount)


def thresholded(rules: Rules, denoised: Tensor) -> Tensor:
    """The estimate of x0 within bounds."""
    dynamic, static = rule_of(rules, DynamicThreshold), rule_of(rules, StaticThreshold)
    if dynamic is not None:  # Saharia et al. 2022, section 2.3
        flat = denoised.abs().flatten(1)
        bound = torch.quantile(flat, dynamic.percentile, dim=1).clamp(min=dynamic.floor)
        bound = bound.reshape(-1, *[1] * (denoised.ndim - 1))
        denoised = denoised.clamp(-bound, bound) * (dynamic.floor / bound)
    if static is not None:
        denoised = denoised.clamp(-static.limit, static.limit)
    return denoised


def raw(denoised: Tensor, x: Tensor, sigma: float, prediction_type: PredictionType) -> Tensor:
    """The output that means an estimate of x0."""
    if prediction_type == "sample":
        return denoised
    if prediction_type == "flow_prediction":
        return (x - (1 + sigma) * denoised) / sigma
    if prediction_type == "v_prediction":
        return (x / (1 + sigma**2) - denoised) * (math.sqrt(1 + sigma**2) / sigma)
    return (x - denoised) / sigma


def velocity(output: Tensor, x: Tensor, sigma: float, prediction_type: PredictionType) -> Tensor:
    """An output as v, whatever the model predicts."""
    if prediction_type == "v_prediction":
        return output
    return raw(predictions.denoised(output, x, sigma, prediction_type), x, sigma, "v_prediction")


def _unvelocity(v: Tensor, x: Tensor, sigma: float, prediction_type: PredictionType) -> Tensor:
    if prediction_type == "v_prediction":
        return v
    return raw(predictions.denoised(v, x, sigma, "v_prediction"), x, sigma, prediction_type)
