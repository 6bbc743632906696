"""LoRAs in a module's weights: applied in place, and undone to the bit."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from . import waiting
from .lora import Lora, Pair

OpenLora = Callable[[Any], Lora]


class Patched:
    """What is applied to one module at present, and the weights as they were.

    On the CPU the originals are the tensors themselves, which may still lie in a mapped file; those of
    another device wait on the CPU.
    """

    def __init__(self) -> None:
        self.patches: tuple[Any, ...] = ()
        self.originals: dict[str, Tensor] = {}
        self.bytes = 0
        """How much the changed weights hold, beside the originals."""

    @torch.inference_mode(mode=False)  # the weights are shared with who trains on them
    def apply(self, module: Any, part: str, patches: Sequence[Any], open_lora: OpenLora) -> None:
        """Have exactly these patches applied, whatever was before.

        Args:
            module: The part's module.
            part: Its name, as in `Lora.pairs`.
            patches: LoRAs with strengths (`values.Patch`), in any number.
            open_lora: Takes a patch's file apart.

        Raises:
            InputError: A LoRA does not fit; the module is then as it was loaded.
        """
        self.undo(module)
        weights: dict[str, Tensor] = dict(module.named_parameters())
        shapes = {name: tuple(weight.shape) for name, weight in weights.items()}
        todo: dict[str, list[tuple[Lora, Pair, float]]] = {}
        for patch in patches:
            lora = open_lora(patch)
            for name, pair in lora.matched(part, shapes).items():
                todo.setdefault(name, []).append((lora, pair, patch.strength))
        try:
            for name, changes in todo.items():
                self._change(module, name, changes)
        except BaseException:
            self.undo(module)
            raise
        self.patches = tuple(patches)

    @torch.inference_mode(mode=False)
    def undo(self, module: Any) -> None:
        """Put the weights back that were there before."""
        for name, original in self.originals.items():
            weight = module.get_parameter(name)
            weight.data = original.to(weight.device)
        self.originals, self.patches, self.bytes = {}, (), 0

    def _change(self, module: Any, name: str, changes: Sequence[tuple[Lora, Pair, float]]) -> None:
        weight: Tensor = module.get_parameter(name)
        layer = module.get_submodule(name.rpartition(".")[0])
        total = waiting.as_computed(layer, name, weight.device, torch.float32)
        if total.data_ptr() == weight.data_ptr():
            total = total.clone()
        for lora, pair, strength in changes:
            total += (strength * delta(lora, pair, weight.device)).reshape(weight.shape)
        original = weight.data if weight.device.type == "cpu" else weight.data.cpu()
        # In the model's dtype, although a weight that waits may be stored in another.
        changed = total.to(next(module.parameters()).dtype)
        # Only now, so that what fails on the way has changed nothing.
        self.originals[name] = original
        weight.data = changed
        self.bytes += changed.nbytes


def delta(lora: Lora, pair: Pair, device: torch.device) -> Tensor:
    """What a pair adds at a strength of 1: (out, in) or (out, in, kh, kw), in float32."""
    names = [name for name in (pair.down, pair.up, pair.mid, pair.alpha) if name is not None]
    held: Mapping[str, Tensor] = lora.file.read(names)
    down, up = held[pair.down].to(device), held[pair.up].to(device)
    rank = down.shape[0]
    scale = pair.scale if pair.alpha is None else float(held[pair.alpha]) / rank
    if pair.mid is None:
        product = (up.flatten(1) @ down.flatten(1)).reshape(up.shape[0], *down.shape[1:])
    else:
        # The kernel stands between both, as LyCORIS writes it.
        product = torch.einsum(
            "ijkl,pi,jr->prkl", held[pair.mid].to(device), up.flatten(1), down.flatten(1)
        )
    return scale * product
