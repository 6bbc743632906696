"""Output nodes: pictures become files."""

import errno
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.artifacts import Artifact, Delivery, here
from engine.node import node

from .values import Image

OutputName = Annotated[
    str,
    Field(min_length=1, max_length=200, description="Begins the files' names; may hold folders"),
]
Quality = Annotated[int, Field(ge=1, le=100)]


class _Format(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Png(_Format):
    """Exact; the largest files."""

    format_name: ClassVar[Literal["PNG"]] = "PNG"
    kind: Literal["png"] = "png"
    compression: Annotated[int, Field(ge=0, le=9, description="0 is quick, 9 is small")] = 4

    def options(self) -> dict[str, Any]:
        """What to pass to Pillow's `save`."""
        return {"compress_level": self.compression}


class WebP(_Format):
    """Small; exact if lossless."""

    format_name: ClassVar[Literal["WEBP"]] = "WEBP"
    kind: Literal["webp"] = "webp"
    quality: Quality = 90
    lossless: bool = False

    def options(self) -> dict[str, Any]:
        """What to pass to Pillow's `save`; lossless, quality is the effort."""
        return {"quality": self.quality, "lossless": self.lossless, "exact": True}


class Jpeg(_Format):
    """Small, and read everywhere."""

    format_name: ClassVar[Literal["JPEG"]] = "JPEG"
    kind: Literal["jpeg"] = "jpeg"
    quality: Quality = 92

    def options(self) -> dict[str, Any]:
        """What to pass to Pillow's `save`; colours in full resolution, as generated edges need."""
        return {"quality": self.quality, "subsampling": "4:4:4"}


FileFormat = Annotated[Png | WebP | Jpeg, Field(discriminator="kind")]
_QUICK = Png(compression=1)


@node("SaveImage", category="output")
def save_image(
    image: Image,
    *,
    name: OutputName = "darkroom",
    to: FileFormat = Png(),
    delivery: Delivery = here,
) -> list[Artifact]:
    """Save every picture of a batch as a file that also tells how it was made.

    Args:
        name: Begins the files' names, `name_00001.png` and so on; no file is overwritten. It may
            hold folders, such as `cats/tabby`.
    """
    from .diffusion import pictures

    saved = []
    for index, picture in enumerate(image.pixels):
        provenance = delivery.provenance_of(index, len(image.pixels))
        data = pictures.encode(picture, to.format_name, provenance, to.options())
        try:
            saved.append(delivery.write(name, to.kind, data, f"image/{to.kind}"))
        except OSError as error:
            raise _unwritten(error, str(delivery.folder)) from error
    return saved


@node("PreviewImage", category="output")
def preview_image(image: Image, *, delivery: Delivery = here) -> list[Artifact]:
    """Show every picture of a batch, without keeping it among the outputs."""
    from .diffusion import pictures

    shown = []
    for picture in image.pixels:
        data = pictures.encode(picture, _QUICK.format_name, {}, _QUICK.options())
        try:
            shown.append(delivery.write_preview("preview", _QUICK.kind, data, "image/png"))
        except OSError as error:
            raise _unwritten(error, str(delivery.previews)) from error
    return shown


def _unwritten(error: OSError, folder: str) -> OSError:
    """The same error, told so that one knows what to do."""
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    writable = "see that it is a folder that can be written, or choose another"
    remedy = "free space there, or choose another folder" if full else writable
    reason = f"the picture was not saved ({error.strerror or error}): {remedy}"
    return OSError(error.errno, reason, folder)
