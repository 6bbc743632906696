"""A tiny SDXL and refiner in float16, on budgets that are as small for them as 6 GiB is for the real one."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.keys import FileDigests
from nodes import memory
from nodes.adapters import load_lora
from nodes.diffusion import weights
from nodes.diffusion.checkpoints import open_weights
from nodes.diffusion.pool import Pool
from nodes.diffusion.waiting import SMALL, WaitingLinear, candidates, choose, keep_small
from nodes.facts import PixelFacts
from nodes.folders import Folders
from nodes.loaders import Checkpoint, load_checkpoint
from tests.nodes import loras, small
from tests.nodes.conftest import hollow, real_shapes, save
from tests.nodes.tiny import models


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    root = tmp_path_factory.mktemp("half")
    kinds: tuple[models.Kind, ...] = ("sdxl", "refiner")
    for kind in kinds:
        halves = {name: tensor.half() for name, tensor in models.original(kind).items()}
        save(root / "checkpoints" / f"{kind}.safetensors", halves)
    unet: Any = models.unet("sdxl")
    pairs = loras.pairs(unet, ("attn1.to_q", "attn2.to_k", "ff.net.2"), 1)
    save(root / "loras" / "half.safetensors", loras.kohya("lora_unet", pairs, None))
    return Folders((root,), (), FileDigests(root / "digests.json"))


@pytest.fixture
def base(folders: Folders) -> Checkpoint:
    return load_checkpoint(checkpoint="sdxl.safetensors", folders=folders)


@pytest.fixture
def whole(base: Checkpoint, folders: Folders) -> tuple[Tensor, int]:
    """What the model says when all of it is there, and how many bytes that are."""
    pool = Pool(folders)
    with pool.borrow(base.model) as unet:
        assert not any(isinstance(layer, WaitingLinear) for layer in unet.modules())
        return seen(unet), pool.tally.peak


@torch.no_grad()
def seen(unet: Any) -> Tensor:
    width, pooled = unet.config.cross_attention_dim, unet.add_embedding.linear_1.in_features
    times = 6 if unet.config.cross_attention_dim != 0 else 5
    text = small.noise(2, (1, pooled - times * unet.config.addition_time_embed_dim))
    added = {"text_embeds": text, "time_ids": torch.full((1, times), 64.0)}
    found: Tensor = unet(
        small.noise(5, (1, 4, 16, 16)).to(unet.device),
        torch.tensor(321, device=unet.device),
        encoder_hidden_states=small.noise(1, (1, 77, width)).to(unet.device),
        added_cond_kwargs={name: tensor.to(unet.device) for name, tensor in added.items()},
        return_dict=False,
    )[0]
    return found.cpu()


@pytest.mark.parametrize("share", [0.0, 0.5, 0.75])
def test_model_larger_than_the_budget_gives_the_same_numbers(
    share: float, base: Checkpoint, folders: Folders, whole: tuple[Tensor, int]
) -> None:
    expected, size = whole
    budget = int(share * size)
    pool = Pool(folders, budget=budget)

    with pool.borrow(base.model) as unet:
        assert torch.equal(seen(unet), expected)
        held = pool.usage()[0].bytes

    assert pool.tally.peak <= held < size
    if share:
        assert pool.tally.peak <= budget


def test_weights_that_wait_stay_in_their_file(base: Checkpoint, folders: Folders) -> None:
    with Pool(folders, budget=0).borrow(base.model) as unet:
        waits = [layer for layer in unet.modules() if isinstance(layer, WaitingLinear)]
        assert waits
        assert {layer.weight.dtype for layer in waits} == {torch.float16}
        assert unet.dtype == torch.float32


def test_lora_on_weights_that_wait_is_the_same_and_undone_to_the_bit(
    base: Checkpoint, folders: Folders
) -> None:
    patched = load_lora(base.model, base.text_encoder, lora="half.safetensors", folders=folders)
    with Pool(folders).borrow(patched.model) as unet:
        expected = seen(unet)
    pool = Pool(folders, budget=10**6)
    with pool.borrow(base.model) as unet:
        before = {name: weight.clone() for name, weight in unet.named_parameters()}

    with pool.borrow(patched.model) as unet:
        assert torch.equal(seen(unet), expected)
    with pool.borrow(base.model) as unet:
        for name, weight in unet.named_parameters():
            assert weight.dtype == before[name].dtype
            assert torch.equal(weight, before[name])


def test_weights_kept_small_take_a_byte_and_are_close(
    base: Checkpoint, folders: Folders, whole: tuple[Tensor, int]
) -> None:
    expected, size = whole
    pool = Pool(folders, is_small=True)

    with pool.borrow(base.model) as unet:
        assert small.relative_rms(seen(unet), expected) < 0.15
        assert unet.mid_block.resnets[0].conv1.weight.dtype == SMALL
    assert pool.tally.peak < 0.4 * size


def test_a_scale_for_each_row_rounds_less_than_none() -> None:
    weight = small.noise(1, (64, 64)) * torch.logspace(-4, -1, 64)[:, None]

    kept, scale = keep_small(weight)

    ours = small.relative_rms(kept.float() * scale, weight)
    assert ours < 0.04
    assert ((kept.float() * scale - weight).abs().amax(1) < 0.07 * weight.abs().amax(1)).all()
    assert not (
        (weight.to(SMALL).float() - weight).abs().amax(1) < 0.07 * weight.abs().amax(1)
    ).all()


def test_base_and_refiner_share_a_budget(base: Checkpoint, folders: Folders) -> None:
    refiner = load_checkpoint(checkpoint="refiner.safetensors", folders=folders)
    run = (base.vae, base.model, refiner.model, base.vae)
    measure = Pool(folders)
    for recipe in run:
        with measure.borrow(recipe):
            pass
    unet, other, vae = sorted((used.bytes for used in measure.usage()), reverse=True)

    def loads(budget: int) -> list[int]:
        """Of two runs from a picture to a picture."""
        pool, counts = Pool(folders, budget=budget), []
        for _ in range(2):
            before = pool.loads
            for recipe in run:
                with pool.borrow(recipe):
                    pass
            counts.append(pool.loads - before)
        return counts

    assert loads(unet + other + vae) == [3, 0]
    # One UNet takes the other's place, and leaves the small part where it is.
    assert loads(unet + vae) == [3, 2]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_model_sent_away_gives_the_same_numbers(
    base: Checkpoint, folders: Folders, whole: tuple[Tensor, int]
) -> None:
    pool = Pool(folders, "cuda", "float32")
    expected, _ = whole
    with pool.borrow(base.model) as unet:
        unmoved, before = seen(unet), pool.usage()[0].bytes
        assert pool.send_away(unet)
        assert pool.usage()[0].bytes < before / 2
        assert unet.mid_block.resnets[0].conv1.weight.device.type == "cpu"
        sent = seen(unet)
    assert small.relative_rms(unmoved, expected) < 1e-2  # cuDNN's TF32
    assert small.relative_rms(sent, unmoved) < 1e-6


def test_nothing_is_sent_away_from_the_cpu(base: Checkpoint, folders: Folders) -> None:
    pool = Pool(folders)
    with pool.borrow(base.model) as unet:
        assert not pool.send_away(unet)


def test_a_load_that_is_too_much_is_tried_with_weights_that_wait(
    base: Checkpoint, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    load, rooms = weights.load, []

    def failing(part: Any, device: str, dtype: torch.dtype, terms: weights.Terms) -> Any:
        rooms.append(terms.room)
        if terms.room is None:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return load(part, device, dtype, terms)

    monkeypatch.setattr(weights, "load", failing)
    with Pool(folders).borrow(base.model) as unet:
        assert unet.dtype == torch.float32
    assert rooms == [None, 0]


@pytest.mark.parametrize(
    ("device", "dtype", "there", "budget"),
    [("cuda", torch.float16, 6 * 2**30, 0.8), ("cpu", torch.float32, 12 * 2**30, 0.5)],
)
def test_the_real_sdxl_is_estimated_to_fit(
    device: str, dtype: torch.dtype, there: int, budget: float, tmp_path: Path
) -> None:
    """At 1024x1024 under guidance, on a card of 6 GiB and in 12 GiB of memory, with the default budgets."""
    path = hollow(tmp_path / "xl.safetensors", real_shapes("sdxl_base_or_turbo"))
    parts = open_weights(path)
    unet, vae = parts.part("unet"), parts.part("vae")
    assert unet.sizes is not None
    assert vae.sizes is not None
    with torch.device("meta"):
        module = weights.build("unet", unet.config)
    room, name = int(there * budget), str(dtype).removeprefix("torch.")
    able = frozenset(candidates(module))
    away = choose(module, room, dtype.itemsize, able)

    sizes = {name: each.numel() * dtype.itemsize for name, each in module.named_parameters()}
    here = sum(size for name, size in sizes.items() if name not in away)
    here += max((sizes[name] for name in away), default=0)
    libraries = 2**29
    picture = PixelFacts(1, 1024, 1024)
    decoding = memory.decoding(vae.sizes, picture, name).likely + vae.count * dtype.itemsize
    assert here <= room
    assert here + memory.denoising(unet.sizes, 2, 128, 128, name).likely + libraries < there
    assert decoding + libraries < there
    if device == "cpu":
        assert away, "all of it takes 9.6 GiB"
        assert here + decoding + libraries < there  # nothing need be let go
    assert sum(sizes.values()) == unet.count * dtype.itemsize
