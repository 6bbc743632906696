"""Seconds per step, and memory, against diffusers' own pipelines with the same weights, turn by turn.

UNets of the shape of Stable Diffusion 1.5's and of SDXL's, with a fifth of their channels and random
weights, under guidance. Only the ratios mean something on a machine that does other work.
"""

import gc
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from typing_extensions import override

from nodes.diffusion.pool import Pool
from nodes.sampling import ksampler
from nodes.values import Conditioning, Framing, Latents, Model, Weights
from nodes.widgets import FamilyName

from .memory import ROOT, status

TURNS, STEPS = 15, 2
SIZES = {"sd1": (64, 128, 256), "sdxl": (64, 128)}
BOUNDS = {f"steps_{kind}_{side}_ratio": 1.0 for kind, sides in SIZES.items() for side in sides} | {
    f"steps_{kind}_peak_ratio": 1.0 for kind in SIZES
}


def measure() -> dict[str, float]:
    """For each model and size the median of the ratios of turns; and peaks of memory."""
    warnings.simplefilter("ignore")
    found: dict[str, float] = {}
    for kind, sides in SIZES.items():
        model = made(kind)
        for side in sides:
            ours, theirs = our_run(kind, model, side // 8), their_run(kind, model, side // 8)
            found |= {
                f"steps_{kind}_{side}_{name}": v for name, v in compared(ours, theirs).items()
            }
        found |= peaks(kind)
    return found


def compared(ours: Callable[[], Any], theirs: Callable[[], Any]) -> dict[str, float]:
    """Seconds of the processor per step of both, and the median of their ratios, each turn in the other order."""
    times: dict[Callable[[], Any], list[float]] = {ours: [], theirs: []}
    for turn in range(TURNS + 1):
        for work in (ours, theirs) if turn % 2 else (theirs, ours):
            began = time.process_time()
            work()
            if turn:  # the first warms up
                times[work].append((time.process_time() - began) / STEPS)
    return {
        "ratio": statistics.median(a / b for a, b in zip(*times.values(), strict=True)),
        "seconds": min(times[ours]),
        "diffusers_seconds": min(times[theirs]),
    }


def made(kind: str) -> Any:
    """The UNet."""
    import diffusers

    unet: Any = diffusers.UNet2DConditionModel
    torch.default_generator.manual_seed(0)
    if kind == "sd1":
        return frozen(
            unet(
                block_out_channels=(64, 128, 256, 256),
                cross_attention_dim=768,
                attention_head_dim=8,
            )
        )
    return frozen(
        unet(
            block_out_channels=(64, 128, 256),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            transformer_layers_per_block=(1, 2, 4),
            attention_head_dim=(1, 2, 4),
            cross_attention_dim=2048,
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=256,
            projection_class_embeddings_input_dim=2816,
        )
    )


def frozen(module: Any) -> Any:
    """As a pipeline has it."""
    return module.eval().requires_grad_(False)


def prompts(kind: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Embeddings to show and to avoid."""
    width = 768 if kind == "sd1" else 2048
    generator = torch.Generator().manual_seed(1)
    return torch.randn(1, 77, width, generator=generator), torch.randn(
        1, 77, width, generator=generator
    )


class Lending(Pool):
    """Lends one module."""

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.module = module

    @override
    @contextmanager
    def borrow(self, recipe: Any) -> Iterator[Any]:
        yield self.module


def our_run(kind: str, unet: Any, side: int) -> Callable[[], Any]:
    """KSampler over the UNet, with latents for a result."""
    family: FamilyName = "sd1" if kind == "sd1" else "sdxl"
    model = Model(Weights("checkpoints", "random", "0"), family=family)
    pooled: Any = {} if kind == "sd1" else {"pooled": torch.full((1, 1280), 0.1)}
    sides: Any = {"framing": Framing(8 * side, 8 * side)} if kind == "sdxl" else {}
    show, avoid = (Conditioning(each, **pooled, **sides) for each in prompts(kind))
    pool, start = Lending(unet), Latents(torch.zeros(1, 4, side, side))
    return lambda: ksampler(
        model, show, avoid, start, steps=STEPS, schedule="simple", guidance_scale=5.0, pool=pool
    )


def their_run(kind: str, unet: Any, side: int) -> Callable[[], Any]:
    """diffusers' pipeline over the same UNet, with latents for a result."""
    import diffusers

    libraries: Any = diffusers
    scheduler = libraries.EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        timestep_spacing="trailing",
    )
    vae = libraries.AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(32,) * 4,
        latent_channels=4,
    )
    parts: dict[str, Any] = {"unet": unet, "vae": vae, "scheduler": scheduler}
    parts |= {"text_encoder": None, "tokenizer": None}
    show, avoid = prompts(kind)
    given: dict[str, Any] = {"prompt_embeds": show, "negative_prompt_embeds": avoid}
    if kind == "sd1":
        parts |= {"safety_checker": None, "feature_extractor": None}
        pipeline = libraries.StableDiffusionPipeline(**parts, requires_safety_checker=False)
    else:
        parts |= {"text_encoder_2": None, "tokenizer_2": None, "add_watermarker": False}
        pipeline = libraries.StableDiffusionXLPipeline(**parts)
        pooled = torch.full((1, 1280), 0.1)
        given |= {"pooled_prompt_embeds": pooled, "negative_pooled_prompt_embeds": pooled}
    pipeline.set_progress_bar_config(disable=True)
    return lambda: pipeline(
        **given,
        num_inference_steps=STEPS,
        guidance_scale=5.0,
        width=8 * side,
        height=8 * side,
        output_type="latent",
        generator=torch.Generator().manual_seed(0),
    )


def peaks(kind: str) -> dict[str, float]:
    """Peak resident memory of a run beyond what was there before it, in fresh processes."""
    found = {}
    for whose in ("ours", "theirs"):
        done = subprocess.run(
            [sys.executable, "-m", __spec__.name, kind, whose],
            check=True,
            cwd=ROOT,
            env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"},
            stdout=subprocess.PIPE,
            text=True,
        )
        found[whose] = float(json.loads(done.stdout.splitlines()[-1]))
    return {
        f"steps_{kind}_peak_ratio": found["ours"] / found["theirs"],
        f"steps_{kind}_peak_mib": found["ours"] / 2**20,
        f"steps_{kind}_diffusers_peak_mib": found["theirs"] / 2**20,
    }


def peak(kind: str, whose: str) -> int:
    """What a run at the largest size takes beyond one at the smallest, which loads what there is to load."""
    run = our_run if whose == "ours" else their_run
    unet = made(kind)
    run(kind, unet, 8)()
    gc.collect()
    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # peaks from here on
    run(kind, unet, 32)()
    return status("VmHWM") - before


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(peak(*sys.argv[1:])))
