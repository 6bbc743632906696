"""Networks that enlarge pictures: ESRGAN's RRDB (arXiv:1809.00219) and Real-ESRGAN's small ones (arXiv:2107.10833)."""

import re

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from engine.errors import InputError

from .additions import Addition
from .enlarging import CompactSizes, Sizes, names, sizes


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

    def __init__(self, sizes: CompactSizes) -> None:
        super().__init__()
        self.sizes = sizes
        channels, width, scale = sizes.channels, sizes.width, int(sizes.scale)
        body: list[nn.Module] = [nn.Conv2d(channels, width, 3, 1, 1), nn.PReLU(width)]
        for _ in range(sizes.layers):
            body += [nn.Conv2d(width, width, 3, 1, 1), nn.PReLU(width)]
        body.append(nn.Conv2d(width, channels * scale**2, 3, 1, 1))
        self.body = nn.Sequential(*body)

    @override
    def forward(self, x: Tensor) -> Tensor:
        """Pictures (B, 3, h, w) in 0-1 to enlarged ones."""
        base = functional.interpolate(x, scale_factor=int(self.sizes.scale), mode="nearest")
        made: Tensor = functional.pixel_shuffle(self.body(x), int(self.sizes.scale)) + base
        return made


Network = Rrdb | Compact


def load(file: Addition, device: str, dtype: torch.dtype) -> Network:
    """The network in a file, in `eval()` on a device.

    Raises:
        InputError: It is none that is known here, or incomplete.
    """
    table, told = names(file), sizes(file)
    with torch.device("meta"):
        network: Network = Rrdb(told) if isinstance(told, Sizes) else Compact(told)
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
