"""How much memory a model takes at work, by its sizes, before anything is loaded.

Activations were measured on a CPU in float32, at peak, with the starter model and with one of Stable
Diffusion 1.5's size: they are a number of feature maps of the widest part at its resolution.
`docs/cli.md` says how well it agrees.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import InputError

from .diffusion.parts import Part
from .facts import LatentFacts, PixelFacts

ITEM = {"float32": 4, "float16": 2, "bfloat16": 2}
"""Bytes of one number by the names of dtypes."""
_STORED = {"float32": "F32", "float16": "F16", "bfloat16": "BF16"}
_CROSSED, _PLAIN = 45.0, 16.0
"""Feature maps of a UNet's level, for each picture of a call: with and without attention to the text."""
_DECODED, _ENCODED = 4.0, 4.6
"""Feature maps of a VAE at the picture's own resolution."""
_DECODING, _ENCODING = 128 * 2**20, 32 * 2**20
"""What libraries keep for themselves while a VAE works."""
SMALLEST_TILE = 128
"""The side in pixels of the tiles that a VAE comes down to when memory is short."""
_CERTAIN_ON_CPU, _CERTAIN = 0.6, 0.4
"""The share of an estimate's feature maps that is needed at the very least: nothing is refused below
it. The least on a GPU is counted, not measured: what the layers hold at once, without workspace."""


@dataclass(frozen=True)
class Need:
    """Bytes that are there at once: of weights, of feature maps, and for the libraries."""

    weights: int
    maps: int
    scratch: int = 0

    @property
    def likely(self) -> int:
        """The estimate."""
        return self.weights + self.maps + self.scratch

    def certain(self, device: str) -> int:
        """What is needed at the very least."""
        share = _CERTAIN_ON_CPU if device == "cpu" else _CERTAIN
        return self.weights + int(share * self.maps)


def weights(part: Part, dtype: str, device: str) -> int:
    """Bytes that a part's weights take and cannot give back.

    On the CPU, weights that run in the dtype they are stored in stay in their file, which the system
    drops and reads again as it likes.
    """
    size = ITEM.get(dtype, 2)
    if device != "cpu":
        return part.count * size
    as_stored = {_STORED.get(dtype), f"torch.{dtype}"}
    return size * sum(count for kind, count in part.counts.items() if kind not in as_stored)


def denoising(sizes: Mapping[str, Any], rows: int, height: int, width: int, dtype: str) -> Need:
    """What a UNet takes, beside weights, for one call.

    Args:
        sizes: See `sizes.configuration`.
        rows: Latents in the call: each once for every prompt that the call serves.
        height: Of the latents.
        width: Of the latents.
        dtype: What it computes in.
    """
    levels = zip(sizes["block_out_channels"], sizes["down_block_types"], strict=True)
    widest = max(
        channels * (_CROSSED if "CrossAttn" in kind else _PLAIN) / 4**level
        for level, (channels, kind) in enumerate(levels)
    )
    size = ITEM.get(dtype, 2)
    # Libraries lay out the largest convolution's weights anew: 3x3, from two levels' maps to one's.
    scratch = 2 * 9 * max(sizes["block_out_channels"]) ** 2 * size
    return Need(0, int(widest * rows * height * width * size), scratch)


def decoding(sizes: Mapping[str, Any], picture: PixelFacts, dtype: str) -> Need:
    """What a VAE takes, beside weights, to decode a batch, one picture after the other."""
    pixels = picture.height * picture.width
    maps = _DECODED * max(sizes["block_out_channels"][:2]) * pixels * ITEM.get(dtype, 2)
    return Need(0, int(maps), _DECODING)


def encoding(sizes: Mapping[str, Any], picture: PixelFacts, dtype: str) -> Need:
    """What a VAE takes, beside weights, to encode a batch, one picture after the other."""
    pixels = picture.height * picture.width
    maps = _ENCODED * sizes["block_out_channels"][0] * pixels * ITEM.get(dtype, 2)
    return Need(0, int(maps), _ENCODING)


def check(
    free: int | None,
    need: Callable[[int, int, int], Need],
    asked: LatentFacts | PixelFacts,
    *,
    unit: int,
    inputs: tuple[str, str],
    device: str,
    divided: Need | None = None,
) -> None:
    """Refuse what cannot fit into the memory that is free.

    Args:
        free: Bytes; None if that is not known.
        need: What a number of latents or pictures of a height and a width needs.
        asked: How many of which size there are to be.
        unit: Pixels to one of `asked`'s.
        inputs: Where the models come in, and where what is `asked` does.
        device: For the message.
        divided: What it needs when all that can be asked for apart is, for a device that says when
            it is short of memory. The CPU does not: the system ends the program instead.

    Raises:
        InputError: Even the least that is needed is not free (code "too_little_memory"). The hint is
            the largest batch, or else the largest size, that may fit.
    """
    wanted = need(asked.batch, asked.height, asked.width)
    least = (wanted if divided is None or device == "cpu" else divided).certain(device)
    if free is None or least <= free:
        return
    if wanted.weights > free:
        raise InputError(
            f"the models alone take {_gib(wanted.weights)} on {device}, and {_gib(free)} are free: "
            "close other programs or choose smaller ones",
            code="too_little_memory",
            input=inputs[0],
        )
    hint = _fitting(free, need, asked, unit)
    remedy = f"take {hint}" if hint else "take a smaller picture"
    raise InputError(
        f"{asked.batch} of {asked.width * unit}x{asked.height * unit} take about {_gib(wanted.likely)}"
        f" on {device}, at least {_gib(least)}, and {_gib(free)} are free: {remedy}, or close other programs",
        code="too_little_memory",
        input=inputs[1],
        hint=hint,
    )


def _fitting(
    free: int, need: Callable[[int, int, int], Need], asked: LatentFacts | PixelFacts, unit: int
) -> str | None:
    """The largest batch of the size, or else the largest single picture of the proportions, that is likely to fit."""
    for batch in range(asked.batch - 1, 0, -1):
        if need(batch, asked.height, asked.width).likely <= free:
            return f"a batch of {batch}"
    step = 8 // unit
    for width in range(asked.width - 1, 0, -1):
        height = round(asked.height * width / asked.width)
        if width % step or height % step or not height:
            continue
        if need(1, height, width).likely <= free:
            return f"{width * unit}x{height * unit}"
    return None


def _gib(size: int) -> str:
    return f"{size / 2**30:.2f} GiB"
