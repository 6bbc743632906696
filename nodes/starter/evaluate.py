"""Evaluation: prompts that were never seen, pictures made of them, and what the judge says."""

from __future__ import annotations

import functools
import os
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.controlnets.controlnet import ControlNetModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from PIL import Image, ImageDraw
from torch import Tensor
from transformers import CLIPTextModel

from nodes.starter import (
    autoencoder,
    captions,
    control,
    denoiser,
    drawing,
    export,
    judge,
    reader,
    sampling,
    scenes,
)
from nodes.starter.sampling import Denoiser
from nodes.starter.scenes import Facts

Report: TypeAlias = Callable[[str], None]
Scores: TypeAlias = dict[str, float]

PROMPTS: Final = 500
STEPS: Final = 20
_TOGETHER: Final = 25
SHOWN: Final = (
    "a red house at night, snow, a blue balloon",
    "a big yellow house on the left, summer day, mountains",
    "a purple balloon on the right, autumn sunset, trees",
    "a small blue house, spring day, trees, the sun on the left",
    "winter night, trees, the moon on the right",
    "a red balloon and a yellow house, at sunset",
    "a purple house on the left, a yellow balloon on the right, day",
    "mountains, summer sunset, the sun in the middle",
    "a big red house in the center, snow, pine trees",
    "a blue balloon on the left, high mountains, winter day",
    "a yellow house at night, in autumn, a full moon",
    "a red balloon on the right, a blue house on the left, spring",
    "a red heart on a white background",
    "a yellow star on a blue background",
    "a green triangle on the left, white background",
    "a purple house at sunset in the snow, a red balloon on the left",
    "a hot air balloon, autumn day, a forest",
    "a small red house on the right, mountains, starry night",
    "a white circle on the right, black background",
    "a blue square on a yellow background",
    "a big blue house at sunset, trees",
    "a yellow balloon in the middle, snow, mountains at sunset",
    "flowers, a red house in the middle, a purple balloon on the right",
    "a big purple house on the right, the moon on the left, summer",
)


@dataclass(frozen=True)
class Models:
    """A checkpoint's three parts, ready to make pictures."""

    unet: UNet2DConditionModel
    vae: AutoencoderKL
    text: CLIPTextModel

    @classmethod
    def load(cls, path: Path) -> Models:
        """The parts of a starter checkpoint in the original layout."""
        models = cls(denoiser.create(), autoencoder.create(), reader.create())
        export.read(path, "unet", models.unet)
        export.read(path, "vae", models.vae)
        export.read(path, "text_encoder", models.text)
        return models

    def pictures(self, prompts: Sequence[str], scale: float, seed: int = 0) -> list[Image.Image]:
        """A picture for each prompt; its noise depends on the seed and its place in the list."""
        generator = torch.Generator("cpu").manual_seed(seed)
        noise = torch.randn((len(prompts), 4, 16, 16), generator=generator)
        texts = [prompts[i : i + _TOGETHER] for i in range(0, len(prompts), _TOGETHER)]
        make = functools.partial(self.sample, self._predict, scale=scale)
        with ThreadPoolExecutor(
            os.cpu_count(), initializer=torch.set_num_threads, initargs=(1,)
        ) as pool:
            made = pool.map(make, texts, torch.split(noise, _TOGETHER))
            return [picture for pictures in made for picture in pictures]

    @torch.no_grad()
    def sample(
        self, predict: Denoiser, prompts: Sequence[str], noise: Tensor, scale: float
    ) -> list[Image.Image]:
        """A picture for each prompt, made from noise (B, 4, 16, 16) by the denoiser given."""
        positive = self._encode(prompts)
        negative = self._encode([""]).expand_as(positive)
        x = sampling.sample(predict, positive, negative, noise, steps=STEPS, scale=scale)
        with torch.autocast("cpu", torch.bfloat16):
            parts = [self.vae.decode(z / autoencoder.SCALE).sample for z in torch.split(x, 8)]
        y = torch.cat(parts).float().clamp(-1, 1).add(1).mul(127.5).round().byte()
        return [Image.fromarray(a) for a in y.permute(0, 2, 3, 1).numpy()]

    def _encode(self, texts: Sequence[str]) -> Tensor:
        states: Tensor = self.text(reader.tokens(texts)).last_hidden_state
        return states

    def _predict(self, x: Tensor, timesteps: Tensor, text: Tensor) -> Tensor:
        return denoiser.predict(self.unet, x, timesteps, text)


