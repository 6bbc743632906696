from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from engine.errors import InputError
from nodes.diffusion.additions import open_addition
from nodes.diffusion.enlarging import CompactSizes, Sizes, sizes
from nodes.diffusion.esrgan import Compact, Rrdb, load
from tests.nodes import parity, small
from tests.nodes.conftest import randomised

CPU, F32 = "cpu", torch.float32
X = small.noise(1, (1, 3, 8, 12)).sigmoid()
Held = dict[str, Tensor]


def network(doublings: int = 2, shuffle: int = 1) -> Rrdb:
    made: Rrdb = randomised(Rrdb(Sizes(3, 3, 8, 4, 2, doublings, shuffle)), 3)
    return made


def renamed(state: Held, *words: tuple[str, str]) -> Held:
    found = {}
    for name, tensor in state.items():
        for ours, theirs in words:
            name = name.replace(ours, theirs)  # noqa: PLW2901
        found[name] = tensor
    return found


NEW = (("ups.0", "conv_up1"), ("ups.1", "conv_up2"))
FIRST = (("conv_body", "trunk_conv"), ("body.", "RRDB_trunk."), ("rdb", "RDB"), ("ups.0", "upconv1"), ("ups.1", "upconv2"), ("conv_hr", "HRconv"))  # fmt: skip
OLD = (
    ("conv_body.", "model.1.sub.2."),
    ("body.", "model.1.sub."),
    *((f"rdb{n}.conv{k}", f"RDB{n}.conv{k}.0") for n in (1, 2, 3) for k in range(1, 6)),
    ("conv_first", "model.0"), ("ups.0", "model.3"), ("ups.1", "model.6"), ("conv_hr", "model.8"), ("conv_last", "model.10"),
)  # fmt: skip


@torch.no_grad()
def by_formula(state: Held, x: Tensor) -> Tensor:
    """ESRGAN from its paper, over the first layout's names."""

    def convolved(name: str, value: Tensor) -> Tensor:
        return functional.conv2d(value, state[f"{name}.weight"], state[f"{name}.bias"], padding=1)

    def rectified(value: Tensor) -> Tensor:
        return functional.leaky_relu(value, 0.2)

    first = trunk = convolved("conv_first", x)
    for block in range(2):
        inside = trunk
        for number in (1, 2, 3):
            name = f"RRDB_trunk.{block}.RDB{number}.conv"
            seen = [inside]
            for each in range(1, 5):
                seen.append(rectified(convolved(f"{name}{each}", torch.cat(seen, 1))))
            inside = inside + 0.2 * convolved(f"{name}5", torch.cat(seen, 1))
        trunk = trunk + 0.2 * inside
    out = first + convolved("trunk_conv", trunk)
    for name in ("upconv1", "upconv2"):
        out = rectified(convolved(name, out.repeat_interleave(2, -1).repeat_interleave(2, -2)))
    return convolved("conv_last", rectified(convolved("HRconv", out)))


@pytest.mark.parametrize(("layout", "words"), [("new", NEW), ("first", FIRST), ("old", OLD)])
def test_every_layout_is_the_same_network(
    layout: str, words: tuple[tuple[str, str], ...], tmp_path: Path
) -> None:
    state = network().state_dict()
    save_file(renamed(state, *words), tmp_path / "a.safetensors")

    found = load(open_addition(tmp_path / "a.safetensors"), CPU, F32)

    with torch.no_grad():
        made = found(X)
    assert made.shape == (1, 3, 32, 48)
    assert found.sizes.scale == 4
    expected = by_formula(renamed(state, *FIRST), X)
    what, by = "enlarged picture", "Wang et al. 2018"
    parity.agree("ESRGAN", f"{layout} key layout", made, expected, what=what, by=by)


@pytest.mark.parametrize("container", ["params_ema", "params"])
def test_pickles_of_trainers_are_read(container: str, tmp_path: Path) -> None:
    state = renamed(network().state_dict(), *NEW)
    torch.save({container: state}, tmp_path / "a.pth")
    assert load(open_addition(tmp_path / "a.pth"), CPU, F32).sizes.scale == 4


@pytest.mark.parametrize(("shuffle", "scale"), [(2, 2), (4, 1)])
def test_folded_pictures_make_smaller_scales(shuffle: int, scale: int, tmp_path: Path) -> None:
    made = network(2, shuffle)
    save_file(renamed(made.state_dict(), *NEW), tmp_path / "a.safetensors")
    found = load(open_addition(tmp_path / "a.safetensors"), CPU, F32)
    with torch.no_grad():
        assert found(X).shape == (1, 3, 8 * scale, 12 * scale)
        assert torch.equal(found(X), made(X))


def test_small_network_adds_to_the_enlarged_picture(tmp_path: Path) -> None:
    made: Any = randomised(Compact(CompactSizes(3, 8, 3, 2)), 1)
    save_file(made.state_dict(), tmp_path / "a.safetensors")
    found = load(open_addition(tmp_path / "a.safetensors"), CPU, F32)
    assert isinstance(found, Compact)
    with torch.no_grad():
        assert torch.equal(found(X), made(X))
        last = made.body[-1]
        last.weight.zero_(), last.bias.zero_()
        assert torch.equal(made(X), X.repeat_interleave(2, -1).repeat_interleave(2, -2))


def test_what_is_no_upscaler_is_named(tmp_path: Path) -> None:
    save_file({"layers.0.weight": torch.zeros(3, 3)}, tmp_path / "a.safetensors")
    with pytest.raises(InputError, match=r"is no upscaler that is known here: it holds layers"):
        load(open_addition(tmp_path / "a.safetensors"), CPU, F32)


SWINIR = ("conv_first.weight", "layers.0.residual_group.blocks.0.attn.qkv.weight", "conv_after_body.weight", "upsample.0.weight", "conv_last.weight")  # fmt: skip
EDSR = ("conv_first.weight", "body.0.conv1.weight", "conv_after_body.weight", "conv_last.weight")
PLAIN = ("model.0.weight", "model.2.weight")


@pytest.mark.parametrize(
    ("names", "told"),
    [(SWINIR, SWINIR[1]), (EDSR, EDSR[1]), (PLAIN, PLAIN[1]), (("model.0.weight",), "model.0.weight")],
)  # fmt: skip
def test_upscaler_of_another_network_is_refused_by_what_it_holds(
    names: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    save_file({name: torch.zeros(3, 3, 3, 3) for name in names}, tmp_path / "a.safetensors")
    with pytest.raises(
        InputError, match=rf"no upscaler that is known here: it holds {told};.* Real-ESRGAN"
    ) as raised:
        sizes(open_addition(tmp_path / "a.safetensors"))
    assert raised.value.code == "unsupported_family"


def test_network_of_two_branches_is_not_taken_for_one_of_them(tmp_path: Path) -> None:
    state = renamed(network().state_dict(), *OLD) | {"f_HR_conv0.0.weight": torch.zeros(3)}
    save_file(state, tmp_path / "spsr.safetensors")
    with pytest.raises(InputError, match=r"it holds f_HR_conv0.0.weight"):
        sizes(open_addition(tmp_path / "spsr.safetensors"))


def test_upscaler_that_lacks_a_tensor_is_incomplete(tmp_path: Path) -> None:
    state = renamed(network().state_dict(), *NEW)
    del state["conv_hr.bias"]
    save_file(state, tmp_path / "b.safetensors")
    with pytest.raises(InputError, match=r"b.safetensors is incomplete .*conv_hr.bias"):
        load(open_addition(tmp_path / "b.safetensors"), CPU, F32)
