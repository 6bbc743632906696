"""Upscalers' files: which network one holds, by its tensors' names and shapes. Never imports torch."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from engine.errors import InputError

from .additions import Addition

Shapes = Mapping[str, tuple[int, ...]]
_CONTAINERS = ("params_ema.", "params.", "state_dict.", "model_state_dict.")
_OLD_BODY = re.compile(r"^model\.1\.sub\.(\d+)\.(?:RDB(\d)\.conv(\d)\.0\.)?(?:weight|bias)$")

_OLD_BLOCK = "model.1.sub.0.RDB1.conv1.0.weight"
_BLOCKS = ("body.0.rdb1.conv1.weight", "RRDB_trunk.0.RDB1.conv1.weight")
"""What other networks with the same first layer, such as SwinIR and EDSR, do not have."""
_COMMON = ("conv_", "upsample.", "mean", "model.0.")
"""Begin names that tell nothing of a network's kind."""
_SPSR = ("f_", "b_")
"""Begin the names of the second branch that SPSR has beside an RRDB network."""


@dataclass(frozen=True)
class Sizes:
    """What an RRDB network's shapes tell."""

    channels: int
    outputs: int
    width: int
    growth: int
    blocks: int
    doublings: int
    shuffle: int
    """By how much the picture is folded into channels first: 2 for x2 and 4 for x1 of Real-ESRGAN."""

    @property
    def scale(self) -> float:
        """Pixels of the result for one of the picture."""
        return float(2**self.doublings) / self.shuffle


@dataclass(frozen=True)
class CompactSizes:
    """What a small network's shapes tell."""

    channels: int
    width: int
    layers: int
    scale: float
    shuffle: int = 1


def names(file: Addition) -> dict[str, str]:
    """The network's tensors: their names in Real-ESRGAN's layout, and in the file.

    Raises:
        InputError: It is no network that is known here.
    """
    found: dict[str, str] = {}
    prefix = next((p for p in _CONTAINERS if any(n.startswith(p) for n in file.sources)), "")
    for name in file.sources:
        if name.startswith(prefix):
            found[name.removeprefix(prefix).removeprefix("module.")] = name
    if _OLD_BLOCK in found and not any(name.startswith(_SPSR) for name in found):
        return _from_old(found)
    if "conv_first.weight" in found and not found.keys().isdisjoint(_BLOCKS):
        return _from_first(found)
    if "body.0.weight" in found and "body.1.weight" in found:
        return found
    telling = [name for name in found if not name.startswith(_COMMON)]
    raise InputError(
        f"{file.path.name} is no upscaler that is known here: it holds"
        f" {min(telling, default=next(iter(file.sources)))};"
        " choose an ESRGAN or Real-ESRGAN one",
        code="unsupported_family",
        input="upscaler",
    )


def _from_old(found: Mapping[str, str]) -> dict[str, str]:
    """ESRGAN's first layout, of numbered layers: doublings from model.3 on, then two more convolutions."""
    renamed: dict[str, str] = {}
    tops = sorted({int(n.split(".")[1]) for n in found if re.match(r"model\.\d+\.weight$", n)})
    body = max(int(m[1]) for m in map(_OLD_BODY.match, found) if m)
    roles = {0: "conv_first", tops[-2]: "conv_hr", tops[-1]: "conv_last"}
    roles |= {number: f"conv_up{index + 1}" for index, number in enumerate(tops[1:-2])}
    for name, original in found.items():
        block = _OLD_BODY.match(name)
        kind = name.rpartition(".")[2]
        if block and block[2]:
            renamed[f"body.{block[1]}.rdb{block[2]}.conv{block[3]}.{kind}"] = original
        elif name.startswith(f"model.1.sub.{body}."):
            renamed[f"conv_body.{kind}"] = original
        else:
            renamed[f"{roles[int(name.split('.')[1])]}.{kind}"] = original
    return renamed


def _from_first(found: Mapping[str, str]) -> dict[str, str]:
    """BasicSR's layouts, the older with RRDB_trunk, RDB1 and upconv1."""
    words = (("RRDB_trunk.", "body."), ("RDB", "rdb"), ("trunk_conv", "conv_body"),
             ("upconv", "conv_up"), ("HRconv", "conv_hr"))  # fmt: skip
    renamed = {}
    for name, original in found.items():
        for old, new in words:
            name = name.replace(old, new)  # noqa: PLW2901
        renamed[name] = original
    return renamed


def sizes(file: Addition) -> Sizes | CompactSizes:
    """What a network's shapes tell.

    Raises:
        InputError: It is no network that is known here, or they do not go together.
    """
    shapes = {name: file.shape(original) for name, original in names(file).items()}
    if "conv_first.weight" in shapes:
        return _rrdb(shapes, file.path.name)
    last = max(int(n.split(".")[1]) for n in shapes)
    width, channels = shapes["body.0.weight"][:2]
    scale = math.isqrt(shapes[f"body.{last}.weight"][0] // channels)
    return CompactSizes(channels, width, last // 2 - 1, scale)


def _rrdb(shapes: Shapes, path: str) -> Sizes:
    blocks = 1 + max(int(n.split(".")[1]) for n in shapes if n.startswith("body."))
    doublings = sum(f"conv_up{number}.weight" in shapes for number in (1, 2, 3))
    width, read = shapes["conv_first.weight"][:2]
    outputs = shapes["conv_last.weight"][0]
    shuffle = math.isqrt(read // outputs)
    if shuffle not in {1, 2, 4} or outputs * shuffle**2 != read:
        raise InputError(
            f"{path} reads {read} channels and gives {outputs}, which is no upscaler of pictures:"
            " choose an ESRGAN or Real-ESRGAN one",
            code="unsupported_family",
            input="upscaler",
        )
    growth = shapes["body.0.rdb1.conv1.weight"][0]
    return Sizes(outputs, outputs, width, growth, blocks, doublings, shuffle)
