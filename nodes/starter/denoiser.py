"""The denoiser: the UNet, and its training on cached latents together with the text model."""

from __future__ import annotations

import functools
import math
import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import torch
from diffusers.models.attention_processor import AttnProcessor
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextModel

from nodes.starter import captions, reader, sampling
from nodes.starter.autoencoder import Cache
from nodes.starter.reader import FactHeads
from nodes.starter.scenes import ATTRIBUTES
from nodes.starter.training import Budget, Training, cosine

Report: TypeAlias = Callable[[str], None]

WIDTHS: Final = (64, 96, 128, 96)
BATCH: Final = 32
HELD_OUT: Final = 192
SHAPES: Final = 0.3  # share of plain shapes beyond their own: outlines are the hardest to learn
EMPTY: Final = 0.1  # share of empty captions, for classifier-free guidance
_BINS: Final = 25


def create(widths: tuple[int, ...] = WIDTHS, *, seed: int = 5) -> UNet2DConditionModel:
    """An untrained UNet of SD 1.x's block types, small enough for a CPU."""
    with torch.random.fork_rng(devices=[]):
        torch.set_rng_state(torch.Generator("cpu").manual_seed(seed).get_state())
        model: UNet2DConditionModel = UNet2DConditionModel(
            sample_size=16,
            block_out_channels=widths,
            layers_per_block=1,
            cross_attention_dim=reader.WIDTH,
            attention_head_dim=8,
            norm_num_groups=32,
        )
    # Fused attention's backward pass takes half of the time of a step on a CPU with heads this small.
    model.set_attn_processor(AttnProcessor())
    return model


@dataclass
class Batch:
    """What one share of a step trains on; `losses` are filled in by it."""

    rows: list[int]
    ids: Tensor
    said: Tensor
    x: Tensor
    eps: Tensor
    timesteps: Tensor
    losses: Tensor

    @classmethod
    def draw(cls, cache: Cache, training: Training, size: int) -> Batch:
        """Random latents with fresh captions, and timesteps spread evenly (stratified)."""
        rng, generator = training.rng, training.generator
        known = range(len(cache.facts) - HELD_OUT)
        shapes = [i for i in cache.shapes if i in known]
        rows = [rng.choice(shapes if rng.random() < SHAPES else known) for _ in range(size)]
        pairs = [captions.caption(cache.facts[i], rng) for i in rows]
        pairs = [("", {}) if rng.random() < EMPTY else pair for pair in pairs]
        x = cache.draw(rows, generator)
        spread = (torch.arange(size) + torch.rand(size, generator=generator)) / size
        return cls(
            rows=rows,
            ids=reader.tokens([caption for caption, _ in pairs]),
            said=reader.labels([said for _, said in pairs]),
            x=x,
            eps=torch.randn(x.shape, generator=generator),
            timesteps=(spread * sampling.TIMESTEPS).long().clamp(0, sampling.TIMESTEPS - 1),
            losses=torch.zeros(size),
        )


class BinnedWeights:
    """Weights that make every range of timesteps count the same: 1 / its running loss."""

    def __init__(self, running: Tensor | None = None) -> None:
        """Starts from a guess of the losses, so that the first steps are balanced too."""
        guess = torch.linspace(math.log(0.3), math.log(0.004), _BINS).exp()
        self.running = guess if running is None else running

    def weighted(self, losses: Tensor, timesteps: Tensor) -> Tensor:
        """The mean of losses (B), weighted."""
        bins = timesteps * _BINS // sampling.TIMESTEPS
        return (losses / self.running[bins].clamp_min(0.002)).mean()

    def remember(self, timesteps: Tensor, losses: Tensor) -> None:
        """Take losses (B) into the running ones."""
        bins = timesteps * _BINS // sampling.TIMESTEPS
        for i, loss in zip(bins.tolist(), losses, strict=True):
            self.running[i] += 0.02 * (loss - self.running[i])


