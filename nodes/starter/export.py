"""Export: the trained parts as one ordinary file in the family's original layout."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from nodes.diffusion import layout
from nodes.diffusion.layout import PartName


def write(path: Path, parts: Mapping[PartName, nn.Module], about: Mapping[str, str]) -> None:
    """Write parts in half precision; `about` becomes the file's metadata."""
    tensors = layout.to_checkpoint({name: _plain(part) for name, part in parts.items()})
    half = {name: tensor.half().contiguous() for name, tensor in tensors.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(half, path, {"format": "pt", **about})


def read(path: Path, name: PartName, part: nn.Module) -> None:
    """Fill a part with its weights from a file; every weight must be there."""
    prefix = layout.PREFIXES[name]
    tensors = {
        key.removeprefix(prefix): value.float()
        for key, value in load_file(path).items()
        if key.startswith(prefix)
    }
    found = layout.to_diffusers(name, tensors)
    part.load_state_dict(found)


def _plain(part: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().to(torch.float32) for name, value in part.state_dict().items()}
