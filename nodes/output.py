"""Output nodes: pictures and tables become files."""

import errno
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.artifacts import Artifact, Delivery, here
from engine.grid import Grid
from engine.node import node

from .tables import Table, csv_text, joined, json_text, markdown_text, within
from .values import Image

OutputName = Annotated[
    str,
    Field(min_length=1, max_length=200, description="Begins the files' names; may hold folders"),
]
ColumnName = Annotated[str, Field(min_length=1, max_length=200)]
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


class Csv(_Format):
    """For spreadsheets and programs: UTF-8, texts in quotes where they need them."""

    suffix: ClassVar[str] = "csv"
    media_type: ClassVar[str] = "text/csv"
    kind: Literal["csv"] = "csv"
    separator: Literal["comma", "semicolon", "tab"] = "comma"

    def text(self, table: Table) -> str:
        """What the file holds."""
        return csv_text(table, _SEPARATORS[self.separator])


class Json(_Format):
    """For programs: a list with one object for each row."""

    suffix: ClassVar[str] = "json"
    media_type: ClassVar[str] = "application/json"
    kind: Literal["json"] = "json"

    def text(self, table: Table) -> str:
        """What the file holds."""
        return json_text(table)


class Markdown(_Format):
    """For people."""

    suffix: ClassVar[str] = "md"
    media_type: ClassVar[str] = "text/markdown"
    kind: Literal["markdown"] = "markdown"

    def text(self, table: Table) -> str:
        """What the file holds."""
        return markdown_text(table)


FileFormat = Annotated[Png | WebP | Jpeg, Field(discriminator="kind")]
TableFormat = Annotated[Csv | Json | Markdown, Field(discriminator="kind")]
_SEPARATORS: Mapping[str, str] = {"comma": ",", "semicolon": ";", "tab": "\t"}
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
            raise _unwritten("picture", error, str(delivery.folder)) from error
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
            raise _unwritten("picture", error, str(delivery.previews)) from error
    return shown


@node("SaveTable", category="output")
def save_table(
    values: Grid[Any],
    *,
    header: ColumnName = "value",
    columns: dict[str, Any] = {},  # noqa: B006 - never changed
    name: OutputName = "table",
    to: TableFormat = Csv(),
    delivery: Delivery = here,
) -> Artifact:
    """Save a table of a sweep: one row for each cell, with its labels.

    Args:
        values: Numbers, texts and other JSON; or files, such as those of SaveImage, for their
            paths: from where the table lies if that is the folder of outputs too, else whole.
        header: What the column of the values is called.
        columns: Further columns by name, each with a link to a table of the same sweep. One that
            lacks some of its axes, or a single value, is repeated.
        name: Begins the file's name, `name_00001.csv` and so on; no file is overwritten. It may
            hold folders.
    """
    grids = {header: values} | {title: Grid.of(value) for title, value in columns.items()}
    table = joined(grids, within(delivery.folder, (delivery.folder / name).parent))
    data = to.text(table).encode("utf-8", "replace")
    try:
        return delivery.write(name, to.suffix, data, to.media_type)
    except OSError as error:
        raise _unwritten("table", error, str(delivery.folder)) from error


def _unwritten(what: str, error: OSError, folder: str) -> OSError:
    """The same error, told so that one knows what to do."""
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    writable = "see that it is a folder that can be written, or choose another"
    remedy = "free space there, or choose another folder" if full else writable
    reason = f"the {what} was not saved ({error.strerror or error}): {remedy}"
    return OSError(error.errno, reason, folder)
