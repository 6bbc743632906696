"""A TAESD with random weights, and the files that people have of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.nodes.conftest import randomised, save

if TYPE_CHECKING:
    from torch import Tensor, nn


def module(width: int = 8, channels: int = 4, seed: int = 5) -> Any:
    """Diffusers' module."""
    import diffusers

    kind: Any = diffusers.AutoencoderTiny
    widths = (width,) * 4
    made = kind(
        encoder_block_out_channels=widths,
        decoder_block_out_channels=widths,
        latent_channels=channels,
    )
    return randomised(made, seed)


def original(half: str, of: Any) -> "dict[str, Tensor]":
    """A half's tensors under the names of its author's code, which is this sequence of layers."""
    from torch import nn

    made = getattr(of, half)
    width, channels = of.config.decoder_block_out_channels[0], of.config.latent_channels

    def conv(inputs: int, outputs: int, **options: Any) -> nn.Module:
        return nn.Conv2d(inputs, outputs, 3, padding=1, **options)

    def block() -> nn.Module:
        found = nn.Module()
        found.conv = nn.Sequential(
            conv(width, width), nn.ReLU(), conv(width, width), nn.ReLU(), conv(width, width)
        )
        return found

    def blocks(count: int) -> "list[nn.Module]":
        return [block() for _ in range(count)]

    layers = [conv(3, width), block()]
    if half == "encoder":
        for _ in range(3):
            layers += [conv(width, width, stride=2, bias=False), *blocks(3)]
        layers += [conv(width, channels)]
    else:
        layers = [nn.Identity(), conv(channels, width), nn.ReLU()]
        for _ in range(3):
            layers += [*blocks(3), nn.Upsample(scale_factor=2), conv(width, width, bias=False)]
        layers += [block(), conv(width, 3)]
    names = nn.Sequential(*layers).state_dict()
    return dict(zip(names, made.state_dict().values(), strict=True))


def halves(folder: Path, made: Any, name: str = "taesd") -> str:
    """Two files, as the author publishes them; gives the decoder's name."""
    for half in ("encoder", "decoder"):
        save(folder / f"{name}_{half}.safetensors", original(half, made))
    return f"{name}_decoder.safetensors"


def pickled_halves(folder: Path, made: Any) -> str:
    """The same as pickles."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    for half in ("encoder", "decoder"):
        torch.save(original(half, made), folder / f"taesd_{half}.pth")
    return "taesd_decoder.pth"


def whole(folder: Path, made: Any, prefix: str = "") -> str:
    """Both halves in one file."""
    both = {
        f"{prefix}{half}.{name}": tensor
        for half in ("encoder", "decoder")
        for name, tensor in original(half, made).items()
    }
    save(folder / "both.safetensors", both)
    return "both.safetensors"


def folder(parent: Path, made: Any, name: str = "taesd") -> str:
    """A folder as diffusers saves it."""
    made.save_pretrained(parent / name)
    return name


def diffusers_file(folder: Path, made: Any) -> str:
    """The weights of such a folder alone."""
    save(folder / "tiny.safetensors", made.state_dict())
    return "tiny.safetensors"
