"""The header of a safetensors file, read strictly: what a file holds, without reading it."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from engine.errors import InputError

ITEM_SIZES = {
    "BOOL": 1,
    "U8": 1,
    "I8": 1,
    "F8_E5M2": 1,
    "F8_E4M3": 1,
    "U16": 2,
    "I16": 2,
    "F16": 2,
    "BF16": 2,
    "U32": 4,
    "I32": 4,
    "F32": 4,
    "U64": 8,
    "I64": 8,
    "F64": 8,
}
_LONGEST = 100_000_000
"""The header's longest length in bytes, as the reference implementation has it."""
_STRANGERS = (
    (
        b"version https://git-lfs",
        "it is a Git LFS pointer, not the file: fetch it with `git lfs pull`",
    ),
    (b"PK\x03\x04", "it is a pickle (.ckpt) under another name: give it the ending .ckpt"),
    (
        b"<",
        "it is a web page, not weights: download it again, signed in where the site asks for it",
    ),
    (b"GGUF", "it is a GGUF file: convert it to safetensors"),
)


class Entry(NamedTuple):
    """Where one tensor lies: `start` counts from the beginning of the file, both in bytes."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    size: int


@dataclass(frozen=True)
class Header:
    """The tensors of one file by name, and the texts that its maker put beside them."""

    path: Path
    entries: Mapping[str, Entry]
    metadata: Mapping[str, str]


def read_header(path: Path) -> Header:
    """What the safetensors file at `path` holds.

    Every byte of the file must belong to exactly one tensor, so a truncated download, a damaged
    header and a file made to deceive are all found here.

    Raises:
        InputError: The file is damaged (code "damaged_file"); names the fault.
        OSError: The file cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(32)
        for magic, fault in _STRANGERS:
            if start.startswith(magic):
                _refuse(path, fault)
        if len(start) < 8:
            _refuse(path, f"it has {size} bytes; download or copy it again")
        length = int.from_bytes(start[:8], "little")
        if not 2 <= length <= min(size - 8, _LONGEST):
            _refuse(
                path,
                f"its header claims {length} bytes of a file of {size}; download or copy it again",
            )
        file.seek(8)
        text = file.read(length)
    tree = _parse(path, text)
    metadata = tree.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(
        isinstance(value, str) for value in metadata.values()
    ):
        _refuse(path, "its __metadata__ is not a table of texts; save it again")
    data_start = 8 + length
    entries = {name: _entry(path, name, item, data_start) for name, item in tree.items()}
    _check_cover(path, entries, data_start, size)
    return Header(path, entries, metadata)


def _parse(path: Path, text: bytes) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in made if names.count(name) > 1)
            _refuse(path, f"its header has {twice!r} twice; save it again with a current program")
        return made

    try:
        tree = json.loads(text.decode("utf-8"), object_pairs_hook=unique)
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        raise _damaged(
            path, f"its header is not JSON ({error}); download or copy it again"
        ) from error
    if not isinstance(tree, dict):
        _refuse(path, "its header is not a JSON object; download or copy it again")
    return tree


def _entry(path: Path, name: str, item: object, data_start: int) -> Entry:
    if not isinstance(item, dict) or set(item) != {"dtype", "shape", "data_offsets"}:
        _refuse(path, f"the entry of {name!r} is not {{dtype, shape, data_offsets}}; save it again")
    dtype, shape, offsets = item["dtype"], item["shape"], item["data_offsets"]
    if not isinstance(dtype, str) or dtype not in ITEM_SIZES:
        _refuse(path, f"{name!r} has the unknown type {dtype!r}; save it as F16, BF16 or F32")
    if not (_counts(shape) and _counts(offsets) and len(offsets) == 2 and len(shape) <= 16):
        _refuse(path, f"{name!r} has a shape or offsets that are no lists of counts; save it again")
    begin, end = offsets
    size = math.prod(shape) * ITEM_SIZES[dtype]
    if end - begin != size:
        _refuse(
            path,
            f"{name!r} of shape {shape} and type {dtype} needs {size} bytes and has {end - begin}",
        )
    return Entry(dtype, tuple(shape), data_start + begin, size)


def _counts(value: object) -> bool:
    return isinstance(value, list) and all(
        type(item) is int and 0 <= item < 2**63 for item in value
    )


def _check_cover(path: Path, entries: Mapping[str, Entry], data_start: int, size: int) -> None:
    """Refuse overlaps, holes between tensors, and data that are missing or left over."""
    end = data_start
    for name, entry in sorted(entries.items(), key=lambda item: (item[1].start, item[1].size)):
        if entry.start != end:
            relation = (
                "overlaps the tensor before it" if entry.start < end else "leaves a hole before it"
            )
            _refuse(path, f"{name!r} {relation}; save it again")
        end = entry.start + entry.size
    if end > size:
        _refuse(
            path,
            f"it is cut off: {size} bytes are there, {end} belong to it; download or copy it again",
        )
    if end < size:
        _refuse(path, f"it has {size - end} bytes after the last tensor; download or copy it again")


def _damaged(path: Path, fault: str) -> InputError:
    return InputError(f"{path.name} cannot be read: {fault}", code="damaged_file")


def _refuse(path: Path, fault: str) -> NoReturn:
    raise _damaged(path, fault)
