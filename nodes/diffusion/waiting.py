"""Layers whose weights wait where there is room, and come to the device only while they are used.

On the CPU they wait in their file, in the dtype that it has, and a layer at a time is converted; for
another device they wait in the machine's memory. Nothing is rounded on the way, so results are those of
the whole model. Only weights `kept_small` are rounded: to float8 (e4m3) with a scale for each row.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

SMALL = torch.float8_e4m3fn
_LARGEST = torch.finfo(SMALL).max


class Tally:
    """Bytes of weights on a device: how many are there, and how many were at most."""

    def __init__(self) -> None:
        self.now = 0
        self.peak = 0
        self._lock = threading.Lock()

    def __deepcopy__(self, memo: object) -> "Tally":
        return self  # a copied layer counts on the same device

    def add(self, size: int) -> None:
        """Count bytes that came, or, below 0, that went."""
        with self._lock:
            self.now += size
            self.peak = max(self.peak, self.now)


class _Waiting:
    """What both kinds of layer share."""

    tally: Tally
    scale: Tensor | None = None
    """Of each row, if the weight is kept small."""

    @contextmanager
    def come(self, like: Tensor) -> Iterator[Tensor]:
        """The weight on the device and in the dtype of `like`."""
        layer: Any = self
        here = as_computed(layer, "weight", like.device, like.dtype)
        size = 0 if here.data_ptr() == layer.weight.data_ptr() else here.nbytes
        self.tally.add(size)
        try:
            yield here
        finally:
            self.tally.add(-size)


class WaitingLinear(_Waiting, nn.Linear):
    """A linear layer."""

    @override
    def forward(self, input: Tensor) -> Tensor:
        with self.come(input) as weight:
            return functional.linear(input, weight, self.bias)


class WaitingConv2d(_Waiting, nn.Conv2d):
    """A convolution."""

    @override
    def forward(self, input: Tensor) -> Tensor:
        with self.come(input) as weight:
            made: Tensor = self._conv_forward(input, weight, self.bias)
            return made


_KINDS: dict[type, type] = {nn.Linear: WaitingLinear, nn.Conv2d: WaitingConv2d}


def candidates(module: nn.Module) -> list[str]:
    """The names of the weights that can wait.

    The very first stays: by it a model tells its device and dtype.
    """
    first = next((name for name, _ in module.named_parameters()), "")
    return [
        f"{name}.weight"
        for name, layer in module.named_modules()
        if isinstance(layer, (nn.Linear, nn.Conv2d)) and f"{name}.weight" != first
    ]


def choose(module: nn.Module, room: int, item: int, able: frozenset[str]) -> frozenset[str]:
    """The weights that have to wait, so that the others and the one at work fit into `room`.

    Args:
        module: Its tensors may be on the meta device.
        room: Bytes.
        item: Bytes of a number in the dtype that it computes in.
        able: Those of `candidates` for which waiting spares something.
    """
    sizes = {name: tensor.numel() * item for name, tensor in module.named_parameters()}
    total = sum(sizes.values())
    order = [name for name in candidates(module) if name in able]
    if total <= room or not order:
        return frozenset()
    room -= max(sizes[name] for name in order)
    chosen = set()
    for name in order:
        if total <= room:
            break
        chosen.add(name)
        total -= sizes[name]
    return frozenset(chosen)


def wait(
    module: nn.Module,
    names: frozenset[str],
    tally: Tally,
    scales: Mapping[str, Tensor] = MappingProxyType({}),
) -> None:
    """Have these weights fetched by their layers from now on, wherever they lie.

    Args:
        module: The module.
        names: Of the weights, some of `candidates`.
        tally: Counts what comes and goes.
        scales: Of the weights that are kept small.
    """
    for name in names:
        layer: Any = module.get_submodule(name.removesuffix(".weight"))
        layer.__class__ = _KINDS.get(type(layer), type(layer))
        layer.tally = tally
        layer.scale = scales.get(name, getattr(layer, "scale", None))


@torch.inference_mode(mode=False)
def keep_small(weight: Tensor) -> tuple[Tensor, Tensor]:
    """A weight in float8, and the scale of each of its rows."""
    rows = weight.detach().float().flatten(1)
    scale = (rows.abs().amax(1) / _LARGEST).clamp(min=torch.finfo(torch.float32).tiny)
    small = (rows / scale[:, None]).clamp(-_LARGEST, _LARGEST).to(SMALL)
    return small.reshape(weight.shape), scale.reshape(-1, *[1] * (weight.dim() - 1))


def as_computed(layer: Any, name: str, device: torch.device, dtype: torch.dtype) -> Tensor:
    """A parameter of any layer as the layer computes with it, not a copy if it lies there as such.

    Args:
        layer: Its layer.
        name: Its name, of which the last part counts.
        device: Where to.
        dtype: In what.
    """
    held: Tensor = getattr(layer, name.rpartition(".")[2]).detach()
    scale = getattr(layer, "scale", None)
    if scale is None or held.dtype != SMALL:
        return held.to(device, dtype)
    whole: Tensor = held.to(device).to(torch.float32) * scale.to(device)
    return whole.to(dtype)


def send_away(module: nn.Module, tally: Tally) -> int:
    """Have all weights of a module wait in the machine's memory that are on a device. Returns their bytes."""
    names = frozenset(
        name
        for name in candidates(module)
        if module.get_parameter(name).device.type not in {"cpu", "meta"}
    )
    freed = 0
    with torch.inference_mode(mode=False):
        for name in names:
            weight = module.get_parameter(name)
            freed += weight.nbytes
            weight.data = weight.data.cpu()
    wait(module, names, tally)
    return freed


def resident(module: nn.Module) -> int:
    """Bytes of a module that stay on its device: all but what waits elsewhere or is as in its file."""
    return sum(
        tensor.nbytes
        for name, tensor in module.named_parameters()
        if not _is_elsewhere(module, name, tensor)
    )


def in_flight(module: nn.Module, item: int) -> int:
    """Bytes of the largest weight that comes and goes."""
    waiting: list[Any] = [layer for layer in module.modules() if isinstance(layer, _Waiting)]
    return max((layer.weight.numel() * item for layer in waiting), default=0)


def _is_elsewhere(module: nn.Module, name: str, tensor: Tensor) -> bool:
    layer: Any = module.get_submodule(name.rpartition(".")[0])
    waits = isinstance(layer, _Waiting)
    if not waits or tensor is not layer.weight:
        return False
    return layer.scale is None or tensor.device.type != next(module.parameters()).device.type
