"""The graphs that ComfyUI writes into its PNG files."""

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.errors import GraphError, Problem
from engine.workflow import MAX_BYTES

PNG = b"\x89PNG\r\n\x1a\n"
_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_KEYS = ("workflow", "prompt")
"""The editor's format says more, so it comes first."""


def read_embedded(path: Path) -> dict[str, Any]:
    """The JSON documents called "workflow" and "prompt" in a PNG file, as far as they are there.

    Raises:
        GraphError: The file is damaged, or a text in it is larger than a workflow may be.
    """
    found: dict[str, Any] = {}
    for key, text in _texts(path):
        if key in _KEYS and key not in found:
            try:
                # NaN is no JSON, but ComfyUI writes it for what changes in every run.
                found[key] = json.loads(text, parse_constant=lambda _: None)
            except (ValueError, RecursionError):
                raise _damaged(path, f"its {key!r} is not JSON") from None
    return {key: found[key] for key in _KEYS if key in found}


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    """Keys and texts of all text chunks."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(8) != PNG:
            raise _damaged(path, "it is no PNG file")
        while header := file.read(8):
            length, kind = int.from_bytes(header[:4], "big"), header[4:]
            if len(header) < 8 or file.tell() + length + 4 > size:
                raise _damaged(path, "it ends too early")
            if kind == b"IEND":
                return
            if kind not in _TEXTS:
                file.seek(length + 4, 1)
                continue
            if length > MAX_BYTES:
                raise _damaged(path, f"a text in it is larger than {MAX_BYTES} bytes")
            data = file.read(length)
            file.seek(4, 1)
            try:
                yield _text(kind, data)
            except (ValueError, zlib.error):
                raise _damaged(path, "a text in it cannot be read") from None


def _text(kind: bytes, data: bytes) -> tuple[str, str]:
    key, _, rest = data.partition(b"\0")
    name = key.decode("latin-1")
    if kind == b"tEXt":
        # The standard says Latin-1. Programs write UTF-8 all the same.
        try:
            return name, rest.decode()
        except UnicodeDecodeError:
            return name, rest.decode("latin-1")
    if kind == b"zTXt":
        return name, _inflated(rest[1:]).decode("latin-1")
    compressed, body = rest[:1] == b"\1", rest[2:]
    _, _, body = body.partition(b"\0")  # the language
    _, _, body = body.partition(b"\0")  # the key in that language
    return name, (_inflated(body) if compressed else body).decode()


def _inflated(data: bytes) -> bytes:
    inflater = zlib.decompressobj()
    text = inflater.decompress(data, MAX_BYTES)
    if inflater.unconsumed_tail:
        raise ValueError(MAX_BYTES)
    return text


def _damaged(path: Path, fault: str) -> GraphError:
    message = f"{path}: {fault}: take the picture as ComfyUI saved it"
    return GraphError([Problem("unreadable", message)])
