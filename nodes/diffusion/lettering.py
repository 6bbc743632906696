"""Text in pictures: values written short, wrapped to a width, drawn as coverage.

Sizes and widths are in pixels. The font is the one inside Pillow, so that letters look the same on
every machine.
"""

import json
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, cast

import numpy as np
import PIL.Image
import torch
from PIL import ImageDraw, ImageFont
from torch import Tensor

ELLIPSIS = "…"
_LACKING = "\uffff"
# Of dashes, the sign of multiplication, and letters that Unicode does not take apart.
_LETTERS = {
    "\u2013": "-",
    "\u2014": "-",
    "\u2212": "-",
    "\u00d7": "x",
    "ß": "ss",
    "ø": "o",
    "ł": "l",
}
_SIMILAR = str.maketrans(_LETTERS)
_ANCHORS = {"left": "ls", "center": "ms", "right": "rs"}
_LONGEST = 2000
"""Letters of a label that are looked at; none shows more."""


@dataclass(frozen=True)
class Caption:
    """Lines of text whose upper left corner is (left, top), aligned within a width."""

    left: int
    top: int
    width: int
    size: int
    lines: tuple[str, ...]
    align: Literal["left", "center", "right"] = "left"
    is_quiet: bool = False
    """Drawn paler: what names things, beside the things."""

    @property
    def height(self) -> int:
        """Of all lines together."""
        return len(self.lines) * line_height(self.size)


def written(value: Any) -> str:
    """A JSON value as a label: numbers in six digits, no quotes, objects as `kind, name value`."""
    if isinstance(value, str):
        return value.strip() or "(empty)"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(written, value)) or "(empty)"
    if isinstance(value, dict):
        items = value.items()
        return ", ".join(written(v) if k == "kind" else f"{k} {written(v)}" for k, v in items)
    return "none" if value is None else json.dumps(value, default=str)


def drawable(text: str) -> str:
    """The text on one line, in letters of the font where there are such: `é` becomes `e`.

    What it lacks otherwise is drawn as a box.
    """
    one_line = re.sub(r"\s+", " ", text[:_LONGEST]).strip().translate(_SIMILAR)
    return "".join(letter if _has(letter) else _plain(letter) for letter in one_line)


def line_height(size: int) -> int:
    """From one line of text to the next."""
    return sum(_font(size).getmetrics())


def width_of(text: str, size: int) -> int:
    """How wide the text is drawn."""
    return int(-(-_font(size).getlength(text) // 1))


def wrapped(text: str, size: int, across: int, most: int) -> tuple[str, ...]:
    """Lines at most `across` wide, broken between words; what `most` lines do not hold is cut off."""
    rest = drawable(text)
    lines: list[str] = []
    while rest:
        fits = _fitting(rest, size, across)
        if fits >= len(rest):
            lines.append(rest)
            break
        if len(lines) == most - 1:
            fits = _fitting(rest, size, across - width_of(ELLIPSIS, size))
            lines.append(rest[:fits].rstrip(" ,.;:") + ELLIPSIS)
            break
        space = rest.rfind(" ", 0, fits + 1)
        end = space if space > 0 else max(fits, 1)
        lines.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return tuple(lines)


def wrapped_apart(texts: Sequence[str], size: int, across: int, most: int) -> list[tuple[str, ...]]:
    """Each text wrapped; without the words that all begin with, if they would look alike with them."""
    lines = [wrapped(text, size, across, most) for text in texts]
    if len(set(lines)) < len(set(texts)):
        lines = [wrapped(text, size, across, most) for text in _without_common_start(texts)]
    return lines


def coverage(caption: Caption) -> Tensor:
    """How much of each pixel the letters cover, (height, width) in 0-1."""
    plane = PIL.Image.new("L", (caption.width, caption.height))
    draw = ImageDraw.Draw(plane)
    font = _font(caption.size)
    x = {"left": 0, "center": caption.width / 2, "right": caption.width}[caption.align]
    for number, line in enumerate(caption.lines):
        y = number * line_height(caption.size) + font.getmetrics()[0]
        draw.text((x, y), line, fill=255, font=font, anchor=_ANCHORS[caption.align])
    return torch.from_numpy(np.array(plane)).float() / 255


def _without_common_start(texts: Sequence[str]) -> list[str]:
    words = [text.split(" ") for text in texts]
    differs = (len(set(column)) > 1 for column in zip(*words, strict=False))
    shared = next((at for at, found in enumerate(differs) if found), min(map(len, words)))
    mark = [ELLIPSIS] if shared else []
    return [" ".join(mark + rest[shared:]) for rest in words]


def _fitting(text: str, size: int, across: int) -> int:
    """How many letters from the beginning are at most `across` wide together."""
    return bisect_right(range(1, len(text) + 1), across, key=lambda end: width_of(text[:end], size))


@lru_cache(maxsize=64)
def _font(size: int) -> ImageFont.FreeTypeFont:
    # With a size it is scalable or raises, whatever its type says.
    return cast("ImageFont.FreeTypeFont", ImageFont.load_default(size))


@lru_cache(maxsize=4096)
def _has(letter: str) -> bool:
    font = _font(16)
    glyph, box = font.getmask(letter), font.getmask(_LACKING)
    return letter == " " or (glyph.size, bytes(glyph)) != (box.size, bytes(box))


def _plain(letter: str) -> str:
    """The letter without its marks, if the font has that."""
    base = "".join(c for c in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(c))
    return base if base and all(map(_has, base)) else letter
