"""Records: results as bytes that are found whole, or known to be damaged."""

import hashlib
import json
import re
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .canonical import canonical, digest
from .codecs import Buffer, Buffers, Codecs
from .errors import StoreError
from .trace import Entry

FORMAT = 3
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"([0-9a-f]{2})/(\1[0-9a-f]{62})(\.[0-9a-f]{16})?\.(json|safetensors)")


@dataclass(frozen=True)
class Note:
    """What the store knows of a result without reading its tensors.

    `run` names the run that made it, `peak` is the memory in bytes that this took, if measured.
    `behind` are the entries of its trace.
    """

    type_name: str
    seconds: float
    created: float
    size: int
    run: str = ""
    peak: int | None = None
    behind: Mapping[str, Entry] = field(default_factory=dict)


class DamagedError(Exception):
    """A record's bytes are not what was written."""


@dataclass(frozen=True)
class Head:
    """A record without its tensors: notes, values as JSON, the digest of the tensors' file."""

    key: str
    note: Note
    values: Any
    tensors: str | None
    text: bytes

    @property
    def name(self) -> str:
        """The file of this head."""
        return head_name(self.key)

    @property
    def tensors_name(self) -> str:
        """The tensors' file, named by its content: no other writer of the key can change it."""
        return f"{self.key[:2]}/{self.key}.{(self.tensors or '')[:16]}.safetensors"


@dataclass(frozen=True)
class Sealed:
    """A whole record as the bytes of its files."""

    head: Head
    tensors: bytes | None

    @property
    def size(self) -> int:
        """Bytes of both files."""
        return len(self.head.text) + len(self.tensors or b"")

    def outputs(self, codecs: Codecs) -> dict[str, Any]:
        """The outputs by name.

        Raises:
            StoreError: They are of classes that are not there, not allowed, or have other fields.
        """
        try:
            buffers = {} if self.tensors is None else _parse_safetensors(self.tensors)
            outputs: dict[str, Any] = codecs.decode(self.head.values, buffers)
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(f"the record {self.head.key} is of another version") from error
        return outputs


def head_name(key: str) -> str:
    """The file of a key's head."""
    return f"{key[:2]}/{key}.json"


def key_of(name: str) -> str | None:
    """The key that a file belongs to; none if it is no record's."""
    match = _NAME.fullmatch(name)
    return match and match[2]


def seal(key: str, outputs: Mapping[str, Any], note: Note, codecs: Codecs) -> Sealed:
    """A result as a record.

    Raises:
        StoreError: A value is of a class that no codec knows.
        ValueError: A number is infinite or NaN, which JSON has not.
    """
    tree, buffers = codecs.encode(dict(outputs))
    tensors = _safetensors(buffers) if buffers else None
    checked = None if tensors is None else hashlib.sha256(tensors).hexdigest()
    body = {"record": FORMAT, "key": key, "note": asdict(note), "values": tree, "tensors": checked}
    text = canonical({"body": body, "sha256": digest(canonical(body))}).encode()
    return Sealed(Head(key, note, tree, checked, text), tensors)


def parse_head(key: str, text: bytes) -> Head | None:
    """The head of a key's record; none if another version wrote it.

    Raises:
        DamagedError: It is not what was written, or not for this key.
    """
    try:
        sealed = json.loads(text)
        body: dict[str, Any] = sealed["body"]
        if sealed["sha256"] != digest(canonical(body)):
            raise DamagedError
        if body["record"] != FORMAT:
            return None
        tensors = body["tensors"]
        if body["key"] != key or not (tensors is None or _DIGEST.fullmatch(tensors)):
            raise DamagedError
        return Head(key, Note(**body["note"]), body["values"], tensors, text)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedError from error


def join(head: Head, tensors: bytes | None) -> Sealed:
    """A head with the tensors that belong to it.

    Raises:
        DamagedError: They are not there, or not what was written.
    """
    if head.tensors is not None and (
        tensors is None or hashlib.sha256(tensors).hexdigest() != head.tensors
    ):
        raise DamagedError
    return Sealed(head, tensors)


def _safetensors(buffers: Buffers) -> bytes:
    """The buffers in the safetensors format: length of the header, header as JSON, data."""
    header: dict[str, Any] = {}
    chunks: list[bytes | bytearray | memoryview] = []
    end = 0
    for name, buffer in buffers.items():
        start, end = end, end + len(buffer.data)
        header[name] = {
            "dtype": buffer.dtype,
            "shape": list(buffer.shape),
            "data_offsets": [start, end],
        }
        chunks.append(buffer.data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([struct.pack("<Q", len(text)), text, *chunks])


def _parse_safetensors(data: bytes) -> Buffers:
    """The buffers of a file whose digest was found right."""
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    body = memoryview(data)[8 + length :]
    return {
        name: Buffer(item["dtype"], tuple(item["shape"]), body[slice(*item["data_offsets"])])
        for name, item in header.items()
    }
