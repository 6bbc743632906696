"""The autoencoder: pictures to latents an eighth as wide, and back."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor
from torch.nn import functional

from nodes.starter.scenes import Facts
from nodes.starter.training import Budget, Training, cosine

SCALE: Final = 0.18215  # the family's; `standardise` makes the latents fit it
NARROW: Final = (32, 32, 64, 64)
WIDTHS: Final = (64, 32, 64, 64)

Report: TypeAlias = Callable[[str], None]


@dataclass(frozen=True)
class Cache:
    """Latents of drawn scenes: means and deviations (N, 4, 16, 16), and the scenes' facts."""

    means: Tensor
    deviations: Tensor
    facts: Sequence[Facts]

    @functools.cached_property
    def shapes(self) -> list[int]:
        """The rows that are plain shapes."""
        return [i for i, facts in enumerate(self.facts) if facts["subject"] == "shape"]

    def draw(self, rows: Sequence[int], generator: torch.Generator) -> Tensor:
        """Latents sampled from the autoencoder's posterior, in the family's scale."""
        index = torch.tensor(rows)
        noise = torch.randn(self.means[index].shape, generator=generator)
        return (self.means[index] + self.deviations[index] * noise) * SCALE


def create(widths: tuple[int, ...] = WIDTHS, *, seed: int = 1) -> AutoencoderKL:
    """An untrained autoencoder in the family's structure."""
    with torch.random.fork_rng(devices=[]):
        torch.set_rng_state(torch.Generator("cpu").manual_seed(seed).get_state())
        model: AutoencoderKL = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * len(widths),
            up_block_types=("UpDecoderBlock2D",) * len(widths),
            block_out_channels=widths,
            layers_per_block=1,
            latent_channels=4,
            norm_num_groups=32,
            sample_size=128,
            scaling_factor=SCALE,
        )
    with torch.no_grad():
        weights = dict(model.named_parameters())
        weights["quant_conv.weight"][4:] *= 0.1
        weights["quant_conv.bias"][4:] = -6.0  # begin nearly without noise, or nothing gets through
    return model


def to_tensor(pixels: Tensor) -> Tensor:
    """Pixels (B, H, W, 3) of 0-255 as a picture (B, 3, H, W) in -1..1."""
    return pixels.permute(0, 3, 1, 2).float().div(127.5).sub(1)


def reconstruction_loss(model: AutoencoderKL, x: Tensor, generator: torch.Generator) -> Tensor:
    """The loss of pictures (B, 3, H, W) that go through the latents, and the latents' KL."""
    with torch.autocast("cpu", torch.bfloat16):  # two thirds of the time of float32
        posterior = model.encode(x).latent_dist
        mean, logvar = posterior.mean.float(), posterior.logvar.float()
        noise = torch.randn(mean.shape, generator=generator)
        z = mean + (0.5 * logvar).exp() * noise
        y = model.decode(z).sample.float()
    kl: Tensor = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).mean()
    return likeness_loss(y, x) + 2e-4 * kl


def likeness_loss(y: Tensor, x: Tensor) -> Tensor:
    """How unlike pictures y are to x (B, 3, H, W): in pixels, their gradients and coarse colour."""
    error = y - x
    across, down = error[..., 1:] - error[..., :-1], error[..., 1:, :] - error[..., :-1, :]
    edges = across.abs().mean() + down.abs().mean()
    coarse = functional.avg_pool2d(error, 4).abs().mean()
    return error.abs().mean() + 0.5 * (error**2).mean() + 0.5 * (edges + coarse)


@torch.no_grad()
def psnr(model: AutoencoderKL, x: Tensor) -> float:
    """Peak signal to noise ratio in dB of the pictures' reconstructions, averaged."""
    parts = [
        model.decode(model.encode(p).latent_dist.mode()).sample.clamp(-1, 1)
        for p in torch.split(x, 8)
    ]
    error = ((torch.cat(parts) - x) / 2).pow(2).mean((1, 2, 3))
    return float((-10 * error.log10()).mean())


def train(model: AutoencoderKL, pixels: Tensor, path: Path, budget: Budget, report: Report) -> None:
    """Train on pixels (N, 128, 128, 3): crops for three quarters of the time, then the whole."""
    training = Training(path, {"vae": (model, 1.0)}, 3e-3, budget, seed=2)
    held_out, pixels = to_tensor(pixels[:32]), pixels[32:]
    crop, batch = 48, 8
    while training.progress < 1:
        rng = training.rng
        whole = training.progress > 0.6
        rows = [rng.randrange(len(pixels)) for _ in range(4 if whole else batch)]
        if whole:
            chosen = pixels[rows]
        else:
            side = pixels.shape[1] - crop
            corners = [(rng.randint(0, side), rng.randint(0, side)) for _ in rows]
            chosen = torch.stack(
                [
                    pixels[i, a : a + crop, b : b + crop]
                    for i, (a, b) in zip(rows, corners, strict=True)
                ]
            )
        x = to_tensor(chosen)
        loss = functools.partial(reconstruction_loss, model, x, training.generator)
        training.descend([loss], cosine(training.progress, training.step))
        if training.save_sometimes() or training.step % 200 == 0:
            with training.averaged():
                quality = psnr(model, held_out)
            report(f"autoencoder {training.step}: loss {training.recent:.4f}, {quality:.1f} dB")
    training.save()
    training.keep_averages()


