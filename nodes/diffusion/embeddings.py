"""Textual-inversion embeddings: vectors that stand in a prompt in place of a word's (arXiv:2208.01618)."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from engine.errors import InputError
from nodes.widgets import FamilyName, TowerName

from .additions import Addition, open_addition
from .families import FAMILIES

if TYPE_CHECKING:
    from torch import Tensor

ENDINGS = (".safetensors", ".pt", ".bin", ".ckpt", ".pth")
"""A prompt may name a file without one of them."""
_FAMILIES: dict[int, FamilyName] = {768: "sd1", 1024: "sd2", 1280: "sdxl"}
_NAMES: dict[TowerName, str] = {"text_encoder": "clip_l", "text_encoder_2": "clip_g"}
"""What SDXL's files call the vectors of each text encoder."""
_NARROWEST = 8
"""Narrower tensors are no vectors but counters that trainers leave in the file."""


def open_embedding(path: Path) -> Addition:
    """An embedding's file, whatever program wrote it. Of a safetensors file only the header is read.

    Raises:
        InputError: It is damaged, unsafe, or holds no vectors.
        OSError: It cannot be read.
    """
    file = open_addition(path)
    if not _vectors(file):
        raise InputError(
            f"{path.name} is no textual-inversion embedding: it holds {next(iter(file.sources))}"
            f" of {list(file.shape(next(iter(file.sources))))}; choose another file",
            code="unsupported_family",
        )
    return file


def check_towers(file: Addition, towers: Collection[TowerName], what: str) -> None:
    """Refuse an embedding that is made for two text encoders where there is one.

    Args:
        file: The embedding.
        towers: The text encoders that there are.
        what: Their family, for the message.

    Raises:
        InputError: It is made for another family (code "family_mismatch").
    """
    found = _vectors(file)
    if family(file) == "sdxl" and "text_encoder_2" not in towers:
        raise InputError(
            f"the embedding {file.path.name} is made for SDXL, it has vectors of two text encoders"
            f" ({', '.join(sorted(found))}), and {what} has one: choose an embedding of the same family",
            code="family_mismatch",
        )


def family(file: Addition) -> FamilyName | Literal[""]:
    """The family that an embedding is made for, if its vectors' widths tell."""
    found = _vectors(file)
    widths = {shape[-1] for shape in found.values()}
    if _NAMES["text_encoder_2"] in found or len(widths) > 1:
        return "sdxl"
    return _FAMILIES.get(widths.pop(), "")


def count(file: Addition, width: int, tower: TowerName = "text_encoder") -> int:
    """How many tokens of an encoder of that width the embedding takes.

    Raises:
        InputError: See `vectors`.
    """
    return sum(_rows(file.shape(name)) for name in _fitting(file, width, tower))


def vectors(file: Addition, width: int, tower: TowerName = "text_encoder") -> "Tensor":
    """The vectors for a text encoder of that width: (tokens, width), float32 on the CPU.

    A file of two encoders of one width tells theirs apart by name.

    Raises:
        InputError: It has none of that width, so it is of another family (code "width_mismatch").
    """
    import torch

    names = _fitting(file, width, tower)
    held = file.read(names)
    return torch.cat([held[name].reshape(-1, width) for name in names])


def _fitting(file: Addition, width: int, tower: TowerName) -> list[str]:
    found = _vectors(file)
    fitting = [name for name, shape in found.items() if shape[-1] == width]
    if _NAMES[tower] in fitting:
        return [_NAMES[tower]]
    if fitting:
        return fitting
    widths = sorted({shape[-1] for shape in found.values()})
    raise InputError(
        f"the embedding {file.path.name} has vectors of the width {' and '.join(map(_family, widths))},"
        f" the text encoder reads {_family(width)}: choose an embedding of the same family",
        code="width_mismatch",
    )


def _vectors(file: Addition) -> dict[str, tuple[int, ...]]:
    shapes = {name: source.shape for name, source in file.sources.items()}
    return {
        name: shape
        for name, shape in shapes.items()
        if len(shape) in {1, 2} and shape[-1] >= _NARROWEST and not name.startswith("optimizer")
    }


def _rows(shape: tuple[int, ...]) -> int:
    return shape[0] if len(shape) == 2 else 1


def _family(width: int) -> str:
    return f"{width} ({FAMILIES[_FAMILIES[width]].title})" if width in _FAMILIES else str(width)
