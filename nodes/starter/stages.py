"""The stages of training, each of which leaves its result in the working folder."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.controlnets.controlnet import ControlNetModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import CLIPTextModel

from nodes.diffusion.colours import KEY, Colours
from nodes.starter import (
    autoencoder,
    colours,
    control,
    denoiser,
    drawing,
    evaluate,
    export,
    reader,
    scenes,
)
from nodes.starter.autoencoder import Cache
from nodes.starter.reader import FactHeads
from nodes.starter.scenes import Facts
from nodes.starter.training import Budget

Report: TypeAlias = Callable[[str], None]

PICTURES: Final = 12_000
SHARES: Final = {
    "narrow": 0.1,
    "autoencoder": 0.13,
    "reader": 0.05,
    "denoiser": 0.49,
    "decoder": 0.08,
    "control": 0.15,
}
"""How the minutes are split over the stages that train."""


@dataclass(frozen=True)
class Work:
    """A working folder, the minutes to spend in it, and where to report progress."""

    folder: Path
    minutes: float
    report: Report

    def budget(self, stage: str) -> Budget:
        """A stage's part of the minutes."""
        return Budget(seconds=60 * self.minutes * SHARES[stage])

    def pictures(self) -> tuple[Tensor, list[Facts]]:
        """Drawn pictures (N, 128, 128, 3) of 0-255, and their facts."""
        path = self.folder / "pictures.safetensors"
        if not path.exists():
            self.report(f"drawing {PICTURES} pictures")
            rng = random.Random(7)  # noqa: S311 - reproducible, not secret
            facts = [scenes.imagine(rng) for _ in range(PICTURES)]
            pixels = np.stack([drawing.pixels(each, rng) for each in facts])
            _save(path, {"pixels": torch.from_numpy(pixels)}, facts)
        with safe_open(path, "pt") as file:
            return file.get_tensor("pixels"), json.loads(file.metadata()["facts"])

    def autoencoder(self) -> AutoencoderKL:
        """The trained autoencoder, whose latents fit the family's scale."""
        path = self.folder / "vae.safetensors"
        model = autoencoder.create()
        if path.exists():
            model.load_state_dict(load_file(path))
            return model.eval().requires_grad_(False)
        pixels, _ = self.pictures()
        if not (self.folder / "autoencoder.safetensors").exists():
            narrow = autoencoder.create(autoencoder.NARROW)
            state = self.folder / "autoencoder_narrow.safetensors"
            autoencoder.train(narrow, pixels, state, self.budget("narrow"), self.report)
            autoencoder.widen(narrow, model)
        state = self.folder / "autoencoder.safetensors"
        autoencoder.train(model, pixels, state, self.budget("autoencoder"), self.report)
        model.eval().requires_grad_(False)
        autoencoder.standardise(model, pixels[:400])
        _save(path, model.state_dict())
        return model

    def latents(self) -> Cache:
        """The pictures' latents."""
        path = self.folder / "latents.safetensors"
        if not path.exists():
            model, (pixels, facts) = self.autoencoder(), self.pictures()
            self.report(f"encoding {len(pixels)} pictures")
            with ThreadPoolExecutor(
                os.cpu_count(), initializer=torch.set_num_threads, initargs=(1,)
            ) as pool:
                parts = list(
                    pool.map(lambda part: autoencoder.encode(model, part), torch.split(pixels, 200))
                )
            means, deviations = (torch.cat(each) for each in zip(*parts, strict=True))
            _save(path, {"means": means, "deviations": deviations}, facts)
        with safe_open(path, "pt") as file:
            tensors = file.get_tensor("means"), file.get_tensor("deviations")
            return Cache(*tensors, json.loads(file.metadata()["facts"]))

    def reader(self) -> tuple[CLIPTextModel, FactHeads]:
        """The text model that can read, with the heads that show it."""
        text, heads = reader.create(), FactHeads()
        paths = self.folder / "text.safetensors", self.folder / "heads.safetensors"
        if paths[1].exists():
            text.load_state_dict(load_file(paths[0]))
            heads.load_state_dict(load_file(paths[1]))
            return text, heads
        reader.train(
            text, heads, self.folder / "reader.safetensors", self.budget("reader"), self.report
        )
        _save(paths[0], text.state_dict())
        _save(paths[1], heads.state_dict())
        return text, heads

    def denoiser(self) -> tuple[UNet2DConditionModel, CLIPTextModel]:
        """The trained UNet, and the text model as it became beside it."""
        cache, vae = self.latents(), self.autoencoder()
        text, heads = self.reader()
        unet = denoiser.create()

        def preview() -> None:
            self.checkpoint(unet, vae, text)
            models = evaluate.Models(unet, vae, text)
            sheet = evaluate.grid(models.pictures(evaluate.SHOWN, 3.0), evaluate.SHOWN)
            sheet.save(self.folder / "preview.png")

        state = self.folder / "denoiser.safetensors"
        models = (unet, text, heads)
        denoiser.train(
            models, cache, state, self.budget("denoiser"), report=self.report, preview=preview
        )
        return unet, text

    def checkpoint(
        self, unet: nn.Module, vae: nn.Module, text: nn.Module, seen: Colours | None = None
    ) -> Path:
        """The model as one file in the original layout, with what its latents look like."""
        path = self.folder / "starter.safetensors"
        about = {"title": "Darkroom starter", "license": "Apache-2.0"}
        if seen is not None:
            about[KEY] = seen.written()
        export.write(path, {"unet": unet, "vae": vae, "text_encoder": text}, about)
        return path

    def decoder(self) -> AutoencoderKL:
        """The autoencoder with a decoder that was trained on after the latents were fixed."""
        vae, (pixels, _) = self.autoencoder(), self.pictures()
        state = self.folder / "decoder.safetensors"
        autoencoder.refine(
            vae, self.latents(), pixels, state, self.budget("decoder"), report=self.report
        )
        return vae

    def control(self, unet: UNet2DConditionModel, text: CLIPTextModel) -> ControlNetModel:
        """A ControlNet for the trained denoiser."""
        net = control.create(unet)
        data = self.latents(), self.pictures()[0]
        state = self.folder / "control.safetensors"
        budget = self.budget("control")
        control.train(net, (unet, text), data, state, budget, report=self.report)
        return net

    def run(self) -> Path:
        """The trained model's file; stages whose results are there are not run again."""
        unet, text = self.denoiser()
        vae = self.decoder()
        seen, explained = colours.fit(vae)
        self.report(f"latents' colours explain {explained} of red, green, blue")
        path = self.checkpoint(unet, vae, text, seen)
        net = self.control(unet, text)
        export.write(
            self.folder / "starter-edges.safetensors",
            {"controlnet": net},
            {"license": "Apache-2.0"},
        )
        return path


def _save(path: Path, tensors: dict[str, Tensor], facts: list[Facts] | None = None) -> None:
    part = path.with_suffix(".part")
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    save_file(contiguous, part, {"facts": json.dumps(facts)} if facts else None)
    part.replace(path)
