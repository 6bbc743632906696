"""Values to JSON with buffers beside it, and back; never by pickle."""

import hashlib
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from pydantic import BaseModel

from .canonical import canonical, digest
from .errors import StoreError

Buffers = dict[str, "Buffer"]


@dataclass(frozen=True)
class Buffer:
    """A tensor's bytes as safetensors describes them: dtype by its code, shape, row-major data."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes | bytearray | memoryview


@dataclass(frozen=True)
class Codec:
    """How values of one foreign class travel, such as tensors, without the engine importing it."""

    type_name: str
    """`module.qualname` of the class."""
    size: Callable[[Any], int]
    encode: Callable[[Any], Buffer]
    decode: Callable[[Buffer], Any]


@dataclass(frozen=True)
class Codecs:
    """Encodes plain data, dataclasses, named tuples and models of the known packages, and foreign values.

    A stored record may name only classes of `packages`, so that a foreign store cannot make this
    program build arbitrary objects.
    """

    packages: frozenset[str] = frozenset({"engine"})
    foreign: Mapping[str, Codec] = field(default_factory=dict)

    def size(self, value: object) -> int:
        """About how many bytes of memory the value holds."""
        if value is None or isinstance(value, (bool, int, float)):
            return 32
        if isinstance(value, str):
            return 64 + len(value)
        if isinstance(value, (list, tuple)):
            return 64 + sum(map(self.size, value))
        if isinstance(value, dict):
            return 64 + sum(self.size(k) + self.size(v) for k, v in value.items())
        codec = self.foreign.get(_name(type(value)))
        if codec is not None:
            return codec.size(value)
        return 64 + sum(self.size(item) for item in _members(value).values())

    def encode(self, value: object) -> tuple[Any, Buffers]:
        """A JSON tree and the buffers that it refers to.

        Raises:
            StoreError: The value is of a class that no codec knows.
        """
        buffers: Buffers = {}
        return self._encode(value, buffers), buffers

    def _encode(self, value: object, buffers: Buffers) -> Any:
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if isinstance(value, list):
            return [self._encode(item, buffers) for item in value]
        if isinstance(value, dict):
            items = [[self._encode(k, buffers), self._encode(v, buffers)] for k, v in value.items()]
            return {"$dict": items}
        if isinstance(value, tuple) and not hasattr(value, "_fields"):
            return {"$tuple": [self._encode(item, buffers) for item in value]}
        name = _name(type(value))
        codec = self.foreign.get(name)
        if codec is not None:
            label = str(len(buffers))
            buffers[label] = codec.encode(value)
            return {"$buffer": label, "as": name}
        if not self._known(type(value).__module__):
            raise StoreError(
                f"a {name} cannot be stored: make it a frozen dataclass of a node package"
            )
        members = {n: self._encode(item, buffers) for n, item in _members(value).items()}
        return {"$value": f"{type(value).__module__}:{type(value).__qualname__}", "fields": members}

    def decode(self, tree: Any, buffers: Mapping[str, Buffer]) -> Any:
        """The value that `encode` was given.

        Raises:
            StoreError: The tree names a class that is not there any more, or is not allowed.
        """
        if isinstance(tree, list):
            return [self.decode(item, buffers) for item in tree]
        if not isinstance(tree, dict):
            return tree
        if "$dict" in tree:
            return {self.decode(k, buffers): self.decode(v, buffers) for k, v in tree["$dict"]}
        if "$tuple" in tree:
            return tuple(self.decode(item, buffers) for item in tree["$tuple"])
        if "$buffer" in tree:
            codec = self.foreign.get(tree["as"])
            if codec is None:
                raise StoreError(f"no codec for {tree['as']}")
            return codec.decode(buffers[tree["$buffer"]])
        made = self._class(tree["$value"])
        return made(**{name: self.decode(item, buffers) for name, item in tree["fields"].items()})

    def _class(self, name: str) -> Any:
        module, _, qualname = name.partition(":")
        if not self._known(module):
            raise StoreError(f"a stored value names the class {name}, which is in no node package")
        try:
            found: Any = importlib.import_module(module)
            for part in qualname.split("."):
                found = getattr(found, part)
        except (ImportError, AttributeError) as error:
            raise StoreError(
                f"a stored value names the class {name}, which is not there"
            ) from error
        if not (isinstance(found, type) and _is_record(found)):
            raise StoreError(f"a stored value names {name}, which is no class of values")
        return found

    def _known(self, module: str) -> bool:
        return module.partition(".")[0] in self.packages


def content_digest(codecs: Codecs, value: Any) -> str:
    """SHA-256 of a value by its content: equal for equal values, tensors included.

    Raises:
        StoreError: The value is of a class that no codec knows.
    """
    tree, buffers = codecs.encode(value)
    parts = {
        name: [buffer.dtype, list(buffer.shape), hashlib.sha256(buffer.data).hexdigest()]
        for name, buffer in buffers.items()
    }
    return digest(canonical([tree, parts]))


def _name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _is_record(cls: type) -> bool:
    return is_dataclass(cls) or hasattr(cls, "_fields") or issubclass(cls, BaseModel)


def _members(value: object) -> dict[str, Any]:
    if is_dataclass(value):
        return {item.name: getattr(value, item.name) for item in fields(value)}
    if isinstance(value, BaseModel):
        return {name: getattr(value, name) for name in type(value).model_fields}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return dict(zip(value._fields, value, strict=True))
    raise StoreError(f"a {_name(type(value))} cannot be stored: make it a frozen dataclass")
