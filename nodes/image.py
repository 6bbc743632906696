"""Nodes for pictures: loading, sizes, compositions, edges."""

from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from engine.errors import InputError
from engine.node import node

from . import facts
from .facts import PixelFacts, known, same
from .folders import Folders, standard
from .values import Image, Mask
from .widgets import Fraction, ImageName, Interpolation, Pixels

Position = Annotated[
    int, Field(ge=-16384, le=16384, description="Pixels from the left or upper border")
]
Extent = Annotated[int, Field(ge=1, le=16384, description="Pixels")]
Margin = Annotated[int, Field(ge=0, le=8192, description="Pixels", json_schema_extra={"step": 8})]
Multiple = Annotated[int, Field(ge=1, le=256)]
Contrast = Annotated[float, Field(ge=0, le=4, json_schema_extra={"step": 0.05})]


class LoadedImage(NamedTuple):
    """A picture from a file, and where it is transparent."""

    image: Image
    mask: Mask


class Extents(NamedTuple):
    """The size of a picture in pixels."""

    width: int
    height: int


class PaddedImage(NamedTuple):
    """A picture with a margin, and the mask that has the margin repainted."""

    image: Image
    mask: Mask


class _Choice(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    covers: ClassVar[bool] = False
    """Whether the picture is first cut, about its centre, to the new proportions."""


class _Given(_Choice):
    width: Pixels = 512
    height: Pixels = 512

    def extents(self, width: int, height: int) -> tuple[float, float]:
        """The size that a picture of `width` x `height` gets."""
        return self.width, self.height


class Exact(_Given):
    """Exactly this size; the picture is stretched."""

    kind: Literal["exact"] = "exact"


class Fill(_Given):
    """Exactly this size; what is left over is cut off evenly at both sides."""

    covers: ClassVar[bool] = True
    kind: Literal["fill"] = "fill"


class Fit(_Choice):
    """As large as fits into this size, in the same proportions."""

    kind: Literal["fit"] = "fit"
    width: Pixels = 512
    height: Pixels = 512

    def extents(self, width: int, height: int) -> tuple[float, float]:
        """The size that a picture of `width` x `height` gets."""
        factor = min(self.width / width, self.height / height)
        return width * factor, height * factor


class Scale(_Choice):
    """Larger or smaller by a factor."""

    kind: Literal["scale"] = "scale"
    factor: Annotated[float, Field(gt=0, le=64, json_schema_extra={"step": 0.25})] = 2.0

    def extents(self, width: int, height: int) -> tuple[float, float]:
        """The size that a picture of `width` x `height` gets."""
        return width * self.factor, height * self.factor


class Megapixels(_Choice):
    """About this many million pixels (1024 x 1024 is 1.05), in the same proportions."""

    kind: Literal["megapixels"] = "megapixels"
    megapixels: Annotated[float, Field(gt=0, le=89, json_schema_extra={"step": 0.25})] = 1.0

    def extents(self, width: int, height: int) -> tuple[float, float]:
        """The size that a picture of `width` x `height` gets."""
        factor = (self.megapixels * 1e6 / (width * height)) ** 0.5
        return width * factor, height * factor


Resizing = Annotated[Fit | Fill | Exact | Scale | Megapixels, Field(discriminator="kind")]


def image_digest(image: str, folders: Folders) -> str:
    """What a node that reads the picture `image` depends on: its bytes."""
    return folders.digest("images", image)


@known
def loaded_size(image: str, folders: Folders) -> tuple[PixelFacts, PixelFacts]:
    """The size of a picture file, from its header, for the picture and for its mask."""
    from .diffusion import readers

    width, height, *_ = readers.measure(folders.find("images", image))
    return (PixelFacts(1, height, width),) * 2


@node("LoadImage", category="image", fingerprint=image_digest, infer=loaded_size)
def load_image(*, image: ImageName, folders: Folders = standard) -> LoadedImage:
    """Load a picture; its mask is 1 where the picture is transparent.

    The camera's rotation (EXIF) is applied; of an animation the first frame is read.

    Args:
        image: A file in the folders of images.
    """
    import torch

    from .diffusion import pictures

    pixels, alpha = pictures.read(folders.find("images", image))
    mask = torch.zeros_like(pixels[:, :1]) if alpha is None else 1 - alpha
    return LoadedImage(Image(pixels), Mask(mask))


def resized(source: PixelFacts, to: Resizing, multiple_of: int) -> PixelFacts:
    """The size after resizing, at least one pixel or one multiple."""
    rounded = [max(1, round(side)) for side in to.extents(source.width, source.height)]
    width, height = (max(side - side % multiple_of, multiple_of) for side in rounded)
    facts.check_extent(width, height, "to")
    return source.sized(width, height)


@known
def _resized_image(image: PixelFacts, to: Resizing, multiple_of: int) -> PixelFacts:
    return resized(image, to, multiple_of)


@node("ResizeImage", category="image", infer=_resized_image)
def resize_image(
    image: Image,
    *,
    to: Resizing = Fit(),
    interpolation: Interpolation = "lanczos",
    multiple_of: Multiple = 1,
) -> Image:
    """Resize a picture.

    Args:
        interpolation: lanczos is the sharpest; area averages; nearest keeps hard edges.
        multiple_of: Round both sides down to a multiple of this. Models take multiples of 8.
    """
    from .diffusion import pixels

    source, wanted = image.pixels, resized(facts.of(image), to, multiple_of)
    if to.covers:
        source = pixels.crop_to_proportions(source, wanted.width, wanted.height)
    return Image(pixels.resize(source, wanted.width, wanted.height, interpolation))


@known
def _cropped(image: PixelFacts, x: int, y: int, width: int, height: int) -> PixelFacts:
    facts.check_part(image, x, y, width, height)
    return image.sized(width, height)


@node("CropImage", category="image", infer=_cropped)
def crop_image(
    image: Image, *, x: Margin = 0, y: Margin = 0, width: Extent = 512, height: Extent = 512
) -> Image:
    """Cut out a part of a picture.

    Args:
        x: Left border of the part.
        y: Upper border of the part.
    """
    from .diffusion import pixels

    return Image(pixels.crop(image.pixels, x, y, width, height))


@known
def _padded(
    image: PixelFacts, left: int, top: int, right: int, bottom: int
) -> tuple[PixelFacts, PixelFacts]:
    width, height = image.width + left + right, image.height + top + bottom
    facts.check_extent(width, height)
    return image.sized(width, height), PixelFacts(1, height, width)


@node("PadImage", category="image", infer=_padded)
def pad_image(
    image: Image,
    *,
    left: Margin = 0,
    top: Margin = 0,
    right: Margin = 0,
    bottom: Margin = 0,
    feather: Margin = 40,
) -> PaddedImage:
    """Add a grey margin, with the mask to have it painted (outpainting).

    Args:
        feather: How far, in pixels, the mask fades into the picture.
    """
    from .diffusion import pixels

    height, width = image.pixels.shape[-2:]
    sides = (left, top, right, bottom)
    return PaddedImage(
        Image(pixels.pad(image.pixels, sides, 0.5)),
        Mask(pixels.margin_mask(width, height, sides, feather)),
    )


@known
def _composited(base: PixelFacts, overlay: PixelFacts, mask: PixelFacts | None) -> PixelFacts:
    return facts.composited(base, overlay, mask)


@node("CompositeImage", category="image", infer=_composited)
def composite_image(
    base: Image, overlay: Image, mask: Mask | None = None, *, x: Position = 0, y: Position = 0
) -> Image:
    """Lay one picture over another.

    Args:
        overlay: What reaches out of the base is cut off.
        mask: As large as the overlay, which shows where the mask is 1. Without one, all of it shows.
        x: Where the overlay's left border comes to lie; may be negative.
        y: Where the overlay's upper border comes to lie; may be negative.
    """
    from .diffusion import pixels

    return Image(
        pixels.composite(base.pixels, overlay.pixels, None if mask is None else mask.pixels, x, y)
    )


@known
def _concatenated(images: list[PixelFacts]) -> PixelFacts:
    return facts.concatenated(images)


@node("ConcatenateImages", category="image", infer=_concatenated)
def concatenate_images(images: Annotated[list[Image], Field(min_length=2)]) -> Image:
    """Join pictures of one size into one batch, in the order of their links."""
    import torch

    facts.concatenated([facts.of(image) for image in images])
    return Image(torch.cat([image.pixels for image in images]))


@known
def _extents(image: PixelFacts) -> Extents:
    return Extents(image.width, image.height)


@node("ImageSize", category="image", infer=_extents)
def image_size(image: Image) -> Extents:
    """Width and height of a picture in pixels."""
    height, width = image.pixels.shape[-2:]
    return Extents(width, height)


@node("InvertImage", category="image", infer=same("image"))
def invert_image(image: Image) -> Image:
    """The negative: every value v becomes 1 - v."""
    return Image(1 - image.pixels)


_SAME_SIZE = "bring them to one size with ResizeImage"


@known
def _blended(first: PixelFacts, second: PixelFacts) -> PixelFacts:
    batch = facts.matched(first, second, ("first", "second"), _SAME_SIZE)
    return PixelFacts(batch, first.height, first.width)


@node("BlendImages", category="image", infer=_blended)
def blend_images(first: Image, second: Image, *, amount: Fraction = 0.5) -> Image:
    """Mix two pictures of one size.

    Args:
        amount: Share of the second: 0 is the first alone, 1 the second alone.
    """
    import torch

    from .diffusion import pixels

    pair = pixels.matched(first.pixels, second.pixels, ("first", "second"), _SAME_SIZE)
    return Image(torch.lerp(*pair, amount))


def check_thresholds(low: float, high: float) -> None:
    """Raise `InputError` unless edges can begin above where they go on."""
    if low > high:
        raise InputError(f"low is {low}, high {high}: give a low that is at most high", input="low")


@node("CannyEdges", category="image", check=check_thresholds, infer=same("image"))
def canny_edges(
    image: Image, *, low: Contrast = 0.4, high: Contrast = 0.8, blur: Contrast = 1.0
) -> Image:
    """White lines along the edges of a picture, on black: a hint for a ControlNet.

    Args:
        low: Gradient from which an edge goes on; OpenCV's threshold divided by 255.
        high: Gradient from which an edge begins; a jump from black to white has about 2.6.
        blur: Standard deviation, in pixels, of the blur that removes noise first.
    """
    from .diffusion import edges

    check_thresholds(low, high)
    return Image(edges.canny(image.pixels, low, high, blur).repeat(1, 3, 1, 1))
