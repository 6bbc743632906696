"""Provenance: the JSON in a picture's file that says how it was made.

PNG: an iTXt chunk `darkroom`. JPEG and WebP: the EXIF field UserComment, `darkroom:` before the
JSON. Reading needs neither Pillow nor torch.
"""

import base64
import json
import struct
import zlib
from collections.abc import Callable, Container, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from engine.errors import InputError

KEYWORD = "darkroom"
FOREIGN = ("prompt", "workflow")
"""The keywords of ComfyUI's texts in a PNG."""
_PNG = b"\x89PNG\r\n\x1a\n"
_MARK = b"darkroom:"
_EXIF, _USER_COMMENT = 0x8769, 0x9286
_LONGEST_COMMENT = 65_000
"""A JPEG segment holds 65 533 bytes, the frame of the EXIF block among them."""
_MOST = 64 * 2**20
"""The most bytes that are read, or inflated, for one provenance."""


def save_options(format_name: str, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """What to pass to Pillow's `save` so that the file carries `provenance`; nothing if it is empty.

    Raises:
        InputError: It is too long for a JPEG even when compressed.
    """
    if not provenance:
        return {}
    if format_name == "PNG":
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        texts, provenance = _apart(provenance)
        info.add_itxt(KEYWORD, json.dumps(provenance, separators=(",", ":")))
        for name, value in texts.items():
            info.add_text(name, json.dumps(value))
        return {"pnginfo": info}
    text = json.dumps(provenance, separators=(",", ":"))
    from PIL.Image import Exif

    exif = Exif()
    exif.get_ifd(_EXIF)[_USER_COMMENT] = b"ASCII\0\0\0" + _MARK + _shortened(text, format_name)
    return {"exif": exif.tobytes()}


def read_provenance(path: Path) -> dict[str, Any] | None:
    """The provenance in a PNG, JPEG or WebP file; None if there is none, or it is another file.

    Raises:
        InputError: There is one, and it is damaged.
        OSError: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            text = next(_texts(file), None)
        if text is None:
            return None
        found, _ = json.JSONDecoder().raw_decode(text.decode())
        if isinstance(found, dict) and found.keys() == {"zlib"}:
            found = json.loads(_inflate(base64.b64decode(found["zlib"])))
    except (ValueError, TypeError, RecursionError, zlib.error) as error:
        raise _damaged(path, str(error)) from error
    if not isinstance(found, dict):
        raise _damaged(path, "not a JSON object")
    return found


def embedded(path: Path) -> dict[str, Any]:
    """What a picture's file tells of its making, by keyword: `darkroom`, and ComfyUI's texts as they are.

    Raises:
        InputError: The provenance is damaged.
        OSError: The file cannot be read.
    """
    provenance = read_provenance(path)
    found: dict[str, Any] = {} if provenance is None else {KEYWORD: provenance}
    try:
        with path.open("rb") as file:
            return found | dict(_foreign_texts(file))
    except (ValueError, zlib.error) as error:
        raise _damaged(path, str(error)) from error


def _foreign_texts(file: IO[bytes]) -> Iterator[tuple[str, str]]:
    if file.read(8) == _PNG:
        for kind, data in _png_chunks(file, _TEXTS):
            keyword, _, rest = data.partition(b"\0")
            name = keyword.decode("latin-1")
            if name in FOREIGN:
                yield name, _readable(_TEXTS[kind](rest))


def _readable(text: bytes) -> str:
    """A text of a PNG; programs write UTF-8 where the format wants Latin-1."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")


def _apart(provenance: Mapping[str, Any]) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """The texts that a document of ComfyUI wants in its pictures, and the provenance without them.

    They lie in the document under `comfyui`, `embedded`.
    """
    document = provenance.get("workflow")
    kept = document.get("comfyui") if isinstance(document, Mapping) else None
    texts = kept.get("embedded") if isinstance(kept, Mapping) else None
    if not isinstance(document, Mapping) or not isinstance(texts, Mapping):
        return {}, provenance
    rest = {name: value for name, value in dict(kept or {}).items() if name != "embedded"}
    whole = {name: value for name, value in document.items() if name != "comfyui"}
    found = {str(name): value for name, value in texts.items() if _is_keyword(str(name))}
    return found, {**provenance, "workflow": whole | ({"comfyui": rest} if rest else {})}


