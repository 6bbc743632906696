"""Models of a few thousand weights, made here and lent by a pool of their own."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, get_args

import torch
from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel
from torch import Tensor
from typing_extensions import override

from engine.codecs import Codecs
from nodes.diffusion.pool import Pool
from nodes.runtime import TENSOR
from nodes.values import VAE, Conditioning, ControlNet, Model, Weights
from nodes.widgets import SamplerName, ScheduleName

CODECS = Codecs(frozenset({"engine", "nodes"}), {TENSOR.type_name: TENSOR})
"""As the store writes values."""
WIDTH = 64
"""Of the text embeddings."""
MODEL = Model(Weights("checkpoints", "small", "0"))
V_MODEL = Model(Weights("checkpoints", "small", "0"), prediction_type="v_prediction")
AUTOENCODER = VAE(Weights("vae", "small", "0"))
CONTROLNETS = tuple(
    ControlNet(Weights("controlnet", f"small-{index}", str(index))) for index in range(2)
)


def in_turn(each: int) -> list[tuple[SamplerName, ScheduleName]]:
    """Every sampler with so many of the schedules in turn, so that every schedule has its share."""
    schedules = get_args(ScheduleName)
    return [
        (sampler, schedules[(each * place + index) % len(schedules)])
        for place, sampler in enumerate(get_args(SamplerName))
        for index in range(each)
    ]


class SmallPool(Pool):
    """Lends the modules below, and notes what was borrowed."""

    def __init__(self, **modules: Any) -> None:
        super().__init__()
        self.modules = {
            "unet": unet(),
            "vae": autoencoder(),
            "small-0": controlnet(0),
            "small-1": controlnet(1),
        } | modules
        self.lent: list[str] = []

    @override
    @contextmanager
    def borrow(self, recipe: Any) -> Iterator[Any]:
        """The module that the recipe names."""
        name = {Model: "unet", VAE: "vae"}.get(type(recipe), recipe.weights.name)
        self.lent.append(name)
        module = self.modules[name]
        yield copy.deepcopy(module).float() if self.is_wide(recipe) else module


@cache
def unet() -> Any:
    """A UNet of two levels over four channels."""
    return _frozen(
        UNet2DConditionModel, 0, in_channels=4, out_channels=4, sample_size=64, **_levels()
    )


@cache
def controlnet(index: int) -> Any:
    """A ControlNet for it whose last convolutions are not zero."""
    levels = _levels()
    levels.pop("up_block_types")
    net = _frozen(
        ControlNetModel,
        1 + index,
        in_channels=4,
        conditioning_embedding_out_channels=(8, 8, 8, 16),
        **levels,
    )
    generator = torch.Generator().manual_seed(7 + index)
    for name, weight in net.named_parameters():
        if "controlnet_" in name or "conv_out" in name:
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.1)
    return net


@cache
def autoencoder() -> Any:
    """An autoencoder that halves three times."""
    return _frozen(
        AutoencoderKL,
        3,
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(32,) * 4,
        latent_channels=4,
        norm_num_groups=32,
        sample_size=64,
    )


def prompt(seed: int, *, batch: int = 1, tokens: int = 77, width: int = WIDTH) -> Conditioning:
    """Conditioning that says something."""
    return Conditioning(noise(seed, (batch, tokens, width)))


def noise(seed: int, shape: tuple[int, ...]) -> Tensor:
    """Standard normal noise."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def relative_rms(ours: Tensor, reference: Tensor) -> float:
    """The root mean square of the difference, over that of the reference."""
    return float((ours - reference).pow(2).mean().sqrt() / reference.pow(2).mean().sqrt())


def _levels() -> dict[str, Any]:
    return {
        "block_out_channels": (32, 64),
        "layers_per_block": 1,
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "cross_attention_dim": WIDTH,
        "attention_head_dim": 8,
        "norm_num_groups": 32,
    }


def _frozen(kind: Any, seed: int, **config: Any) -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        module = kind(**config)
    return module.eval().requires_grad_(False)