def predict(unet: UNet2DConditionModel, x: Tensor, timesteps: Tensor, text: Tensor) -> Tensor:
    """The UNet's eps; bfloat16 inside, which takes half of the time of float32."""
    with torch.autocast("cpu", torch.bfloat16):
        eps: Tensor = unet(x, timesteps, text).sample
    return eps.float()


def train(
    models: tuple[UNet2DConditionModel, CLIPTextModel, FactHeads],
    cache: Cache,
    path: Path,
    budget: Budget,
    *,
    report: Report,
    preview: Callable[[], None],
) -> None:
    """Train UNet and text model together; reports losses and how much wrong captions cost."""
    unet, text, heads = models
    parts = {"unet": (unet, 1.0), "text": (text, 0.3), "heads": (heads, 0.3)}
    training = Training(path, parts, 3e-3, budget, seed=6)
    weights = BinnedWeights(training.extra.get("running"))
    training.extra["running"] = weights.running
    shares = min(2, os.cpu_count() or 1)
    while training.progress < 1:
        batches = [Batch.draw(cache, training, BATCH // shares) for _ in range(shares)]
        losses = [functools.partial(_loss, models, batch, weights) for batch in batches]
        training.descend(losses, cosine(training.progress, training.step, flat=0.4))
        for batch in batches:
            weights.remember(batch.timesteps, batch.losses)
        if training.step % 20 == 0:
            report(f"denoiser {training.step}: loss {training.recent:.3f}")
        if training.step % 400 == 0:
            with training.averaged():
                ratios = swap_ratios(unet, text, cache)
                preview()
            shown = ", ".join(f"{name} {ratio:.3f}" for name, ratio in ratios.items())
            report(f"denoiser {training.step}: loss {training.recent:.3f}; swapped: {shown}")
        training.save_sometimes()
    training.save()
    training.keep_averages()


def _loss(
    models: tuple[UNet2DConditionModel, CLIPTextModel, FactHeads],
    batch: Batch,
    weights: BinnedWeights,
) -> Tensor:
    unet, text, heads = models
    states = text(batch.ids).last_hidden_state
    x = sampling.noised(batch.x, batch.eps, batch.timesteps)
    guess = predict(unet, x, batch.timesteps, states)
    losses = (guess - batch.eps).pow(2).mean((1, 2, 3))
    batch.losses = losses.detach()
    return weights.weighted(losses, batch.timesteps) + 0.2 * heads.loss(
        states, batch.ids, batch.said
    )


@torch.no_grad()
def swap_ratios(
    unet: UNet2DConditionModel, text: CLIPTextModel, cache: Cache
) -> Mapping[str, float]:
    """How many times greater the loss on unseen latents is when one word of a caption is wrong.

    It shows what the model has understood long before its pictures do; 1 is nothing.
    """
    generator = torch.Generator("cpu").manual_seed(7)
    ratios = {}
    for name in ("house place", "balloon place", "light place", "house colour", "shape"):
        rows = [
            i
            for i in range(len(cache.facts) - HELD_OUT, len(cache.facts))
            if name in cache.facts[i]
        ]
        rows = rows[:32]
        values = ATTRIBUTES[name]
        right = [cache.facts[i] for i in rows]
        wrong = [f | {name: values[(values.index(f[name]) + 1) % len(values)]} for f in right]
        x = cache.draw(rows, generator)
        eps = torch.randn(x.shape, generator=generator)
        timesteps = torch.linspace(500, 950, len(rows)).long()
        losses = []
        for facts in (right, wrong):
            rng = random.Random(8)  # noqa: S311 - the same words for both
            texts = [captions.caption(f, rng, full=True)[0] for f in facts]
            states = text(reader.tokens(texts)).last_hidden_state
            guess = predict(unet, sampling.noised(x, eps, timesteps), timesteps, states)
            losses.append(float((guess - eps).pow(2).mean()))
        ratios[name] = losses[1] / losses[0]
    return ratios
