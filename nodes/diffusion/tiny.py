"""A TAESD at work: an autoencoder of 2.4 million weights, quick enough to look through at each step.

Architecture and conventions are those of github.com/madebyollin/taesd (MIT): it reads and gives latents
after the scaling factor, and pictures in 0-1. Here pictures are in -1 to 1, as those of other VAEs.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from diffusers.configuration_utils import FrozenDict
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

_LIMIT = 3.0
"""Latents are bent to within this."""
_BLOCKS = (3, 3, 3, 1)
"""Of the decoder's levels; the encoder has them the other way round."""


class TinyAutoencoder(nn.Module):
    """One of a TAESD's halves, or both; its interface is that of diffusers' AutoencoderKL."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Build it for a `taesd.configuration`."""
        super().__init__()
        frozen: Any = FrozenDict
        self.config = frozen(config)
        channels, width = config["latent_channels"], config["block_out_channels"][0]
        for half, layers in (
            ("encoder", _encoder(channels, width)),
            ("decoder", _decoder(channels, width)),
        ):
            if half in config["halves"]:
                self.add_module(half, _Half(layers))

    @property
    def dtype(self) -> torch.dtype:
        """What it computes in."""
        return next(self.parameters()).dtype

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.parameters()).device

    def decode(self, latents: Tensor, *, return_dict: bool = False) -> tuple[Tensor]:
        """Pictures in about -1 to 1 of latents (B, C, h, w) after the scaling factor."""
        bent = torch.tanh(latents / _LIMIT) * _LIMIT
        picture: Tensor = self.get_submodule("decoder")(bent)
        return (picture * 2 - 1,)

    def encode(self, pixels: Tensor, *, return_dict: bool = False) -> "tuple[Certain]":
        """The latents after the scaling factor of pictures (B, 3, H, W) in -1 to 1."""
        return (Certain(self.get_submodule("encoder")((pixels + 1) / 2)),)


class Certain:
    """What an encoder says that gives no distribution, but one value."""

    def __init__(self, value: Tensor) -> None:
        self.value, self.std = value, torch.zeros_like(value)

    def mode(self) -> Tensor:
        """That value."""
        return self.value


class _Half(nn.Module):
    def __init__(self, layers: Iterator[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    @override
    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.layers(x)
        return result


class _Block(nn.Module):
    """Three convolutions beside a way past them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            _conv(width, width), nn.ReLU(), _conv(width, width), nn.ReLU(), _conv(width, width)
        )

    @override
    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.conv(x) + x)


def _encoder(channels: int, width: int) -> Iterator[nn.Module]:
    for level, blocks in enumerate(reversed(_BLOCKS)):
        yield _conv(3, width) if level == 0 else _conv(width, width, stride=2, bias=False)
        yield from (_Block(width) for _ in range(blocks))
    yield _conv(width, channels)


def _decoder(channels: int, width: int) -> Iterator[nn.Module]:
    yield _conv(channels, width)
    yield nn.ReLU()
    for level, blocks in enumerate(_BLOCKS, 1):
        yield from (_Block(width) for _ in range(blocks))
        if level < len(_BLOCKS):
            yield nn.Upsample(scale_factor=2)
            yield _conv(width, width, bias=False)
    yield _conv(width, 3)


def _conv(inputs: int, outputs: int, *, stride: int = 1, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=bias)
