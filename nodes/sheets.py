"""Nodes that lay pictures out to be compared."""

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from engine.errors import InputError
from engine.grid import Axis, Grid
from engine.node import UNKNOWN, node

from . import facts
from .facts import PixelFacts
from .values import Image

Gap = Annotated[int, Field(ge=0, le=1024, description="Pixels between two cells")]
Colour = Annotated[
    str,
    Field(
        pattern="^#[0-9a-fA-F]{6}$",
        description="Red, green and blue, as #rrggbb",
        json_schema_extra={"widget": "colour", "wanted": "as #rrggbb"},
    ),
]
LetterSize = Annotated[int, Field(ge=0, le=512, description="Pixels; 0 suits the cells")]
Columns = Annotated[int, Field(ge=0, le=10000)]
CellSize = Annotated[int, Field(ge=0, le=16384, json_schema_extra={"step": 64})]
Amplification = Annotated[float, Field(gt=0, le=255)]
Caption = Annotated[str, Field(max_length=200)]
HIGHEST_PSNR = 200.0
"""Said of equal pictures, whose ratio has no bound: JSON has no infinity, and links want numbers."""


class Comparison(NamedTuple):
    """How far two pictures are from each other, in figures and to be seen."""

    picture: Image
    difference: float
    largest: float
    psnr: float
    identical: bool


@node("ImageGrid", category="image")
def image_grid(
    images: Grid[Image],
    *,
    labels: bool = True,
    across: str = "",
    columns: Columns = 0,
    cell: CellSize = 0,
    gap: Gap = 8,
    label_size: LetterSize = 0,
    background: Colour = "#ffffff",
) -> Image:
    """One picture of all pictures of a sweep or a list, with their labels.

    Two axes are rows and columns, one is a row that goes on below, and with more every combination
    of the first ones is a block of the last two. Pictures of other sizes are fitted.

    Args:
        labels: Write the names of the axes and the labels beside the pictures.
        across: The axis whose labels go from left to right; empty for the last one.
        columns: Pictures side by side for one axis, blocks for three and more; 0 makes it about a
            square.
        cell: How many pixels the longer side of a cell has at most; 0 keeps the size.
    """
    from .diffusion.prints import contact_sheet
    from .diffusion.sheets import Style

    cells = tuple(image.pixels for image in images.cells)
    style = Style(gap=gap, columns=columns, background=_channels(background))
    letters: int | Literal["auto"] = (label_size or "auto") if labels else 0
    return Image(
        contact_sheet(Grid(images.axes, cells), style, letters=letters, across=across, most=cell)
    )


def _compared(a: Any, b: Any) -> Any:
    """Whether they can be compared; the sheet's size depends on the figures under it."""
    if a is not UNKNOWN and b is not UNKNOWN:
        _check_sizes(a, b)
    return (UNKNOWN,) * len(Comparison._fields)


@node("CompareImages", category="image", infer=_compared)
def compare_images(
    a: Image,
    b: Image,
    *,
    name_a: Caption = "a",
    name_b: Caption = "b",
    amplify: Amplification = 8.0,
    cell: CellSize = 0,
) -> Comparison:
    """Two pictures and their difference side by side, with figures: 0 is equal, 1 black to white.

    `difference` is the mean of the absolute differences of all channels, `largest` the largest,
    `psnr` the peak signal-to-noise ratio in decibels: 200 at most, which equal pictures have.

    Args:
        name_a: What stands under the first.
        name_b: What stands under the second.
        amplify: How many times the difference is shown; the figures are of the difference itself.
        cell: How many pixels the longer side of a cell has at most; 0 keeps the size.
    """
    from .diffusion import difference
    from .diffusion.prints import contact_sheet
    from .diffusion.sheets import Style

    _check_comparable(a, b)
    found = difference.measure(a.pixels, b.pixels, 1.0)
    psnr = HIGHEST_PSNR if found.psnr is None else min(found.psnr, HIGHEST_PSNR)
    figures = f"mean {found.mean:.3g} · largest {found.largest:.3g} · PSNR {psnr:.1f} dB"
    axis = Axis(
        figures if found.largest else "identical",
        (name_a, name_b, f"difference, {amplify:g} times"),
    )
    gap = ((a.pixels - b.pixels).abs() * amplify).clamp(0, 1)
    sheet = contact_sheet(Grid((axis,), (a.pixels, b.pixels, gap)), Style(columns=3), most=cell)
    return Comparison(Image(sheet), found.mean, found.largest, psnr, found.largest == 0)


def _check_sizes(a: PixelFacts, b: PixelFacts) -> None:
    if a.size != b.size:
        raise InputError(
            f"the first is {a.size}, the second {b.size}: bring them to one size with ResizeImage",
            code="size_mismatch",
            input="b",
        )
    if a.batch != b.batch:
        raise InputError(
            f"the first is a batch of {a.batch}, the second of {b.batch}: compare as many with as many",
            code="size_mismatch",
            input="b",
        )


def _check_comparable(a: Image, b: Image) -> None:
    import torch

    _check_sizes(facts.of(a), facts.of(b))
    for name, image in {"a": a, "b": b}.items():
        if not torch.isfinite(image.pixels).all():
            raise InputError(
                f"{name} holds values that are not numbers (NaN): the model overflowed; "
                "run its VAE in float32 or lower the guidance",
                code="not_finite",
                input=name,
            )


def _channels(colour: str) -> tuple[float, float, float]:
    red, green, blue = bytes.fromhex(colour[1:])
    return red / 255, green / 255, blue / 255
