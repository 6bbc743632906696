"""Nodes for masks: where a picture is repainted."""

from typing import Annotated, Literal, cast

from pydantic import Field

from engine.errors import InputError
from engine.node import node

from . import facts
from .facts import PixelFacts, known, same
from .folders import Folders, standard
from .image import Extent, Margin, Multiple, Resizing, Scale, image_digest, resized
from .values import Image, Mask
from .widgets import Fraction, ImageName, Interpolation, Pixels

ColourChannel = Literal["luminance", "red", "green", "blue"]
Channel = Literal["alpha", "luminance", "red", "green", "blue"]
GrowShape = Literal["circle", "square", "diamond"]
Combination = Literal["union", "intersect", "subtract"]
Growth = Annotated[int, Field(ge=-1024, le=1024)]
FeatherRadius = Annotated[float, Field(ge=0, le=256)]


def _check_alpha(image: str, channel: Channel, has_alpha: bool) -> None:
    if channel == "alpha" and not has_alpha:
        raise InputError(
            f"{image} has no alpha channel: choose luminance, red, green or blue",
            code="no_alpha",
            input="channel",
            hint="luminance",
        )


@known
def _loaded(image: str, channel: Channel, folders: Folders) -> PixelFacts:
    from .diffusion import readers

    width, height, has_alpha, _ = readers.measure(folders.find("images", image))
    _check_alpha(image, channel, has_alpha)
    return PixelFacts(1, height, width)


@node("LoadMask", category="mask", fingerprint=image_digest, infer=_loaded)
def load_mask(*, image: ImageName, channel: Channel = "alpha", folders: Folders = standard) -> Mask:
    """Load a mask from one channel of a picture.

    Args:
        image: A file in the folders of images.
        channel: alpha gives 1 where the picture is transparent; the others their own value.
    """
    from .diffusion import pictures

    pixels, alpha = pictures.read(folders.find("images", image))
    _check_alpha(image, channel, alpha is not None)
    if channel == "alpha" and alpha is not None:
        return Mask(1 - alpha)
    return image_to_mask(Image(pixels), channel=cast(ColourChannel, channel))


@node("ImageToMask", category="mask", infer=same("image"))
def image_to_mask(image: Image, *, channel: ColourChannel = "luminance") -> Mask:
    """Take one channel of a picture as a mask.

    Args:
        channel: luminance is the brightness that the eye sees (ITU-R BT.601).
    """
    from .diffusion import pixels

    if channel == "luminance":
        return Mask(pixels.luminance(image.pixels))
    index = ("red", "green", "blue").index(channel)
    return Mask(image.pixels[:, index : index + 1].contiguous())


@node("MaskToImage", category="mask", infer=same("mask"))
def mask_to_image(mask: Mask) -> Image:
    """Show a mask as a picture: white where it is 1."""
    return Image(mask.pixels.repeat(1, 3, 1, 1))


@node("InvertMask", category="mask", infer=same("mask"))
def invert_mask(mask: Mask) -> Mask:
    """Swap what is repainted and what is kept."""
    return Mask(1 - mask.pixels)


@node("GrowMask", category="mask", infer=same("mask"))
def grow_mask(mask: Mask, *, pixels: Growth = 6, shape: GrowShape = "circle") -> Mask:
    """Widen a mask by some pixels, or narrow it if they are negative.

    Args:
        pixels: How far the border moves outwards. The picture's own border does not move.
        shape: How distance is measured: circle is Euclidean, square the larger of both offsets,
            diamond their sum.
    """
    from .diffusion import pixels as arithmetic

    return Mask(arithmetic.grow(mask.pixels, pixels, shape))


@node("FeatherMask", category="mask", infer=same("mask"))
def feather_mask(mask: Mask, *, radius: FeatherRadius = 8.0) -> Mask:
    """Soften a mask's border by a Gaussian blur.

    Args:
        radius: How far, in pixels, the border fades to either side: two standard deviations.
    """
    from .diffusion import pixels

    return Mask(pixels.blur(mask.pixels, radius / 2))