def held_out(count: int = PROMPTS) -> list[tuple[str, Facts]]:
    """Fixed prompts with the facts they say: half say everything, half leave things open."""
    rng = random.Random(20_000)  # noqa: S311 - reproducible, not secret
    return [captions.caption(scenes.imagine(rng), rng, full=i % 2 == 0) for i in range(count)]


def accuracy(pictures: Sequence[Image.Image], said: Sequence[Facts]) -> Scores:
    """The share of said facts that the pictures show: by attribute, of all, and of whole prompts."""
    right: dict[str, list[bool]] = defaultdict(list)
    for picture, facts in zip(pictures, said, strict=True):
        found = judge.verdicts(picture, facts)
        for name, is_right in found.items():
            right[name].append(is_right)
            right["every fact"].append(is_right)
        right["whole prompts"].append(all(found.values()))
    return {name: round(sum(v) / len(v), 4) for name, v in right.items()}


def measure(
    models: Models, scales: Sequence[float], report: Report, count: int = PROMPTS
) -> dict[str, Scores]:
    """Accuracy on the held-out prompts at each guidance scale."""
    prompts = held_out(count)
    results = {}
    for scale in scales:
        pictures = models.pictures([text for text, _ in prompts], scale, seed=1)
        scores = accuracy(pictures, [said for _, said in prompts])
        results[f"{scale:g}"] = {"prompts": count, **scores}
        report(f"guidance {scale:g}: " + ", ".join(f"{k} {v:.3f}" for k, v in scores.items()))
    return results


def edge_agreement(models: Models, net: ControlNetModel, count: int = 40) -> dict[str, float]:
    """How well pictures follow given edges, without and with the ControlNet: F1 within two pixels."""
    rng = random.Random(30_000)  # noqa: S311 - reproducible, not secret
    drawn = [scenes.imagine(rng, shapes=0.0) for _ in range(count)]
    prompts = [captions.caption(facts, rng, full=True)[0] for facts in drawn]
    pixels = torch.from_numpy(np.stack([drawing.pixels(facts, rng) for facts in drawn]))
    hint = control.edges_of(pixels)
    noise = torch.randn((count, 4, 16, 16), generator=torch.Generator("cpu").manual_seed(2))

    def controlled(x: Tensor, timesteps: Tensor, text: Tensor) -> Tensor:
        return control.predict((net, models.unet), x, timesteps, text, hint)

    def plain(x: Tensor, timesteps: Tensor, text: Tensor) -> Tensor:
        return denoiser.predict(models.unet, x, timesteps, text)

    scores = {}
    for name, predict in (("without", plain), ("with", controlled)):
        pictures = models.sample(predict, prompts, noise, 3.0)
        made = torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures]))
        scores[name] = round(control.agreement(control.edges_of(made), hint), 3)
    return scores


def grid(pictures: Sequence[Image.Image], prompts: Sequence[str], columns: int = 6) -> Image.Image:
    """Pictures in rows with their prompts below."""
    gap, foot, side = 8, 30, pictures[0].width
    rows = -(-len(pictures) // columns)
    size = (columns * (side + gap) + gap, rows * (side + gap + foot) + gap)
    sheet = Image.new("RGB", size, "white")
    canvas = ImageDraw.Draw(sheet)
    for i, (picture, prompt) in enumerate(zip(pictures, prompts, strict=True)):
        x, y = gap + i % columns * (side + gap), gap + i // columns * (side + gap + foot)
        sheet.paste(picture, (x, y))
        canvas.multiline_text(
            (x, y + side + 2), _wrapped(prompt), fill=(70, 70, 80), font_size=9, spacing=1
        )
    return sheet


def _wrapped(text: str, width: int = 27) -> str:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


def best(results: Mapping[str, Scores]) -> str:
    """The guidance scale at which most facts are right."""
    return max(results, key=lambda scale: results[scale]["every fact"])
