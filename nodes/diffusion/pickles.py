"""Weights in pickles (.ckpt), read without running what a pickle may ask to run."""

import pickle
import re
import threading
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals
from typing_extensions import override

from engine.errors import InputError


class Inert:
    """Stands in for the training code's classes that old checkpoints mention beside their weights."""

    def __init__(self, *args: object, **keywords: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


class Held(Inert):
    """Stands in for a container of torch's that old files keep their tensors in."""

    def __init__(self, *args: object, **keywords: object) -> None:
        self.state: dict[str, Any] = {}

    @override
    def __setstate__(self, state: object) -> None:
        self.state = state if isinstance(state, dict) else {}


_CONTAINERS = ("torch.nn.modules.container.ParameterDict",)
_KNOWN = (
    "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint",
    "pytorch_lightning.callbacks.early_stopping.EarlyStopping",
    "lightning.pytorch.callbacks.model_checkpoint.ModelCheckpoint",
    "lightning_fabric.utilities.data.AttributeDict",
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray.scalar",
    "numpy.dtype",
    "numpy.dtypes.Float32DType",
    "numpy.dtypes.Float64DType",
    "numpy.dtypes.Int64DType",
    "_codecs.encode",
)
"""What checkpoints of the training programs hold beside tensors. Replaced, so none of it runs."""


_BROKEN = (
    pickle.UnpicklingError,
    RuntimeError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
)
_ALONE = threading.Lock()
"""Held while reading: torch keeps one list of the globals it trusts for the whole process."""
_REFUSED = re.compile(r"GLOBAL (\S+)")


def read_pickle(path: Path) -> dict[str, torch.Tensor]:
    """The tensors in a pickled checkpoint, by name, on the CPU; those of a zip are memory-mapped.

    Raises:
        InputError: As for `read_tree`, or there are no named tensors.
        OSError: It cannot be read.
    """
    return _tensors(path, read_tree(path))


@torch.inference_mode(mode=False)  # the caller may sample in it, but the weights are for others too
def read_tree(path: Path) -> Any:
    """What a pickle holds: tensors, numbers and texts, in dicts and lists.

    Raises:
        InputError: It names anything but tensors and `_KNOWN` (code "unsafe_pickle"; nothing was
            run), or it is damaged.
        OSError: It cannot be read.
    """
    tree: Any = None
    is_zip = zipfile.is_zipfile(path)
    allowed: list[Any] = [(Inert, name) for name in _KNOWN]
    allowed += [(Held, name) for name in _CONTAINERS]
    with _ALONE, safe_globals(allowed), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pickle protocols that torch does not write itself
        try:
            names = get_unsafe_globals_in_checkpoint(path) if is_zip else []
            if not names:
                tree = torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip)
        except _BROKEN as error:
            refused = _REFUSED.search(str(error))
            if refused is None:
                raise InputError(
                    f"{path.name} is cut off, no checkpoint, or a pickle that cannot be trusted; nothing of it was run. "
                    "Download it again, or use the .safetensors file of the same model",
                    code="damaged_file",
                ) from error
            names = [refused[1]]
    if names:
        raise InputError(
            f"{path.name} is a pickle that asks to run {', '.join(sorted(set(names)))}; nothing of it was run. "
            "Use the .safetensors file of the same model, or convert it on a machine that you can spare",
            code="unsafe_pickle",
        )
    return tree


def _tensors(path: Path, tree: Any) -> dict[str, torch.Tensor]:
    held = tree.get("state_dict", tree) if isinstance(tree, Mapping) else None
    found = (
        {
            name: item
            for name, item in held.items()
            if isinstance(name, str) and isinstance(item, torch.Tensor)
        }
        if isinstance(held, Mapping)
        else {}
    )
    if not found:
        raise InputError(
            f"{path.name} holds no named tensors: choose a checkpoint", code="damaged_file"
        )
    return found