@node("FadeMask", category="mask", infer=same("mask"))
def fade_mask(
    mask: Mask, *, left: Margin = 0, top: Margin = 0, right: Margin = 0, bottom: Margin = 0
) -> Mask:
    """Let a mask fade towards the picture's sides.

    Args:
        left: How far from the left side, in pixels, it is weakened: least there, evenly.
        top: The same from the upper side.
        right: The same from the right side.
        bottom: The same from the lower side.
    """
    from .diffusion import pixels

    return Mask(pixels.faded(mask.pixels, (left, top, right, bottom)))


@node("ThresholdMask", category="mask", infer=same("mask"))
def threshold_mask(mask: Mask, *, threshold: Fraction = 0.5) -> Mask:
    """Make a mask hard: 1 where it is at least the threshold, else 0."""
    return Mask((mask.pixels >= threshold).float())


@known
def _resized_mask(mask: PixelFacts, to: Resizing, multiple_of: int) -> PixelFacts:
    return resized(mask, to, multiple_of)


@node("ResizeMask", category="mask", infer=_resized_mask)
def resize_mask(
    mask: Mask,
    *,
    to: Resizing = Scale(),
    interpolation: Interpolation = "bilinear",
    multiple_of: Multiple = 1,
) -> Mask:
    """Resize a mask.

    Args:
        interpolation: nearest keeps a hard border hard.
        multiple_of: Round both sides down to a multiple of this.
    """
    from .diffusion import pixels

    source, wanted = mask.pixels, resized(facts.of(mask), to, multiple_of)
    if to.covers:
        source = pixels.crop_to_proportions(source, wanted.width, wanted.height)
    return Mask(pixels.resize(source, wanted.width, wanted.height, interpolation))


@known
def _canvas(canvas_width: int, canvas_height: int) -> PixelFacts:
    facts.check_extent(canvas_width, canvas_height, "canvas_width")
    return PixelFacts(1, canvas_height, canvas_width)


@node("MaskFromBox", category="mask", infer=_canvas)
def mask_from_box(
    *,
    x: Margin = 0,
    y: Margin = 0,
    width: Extent = 256,
    height: Extent = 256,
    canvas_width: Pixels = 512,
    canvas_height: Pixels = 512,
) -> Mask:
    """A mask that is 1 inside a box and 0 around it.

    Args:
        x: Left border of the box.
        y: Upper border of the box.
        width: Width of the box; what reaches out of the canvas is cut off.
        height: Height of the box.
        canvas_width: Width of the whole mask.
        canvas_height: Height of the whole mask.
    """
    import torch

    facts.check_extent(canvas_width, canvas_height, "canvas_width")
    mask = torch.zeros(1, 1, canvas_height, canvas_width)
    mask[..., y : y + height, x : x + width] = 1
    return Mask(mask)


_SAME_SIZE = "bring them to one size with ResizeMask"


@known
def _combined(first: PixelFacts, second: PixelFacts) -> PixelFacts:
    batch = facts.matched(first, second, ("first", "second"), _SAME_SIZE)
    return PixelFacts(batch, first.height, first.width)


@node("CombineMasks", category="mask", infer=_combined)
def combine_masks(first: Mask, second: Mask, *, operation: Combination = "union") -> Mask:
    """Combine two masks of one size.

    Args:
        operation: union is the larger value, intersect the smaller one, subtract the smaller of the
            first and the inverted second.
    """
    import torch

    from .diffusion import pixels

    a, b = pixels.matched(first.pixels, second.pixels, ("first", "second"), _SAME_SIZE)
    if operation == "union":
        return Mask(torch.maximum(a, b))
    return Mask(torch.minimum(a, b if operation == "intersect" else 1 - b))