def _is_keyword(name: str) -> bool:
    """Whether a text in a PNG can be called so, and does not pass for the provenance."""
    return 0 < len(name) < 80 and name.isascii() and name.isprintable() and name != KEYWORD


def _shortened(text: str, format_name: str) -> bytes:
    """The text as it is if it fits; else compressed, as an object with the one key `zlib`."""
    plain = text.encode("ascii")
    if len(plain) <= _LONGEST_COMMENT:
        return plain
    packed = json.dumps({"zlib": base64.b64encode(zlib.compress(plain, 9)).decode()}).encode()
    if format_name == "JPEG" and len(packed) > _LONGEST_COMMENT:
        raise InputError(
            f"the workflow takes {len(packed) // 1000} kB compressed, a JPEG holds "
            f"{_LONGEST_COMMENT // 1000} kB: save as PNG or WebP",
            code="too_large",
            input="to",
        )
    return packed


def _texts(file: IO[bytes]) -> Iterator[bytes]:
    """The provenance, or what begins with it, as it is found in the file."""
    head = file.read(12)
    if head.startswith(_PNG):
        file.seek(8)
        for kind, data in _png_chunks(file):
            keyword, _, rest = data.partition(b"\0")
            if kind == b"iTXt" and keyword == KEYWORD.encode():
                yield _international_text(rest)
    else:
        blocks: Iterator[bytes] = iter(())
        if head.startswith(b"\xff\xd8"):
            file.seek(2)
            blocks = _jpeg_exif(file)
        elif head[:4] == b"RIFF" and head[8:] == b"WEBP":
            blocks = _webp_exif(file)
        # Found by its mark, not by parsing EXIF: the JSON itself says where it ends.
        yield from (
            block.partition(_MARK)[2].partition(b"\0")[0] for block in blocks if _MARK in block
        )


def _png_chunks(
    file: IO[bytes], kinds: Container[bytes] = (b"iTXt",)
) -> Iterator[tuple[bytes, bytes]]:
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        wanted = kind in kinds and length <= _MOST
        if wanted:
            yield kind, file.read(length)
        file.seek(4 if wanted else length + 4, 1)


def _international_text(rest: bytes) -> bytes:
    """The text of an iTXt chunk, after its keyword; another program may have compressed it."""
    compressed = rest[:1] == b"\1"
    _language, _, rest = rest[2:].partition(b"\0")
    _translated, _, text = rest.partition(b"\0")
    return _inflate(text) if compressed else text


def _compressed_text(rest: bytes) -> bytes:
    """The text of a zTXt chunk, after its keyword."""
    return _inflate(rest[1:])


_TEXTS: Mapping[bytes, Callable[[bytes], bytes]] = {
    b"iTXt": _international_text,
    b"tEXt": bytes,
    b"zTXt": _compressed_text,
}


def _jpeg_exif(file: IO[bytes]) -> Iterator[bytes]:
    while len(head := file.read(4)) == 4:
        marker, length = struct.unpack(">HH", head)
        if marker >> 8 != 0xFF or marker == 0xFFDA or length < 2:  # the picture itself, or damage
            return
        data = file.read(length - 2)
        if marker == 0xFFE1 and data.startswith(b"Exif\0\0"):
            yield data


def _webp_exif(file: IO[bytes]) -> Iterator[bytes]:
    while len(head := file.read(8)) == 8:
        kind, length = struct.unpack("<4sI", head)
        padded = length + length % 2
        if kind == b"EXIF" and length <= _MOST:
            yield file.read(padded)
        else:
            file.seek(padded, 1)


def _inflate(data: bytes) -> bytes:
    """Decompress, but not without end."""
    inflater = zlib.decompressobj()
    text = inflater.decompress(data, _MOST)
    if not inflater.eof:
        raise ValueError("cut off or longer than 64 MiB")
    return text


def _damaged(path: Path, fault: str) -> InputError:
    return InputError(
        f"the provenance in {path.name} is damaged ({fault}): open the workflow's own file",
        code="damaged_file",
    )
