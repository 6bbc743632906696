"""Random LoRAs for a module, in each spelling that people's files have."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

RANK = 4
Pairs = dict[str, dict[str, Tensor]]
"""For each weight its `down`, `up` and, for Tucker's form, `mid`."""


def pairs(module: Any, wanted: tuple[str, ...], seed: int, *, tucker: bool = False) -> Pairs:
    """A pair for every weight whose name holds one of the words."""
    generator = torch.Generator().manual_seed(seed)
    found: Pairs = {}
    for name, weight in module.named_parameters():
        if not name.endswith(".weight") or weight.ndim < 2 or not any(w in name for w in wanted):
            continue
        wide, narrow, *kernel = weight.shape
        middle = [1] * len(kernel) if tucker else kernel
        held = {
            "down": torch.randn(RANK, narrow, *middle, generator=generator) * 0.1,
            "up": torch.randn(wide, RANK, *[1] * len(kernel), generator=generator) * 0.1,
        }
        if tucker and len(kernel) == 2:
            held["mid"] = torch.randn(RANK, RANK, *kernel, generator=generator)
        found[name.removesuffix(".weight")] = held
    return found


def formula(pair: dict[str, Tensor], scale: float) -> Tensor:
    """scale * up @ down, kernels included, by definition."""
    down, up = pair["down"], pair["up"].flatten(1)
    if "mid" not in pair:
        product: Tensor = scale * torch.tensordot(up, down, dims=1)
        return product
    first = torch.tensordot(up, pair["mid"], dims=1)
    tucker: Tensor = scale * torch.einsum("pjkl,jr->prkl", first, down.flatten(1))
    return tucker


def kohya(prefix: str, held: Pairs, alpha: float | None) -> dict[str, Tensor]:
    """As kohya's programs write it."""
    found: dict[str, Tensor] = {}
    for stem, pair in held.items():
        base = f"{prefix}_{stem.replace('.', '_')}"
        found |= {f"{base}.lora_{role}.weight": tensor for role, tensor in pair.items()}
        if alpha is not None:
            found[f"{base}.alpha"] = torch.tensor(alpha)
    return found


def peft(prefix: str, held: Pairs) -> dict[str, Tensor]:
    """As PEFT, and diffusers over it, write it."""
    roles = {"down": "lora_A", "up": "lora_B"}
    return {
        f"{prefix}{stem}.{roles[role]}.weight": tensor
        for stem, pair in held.items()
        for role, tensor in pair.items()
    }


def old(prefix: str, held: Pairs) -> dict[str, Tensor]:
    """As diffusers wrote it before: attention only."""
    words = {"to_out.0": "to_out", "q_proj": "to_q", "k_proj": "to_k", "v_proj": "to_v"}
    words["out_proj"] = "to_out"
    found: dict[str, Tensor] = {}
    for stem, pair in held.items():
        owner, _, last = stem.partition(".to_") if ".to_" in stem else stem.rpartition(".")
        last = f"to_{last}" if ".to_" in stem else last
        inner = ".processor" if ".attn" in stem else ""
        base = f"{prefix}{owner}{inner}.{words.get(last, last)}_lora"
        found |= {f"{base}.{role}.weight": tensor for role, tensor in pair.items()}
    return found


def write(path: Path, tensors: dict[str, Tensor], **metadata: Any) -> str:
    """Save it; gives back the file's name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {name: json.dumps(value) for name, value in metadata.items()}
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, told)
    return path.name
