"""Files that stand beside a checkpoint, such as LoRAs: their tensors by name, from the header alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from engine.errors import InputError

from .checkpoints import PICKLE_ENDINGS
from .headers import read_header
from .parts import Source, Stored, Unpickled

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Addition:
    """One such file. Tensors inside of others in a pickle have the names on the way joined by dots."""

    path: Path
    sources: Mapping[str, Source]
    metadata: Mapping[str, str]

    @property
    def name(self) -> str:
        """What it is to the pool, for messages."""
        return "network"

    @property
    def count(self) -> int:
        """How many numbers all its tensors have."""
        return sum(source.count for source in self.sources.values())

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of one tensor."""
        return self.sources[name].shape

    def read(self, names: Iterable[str]) -> "dict[str, Tensor]":
        """Some of the tensors, in float32 on the CPU.

        Raises:
            InputError: One holds no floating-point numbers.
        """
        import torch

        from .weights import MappedFiles

        files = MappedFiles()
        found = {}
        for name in names:
            source = self.sources[name]
            stored = (
                files.tensor(source, torch.float32)
                if isinstance(source, Stored)
                else cast(Unpickled, source).tensor
            )
            found[name] = stored.detach().to("cpu", torch.float32)
        return found


def open_addition(path: Path) -> Addition:
    """The tensors of a file. Only the header is read, except of a pickle.

    Raises:
        InputError: It is damaged, unsafe, or holds no tensors.
        OSError: It cannot be read.
    """
    if path.suffix.lower() in PICKLE_ENDINGS:
        from .pickles import read_tree

        found = dict(_flattened(read_tree(path)))
        sources: dict[str, Source] = {
            name: Unpickled(tensor, tuple(tensor.shape)) for name, tensor in found.items()
        }
        metadata: Mapping[str, str] = {}
    else:
        header = read_header(path)
        metadata = header.metadata
        sources = {
            name: Stored(path, entry.dtype, entry.shape, entry.start, entry.size)
            for name, entry in header.entries.items()
        }
    if not sources:
        raise InputError(
            f"{path.name} holds no tensors: download it again or choose another file",
            code="damaged_file",
        )
    return Addition(path, sources, metadata)


def _flattened(tree: Any, prefix: str = "") -> "Iterable[tuple[str, Tensor]]":
    import torch

    from .pickles import Held

    if isinstance(tree, Held):
        tree = tree.state.get("_parameters", {})
    if isinstance(tree, torch.Tensor):
        yield prefix.removesuffix("."), tree
    elif isinstance(tree, Mapping | list | tuple):
        items = tree.items() if isinstance(tree, Mapping) else enumerate(tree)
        for name, item in items:
            yield from _flattened(item, f"{prefix}{name}.")
