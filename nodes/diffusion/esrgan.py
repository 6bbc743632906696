"""Networks that enlarge pictures: ESRGAN's RRDB (arXiv:1809.00219) and Real-ESRGAN's small ones (arXiv:2107.10833)."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from engine.errors import InputError

from .additions import Addition

Shapes = Mapping[str, tuple[int, ...]]
_CONTAINERS = ("params_ema.", "params.", "state_dict.", "model_state_dict.")
_OLD_BODY = re.compile(r"^model\.1\.sub\.(\d+)\.(?:RDB(\d)\.conv(\d)\.0\.)?(?:weight|bias)$")


class Dense(nn.Module):
    """Five convolutions, each of which reads all that came before it in the block."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        for number in range(1, 6):
            wide = width if number == 5 else growth
            convolution = nn.Conv2d(width + (number - 1) * growth, wide, 3, 1, 1)
            self.add_module(f"conv{number}", convolution)

    @override
    def forward(self, x: Tensor) -> Tensor:
        """(B, width, h, w) to the same."""
        known = x
        for number in range(1, 5):
            made = functional.leaky_relu(self.get_submodule(f"conv{number}")(known), 0.2)
            known = torch.cat([known, made], dim=1)
        out: Tensor = self.get_submodule("conv5")(known)
        return out * 0.2 + x


class Block(nn.Module):
    """Three dense blocks in a residual one (RRDB)."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = (Dense(width, growth) for _ in range(3))

    @override
    def forward(self, x: Tensor) -> Tensor:
        """(B, width, h, w) to the same."""
        out: Tensor = self.rdb3(self.rdb2(self.rdb1(x)))
        return out * 0.2 + x


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


class Rrdb(nn.Module):
    """ESRGAN's generator."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        width = sizes.width
        self.conv_first = nn.Conv2d(sizes.channels * sizes.shuffle**2, width, 3, 1, 1)
        self.body = nn.Sequential(*(Block(width, sizes.growth) for _ in range(sizes.blocks)))
        self.conv_body = nn.Conv2d(width, width, 3, 1, 1)
        self.ups = nn.ModuleList(nn.Conv2d(width, width, 3, 1, 1) for _ in range(sizes.doublings))
        self.conv_hr = nn.Conv2d(width, width, 3, 1, 1)
        self.conv_last = nn.Conv2d(width, sizes.outputs, 3, 1, 1)

    @property
    def scale(self) -> float:
        """Pixels of the result for one of the picture."""
        return float(2**self.sizes.doublings) / self.sizes.shuffle

    @override
    def forward(self, x: Tensor) -> Tensor:
        """Pictures (B, 3, h, w) in 0-1, of sides that `shuffle` divides, to enlarged ones."""
        if self.sizes.shuffle > 1:
            x = functional.pixel_unshuffle(x, self.sizes.shuffle)
        features = self.conv_first(x)
        features = features + self.conv_body(self.body(features))
        for convolution in self.ups:
            larger = functional.interpolate(features, scale_factor=2, mode="nearest")
            features = functional.leaky_relu(convolution(larger), 0.2)
        out: Tensor = self.conv_last(functional.leaky_relu(self.conv_hr(features), 0.2))
        return out


class Compact(nn.Module):
    """Real-ESRGAN's small network: plain convolutions, whose result is added to the enlarged picture."""

    def __init__(self, channels: int, width: int, layers: int, scale: int) -> None:
        super().__init__()
        self.scale: float = scale
        self.sizes = Sizes(channels, channels, width, 0, layers, 0, 1)
        body: list[nn.Module] = [nn.Conv2d(channels, width, 3, 1, 1), nn.PReLU(width)]
        for _ in range(layers):
            body += [nn.Conv2d(width, width, 3, 1, 1), nn.PReLU(width)]
        body.append(nn.Conv2d(width, channels * scale**2, 3, 1, 1))
        self.body = nn.Sequential(*body)

    @override
    def forward(self, x: Tensor) -> Tensor:
        """Pictures (B, 3, h, w) in 0-1 to enlarged ones."""
        base = functional.interpolate(x, scale_factor=int(self.scale), mode="nearest")
        made: Tensor = functional.pixel_shuffle(self.body(x), int(self.scale)) + base
        return made


Network = Rrdb | Compact


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
    if "model.0.weight" in found:
        return _from_old(found)
    if "conv_first.weight" in found:
        return _from_first(found)
    if "body.0.weight" in found and "body.1.weight" in found:
        return found
    raise InputError(
        f"{file.path.name} is no upscaler that is known here: it holds {next(iter(file.sources))};"
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


def sizes(shapes: Shapes, path: str) -> Sizes:
    """What an RRDB network's shapes tell.

    Raises:
        InputError: They do not go together.
    """
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


def load(file: Addition, device: str, dtype: torch.dtype) -> Network:
    """The network in a file, in `eval()` on a device.

    Raises:
        InputError: It is none that is known here, or incomplete.
    """
    table = names(file)
    shapes = {name: file.shape(original) for name, original in table.items()}
    network: Network
    with torch.device("meta"):
        if "conv_first.weight" in shapes:
            network = Rrdb(sizes(shapes, file.path.name))
        else:
            network = _compact(shapes)
    held = file.read(table.values())
    # Ours numbers the doublings in a list.
    state = {re.sub(r"^conv_up(\d)", lambda m: f"ups.{int(m[1]) - 1}", name): held[original].to(device, dtype)
             for name, original in table.items()}  # fmt: skip
    try:
        network.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise InputError(
            f"{file.path.name} is incomplete or of another kind ({str(error).splitlines()[1].strip()}):"
            " download it again or choose another",
            code="incomplete_file",
            input="upscaler",
        ) from error
    return network.eval().requires_grad_(requires_grad=False)


def _compact(shapes: Shapes) -> Compact:
    last = max(int(n.split(".")[1]) for n in shapes)
    width, channels = shapes["body.0.weight"][:2]
    scale = math.isqrt(shapes[f"body.{last}.weight"][0] // channels)
    return Compact(channels, width, last // 2 - 1, scale)