def refine(
    model: AutoencoderKL,
    cache: Cache,
    pixels: Tensor,
    path: Path,
    budget: Budget,
    *,
    report: Report,
) -> None:
    """Train the decoder alone, on cached latents, which stay what they are."""
    names = ("decoder", "post_quant_conv")
    parts = {name: (model.get_submodule(name).requires_grad_(True), 1.0) for name in names}
    training = Training(path, parts, 2e-3, budget, seed=10)
    held_out = to_tensor(pixels[:32])
    shares = min(2, os.cpu_count() or 1)

    def loss(z: Tensor, x: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            y = model.decode(z).sample.float()
        return likeness_loss(y, x)

    while training.progress < 1:
        losses = []
        for _ in range(shares):
            rows = [training.rng.randrange(32, len(pixels)) for _ in range(4 // shares)]
            z = cache.draw(rows, training.generator)
            z += 0.04 * torch.randn(
                z.shape, generator=training.generator
            )  # a denoiser is not exact
            losses.append(functools.partial(loss, z / SCALE, to_tensor(pixels[rows])))
        training.descend(losses, cosine(training.progress, training.step, flat=0.2))
        if training.step % 100 == 0:
            with training.averaged():
                quality = psnr(model, held_out)
            report(f"decoder {training.step}: loss {training.recent:.4f}, {quality:.1f} dB")
        training.save_sometimes()
    training.save()
    training.keep_averages()


@torch.no_grad()
def encode(model: AutoencoderKL, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (N, 4, 16, 16) of the latents of pixels (N, 128, 128, 3)."""
    means, deviations = [], []
    for part in torch.split(pixels, 16):
        with torch.autocast("cpu", torch.bfloat16):
            posterior = model.encode(to_tensor(part)).latent_dist
        means.append(posterior.mean.float())
        deviations.append(posterior.std.float())
    return torch.cat(means), torch.cat(deviations)


@torch.no_grad()
def standardise(model: AutoencoderKL, pixels: Tensor) -> None:
    """Fold a shift and scale into the 1 x 1 convolutions: latents times `SCALE` get unit std."""
    means, _ = encode(model, pixels)
    shift, spread = means.mean((0, 2, 3)), means.std((0, 2, 3)) * SCALE
    weights: dict[str, Tensor] = dict(model.named_parameters())
    weights["post_quant_conv.bias"] += weights["post_quant_conv.weight"][:, :, 0, 0] @ shift
    weights["post_quant_conv.weight"] *= spread[None, :, None, None]
    weights["quant_conv.bias"][:4] -= shift
    weights["quant_conv.bias"][:4] /= spread
    weights["quant_conv.weight"][:4] /= spread[:, None, None, None]
    weights["quant_conv.bias"][4:] -= 2 * spread.log()


@torch.no_grad()
def widen(narrow: AutoencoderKL, wide: AutoencoderKL, noise: float = 0.1) -> None:
    """Give `wide`, whose first level has twice the channels, the function of `narrow`.

    Each channel is doubled and its outgoing weights halved (Chen et al. 2016, arXiv:1511.05641).
    With 32 groups of one channel a norm forgets every channel's mean, and with it the colours, so
    the narrow model is only a cheap beginning. Noise tells the twins apart.
    """
    generator = torch.Generator("cpu").manual_seed(9)
    known = narrow.state_dict()
    for name, target in wide.state_dict().items():
        if name in known:
            value = known[name]
            for axis in range(value.ndim):
                if target.shape[axis] == 2 * value.shape[axis]:
                    value = value.repeat_interleave(2, axis) / (2 if axis == 1 else 1)
        elif target.ndim == 4:  # a shortcut, where the narrow model's widths were the same
            outputs, inputs = target.shape[:2]
            value = torch.eye(min(outputs, inputs))
            value = value.repeat_interleave(2, 0 if outputs > inputs else 1)
            value = value[:, :, None, None] / max(1, inputs // outputs)
        else:
            value = torch.zeros_like(target)
        doubled = name not in known or value.shape != known[name].shape
        if doubled and target.ndim == 4:
            spread = noise * value.std()
            value = value + spread * torch.randn(value.shape, generator=generator)
        target.copy_(value)
