"""The ControlNet: edges that a picture shall follow, trained beside a fixed denoiser."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

import torch
from diffusers.models.attention_processor import AttnProcessor
from diffusers.models.controlnets.controlnet import ControlNetModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor
from torch.nn import functional
from transformers import CLIPTextModel

from nodes.diffusion import edges
from nodes.starter import reader, sampling
from nodes.starter.autoencoder import Cache
from nodes.starter.denoiser import Batch, BinnedWeights
from nodes.starter.training import Budget, Training, cosine

Report: TypeAlias = Callable[[str], None]

BATCH: Final = 24
THRESHOLDS: Final = ((0.05, 0.15), (0.1, 0.3), (0.4, 0.8))
"""Low and high ones of edges; the last are the CannyEdges node's own."""
EMPTY: Final = 0.5
"""Share of half batches whose captions are left out, so that the edges alone have to tell what is where."""


def create(unet: UNet2DConditionModel) -> ControlNetModel:
    """A ControlNet that begins as a copy of the UNet's first half and changes nothing yet."""
    net: ControlNetModel = ControlNetModel.from_unet(unet)
    net.set_attn_processor(AttnProcessor())
    return net


def edges_of(pixels: Tensor, thresholds: tuple[float, float] = THRESHOLDS[0]) -> Tensor:
    """Edges (B, 3, 128, 128) of 0-1 of pixels (B, 128, 128, 3), as the CannyEdges node draws them."""
    pictures = pixels.permute(0, 3, 1, 2).float() / 255
    return edges.canny(pictures, *thresholds, 1.0).float().expand(-1, 3, -1, -1)


def predict(
    models: tuple[ControlNetModel, UNet2DConditionModel],
    x: Tensor,
    timesteps: Tensor,
    states: Tensor,
    hint: Tensor,
) -> Tensor:
    """The UNet's eps under the ControlNet's guidance."""
    net, unet = models
    with torch.autocast("cpu", torch.bfloat16):
        down, middle = net(x, timesteps, states, hint, return_dict=False)
        eps: Tensor = unet(
            x,
            timesteps,
            states,
            down_block_additional_residuals=down,
            mid_block_additional_residual=middle,
        ).sample
    return eps.float()


def train(
    net: ControlNetModel,
    models: tuple[UNet2DConditionModel, CLIPTextModel],
    data: tuple[Cache, Tensor],
    path: Path,
    budget: Budget,
    *,
    report: Report,
) -> None:
    """Train on the cached latents and the edges of the pictures that they came from."""
    unet, text = models
    cache, pixels = data
    unet.requires_grad_(False)
    text.requires_grad_(False)
    training = Training(path, {"net": (net, 1.0)}, 3e-3, budget, seed=8, average=0.99)
    weights = BinnedWeights(training.extra.get("running"))
    training.extra["running"] = weights.running
    while training.progress < 1:
        losses, batches = [], []
        for _ in range(2):
            batch = Batch.draw(cache, training, BATCH // 2)
            hint = edges_of(pixels[batch.rows], training.rng.choice(THRESHOLDS))
            if training.rng.random() < EMPTY:
                batch.ids = reader.tokens([""] * len(batch.rows))
            batches.append(batch)
            losses.append(functools.partial(_loss, (net, unet), text, (batch, hint), weights))
        training.descend(losses, cosine(training.progress, training.step))
        for batch in batches:
            weights.remember(batch.timesteps, batch.losses)
        if training.step % 50 == 0:
            report(f"control {training.step}: loss {training.recent:.4f}")
        training.save_sometimes()
    training.save()
    training.keep_averages()


def agreement(first: Tensor, second: Tensor) -> float:
    """How well edges (B, C, H, W) agree: the mean F1 within two pixels."""
    a, b = (each[:, :1].float() for each in (first, second))
    near_a, near_b = (functional.max_pool2d(each, 5, 1, 2) for each in (a, b))
    precision = (a * near_b).sum((1, 2, 3)) / a.sum((1, 2, 3)).clamp_min(1)
    recall = (b * near_a).sum((1, 2, 3)) / b.sum((1, 2, 3)).clamp_min(1)
    f1 = 2 * precision * recall / (precision + recall).clamp_min(1e-6)
    return float(f1.mean())


def _loss(
    models: tuple[ControlNetModel, UNet2DConditionModel],
    text: CLIPTextModel,
    shown: tuple[Batch, Tensor],
    weights: BinnedWeights,
) -> Tensor:
    batch, hint = shown
    with torch.no_grad():
        states = text(batch.ids).last_hidden_state
    x = sampling.noised(batch.x, batch.eps, batch.timesteps)
    guess = predict(models, x, batch.timesteps, states, hint)
    losses = (guess - batch.eps).pow(2).mean((1, 2, 3))
    batch.losses = losses.detach()
    return weights.weighted(losses, batch.timesteps)
