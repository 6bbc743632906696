import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.errors import InputError
from nodes.diffusion import weights
from nodes.diffusion.pool import Pool
from nodes.folders import Folders
from nodes.loaders import Checkpoint, load_checkpoint, load_controlnet
from tests.nodes.conftest import Tiny


@pytest.fixture
def loaded(tiny: Tiny, folders: Folders) -> Checkpoint:
    return load_checkpoint(checkpoint=tiny.checkpoint, folders=folders)


def _touch(pool: Pool, *recipes: Any) -> None:
    for recipe in recipes:
        with pool.borrow(recipe):
            pass


def _held(pool: Pool) -> list[str]:
    return [usage.part for usage in pool.usage()]


def _size(pool: Pool, recipe: Any) -> int:
    with pool.borrow(recipe) as module:
        return int(sum(parameter.nbytes for parameter in module.parameters()))


def test_part_is_loaded_once_and_kept_warm(loaded: Checkpoint, folders: Folders) -> None:
    told: list[tuple[str, int]] = []
    pool = Pool(folders, on_load=lambda name, size: told.append((name, size)))

    with pool.borrow(loaded.model) as first:
        assert [usage.is_borrowed for usage in pool.usage()] == [True]
    with pool.borrow(loaded.model) as second:
        assert first is second

    assert pool.loads == 1
    assert told == [("tiny.safetensors (unet)", pool.usage()[0].bytes)]
    assert pool.usage()[0].bytes == _size(pool, loaded.model)
    assert not pool.usage()[0].is_borrowed


def test_only_the_part_asked_for_is_loaded(loaded: Checkpoint, folders: Folders) -> None:
    pool = Pool(folders)

    _touch(pool, loaded.text_encoder)

    assert _held(pool) == ["text_encoder"]


def test_skip_does_not_load_the_text_encoder_again(loaded: Checkpoint, folders: Folders) -> None:
    from nodes.text import clip_skip

    pool = Pool(folders)

    _touch(pool, loaded.text_encoder, clip_skip(loaded.text_encoder, layers=1))

    assert pool.loads == 1


def test_threads_that_ask_at_once_share_one_load(
    loaded: Checkpoint, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = Pool(folders)
    load = weights.load

    def slow(*args: Any) -> torch.nn.Module:
        time.sleep(0.05)
        return load(*args)

    monkeypatch.setattr(weights, "load", slow)
    ready, found = threading.Barrier(4), []

    def ask() -> None:
        ready.wait()
        with pool.borrow(loaded.vae) as module:
            found.append(module)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert pool.loads == 1
    assert len(found) == 4
    assert len(set(map(id, found))) == 1


def test_least_recently_used_goes_first(loaded: Checkpoint, tiny: Tiny, folders: Folders) -> None:
    controlnet = load_controlnet(controlnet=tiny.controlnet, folders=folders)
    measure = Pool(folders)
    text, vae, control = (
        _size(measure, recipe) for recipe in (loaded.text_encoder, loaded.vae, controlnet)
    )
    pool = Pool(folders, budget=text + vae + control - 1)

    _touch(pool, loaded.text_encoder, loaded.vae, loaded.text_encoder, controlnet)

    assert _held(pool) == ["text_encoder", "controlnet"]


def test_what_is_borrowed_stays_beyond_the_budget(loaded: Checkpoint, folders: Folders) -> None:
    pool = Pool(folders, budget=1)

    with pool.borrow(loaded.model) as unet:
        _touch(pool, loaded.vae)
        assert _held(pool) == ["unet"]
        assert pool.release() == 0
        with pool.borrow(loaded.model) as again:
            assert unet is again

    assert _held(pool) == []
    assert pool.loads == 2


def test_release_lets_go_of_what_is_idle(loaded: Checkpoint, folders: Folders) -> None:
    pool = Pool(folders)
    _touch(pool, loaded.text_encoder)
    size = pool.usage()[0].bytes

    with pool.borrow(loaded.vae):
        assert pool.release() == size
        assert _held(pool) == ["vae"]


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_shortage_of_memory_lets_go_of_idle_models_and_tries_again(
    error: Exception, loaded: Checkpoint, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = Pool(folders)
    _touch(pool, loaded.text_encoder)
    monkeypatch.setattr(weights, "load", _failing(error, times=1))

    with pool.borrow(loaded.vae) as module:
        assert module.config["latent_channels"] == 4

    assert _held(pool) == ["vae"]
    assert pool.loads == 2


def _failing(error: Exception, times: int) -> Callable[..., Any]:
    load, left = weights.load, [error] * times

    def fail(*args: Any) -> Any:
        if left:
            raise left.pop()
        return load(*args)

    return fail


def test_lasting_shortage_is_told_with_the_size(
    loaded: Checkpoint, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = Pool(folders)
    monkeypatch.setattr(weights, "load", _failing(MemoryError(), times=2))

    with (
        pytest.raises(MemoryError, match=r"the unet of tiny.safetensors needs \d+ MiB on cpu"),
        pool.borrow(loaded.model),
    ):
        pass

    assert pool.usage() == []


def test_other_faults_are_passed_on_and_leave_nothing_behind(
    loaded: Checkpoint, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = Pool(folders)
    monkeypatch.setattr(weights, "load", _failing(RuntimeError("no such device"), times=1))

    with pytest.raises(RuntimeError, match="no such device"), pool.borrow(loaded.model):
        pass
    assert pool.usage() == []

    _touch(pool, loaded.model)
    assert _held(pool) == ["unet"]


def test_file_that_was_replaced_is_not_mistaken(tiny: Tiny, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    shutil.copy(tiny.root / "checkpoints" / tiny.checkpoint, path)
    folders = Folders((tmp_path,), ())
    recipe = load_checkpoint(checkpoint=path.name, folders=folders).model
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")

    with (
        pytest.raises(InputError, match=r"model.safetensors was changed") as raised,
        Pool(folders).borrow(recipe),
    ):
        pass
    assert raised.value.code == "changed_file"


def test_equal_bytes_under_two_names_are_loaded_once(tiny: Tiny, tmp_path: Path) -> None:
    for name in ("one.safetensors", "two.safetensors"):
        shutil.copy(tiny.root / "checkpoints" / tiny.checkpoint, tmp_path / name)
    folders = Folders((tmp_path,), ())
    pool = Pool(folders)

    _touch(
        pool,
        *(
            load_checkpoint(checkpoint=name, folders=folders).vae
            for name in ("one.safetensors", "two.safetensors")
        ),
    )

    assert pool.loads == 1


def test_precision_is_that_of_the_device_or_the_one_asked_for(
    loaded: Checkpoint, folders: Folders
) -> None:
    assert Pool(folders).dtype() == torch.float32
    assert Pool(folders, "cuda").dtype(loaded.model) == torch.float16
    pool = Pool(folders, dtype="bfloat16")

    with pool.borrow(loaded.text_encoder) as module:
        assert {parameter.dtype for parameter in module.parameters()} == {torch.bfloat16}

    with pytest.raises(InputError, match="dtype 'half_float' is unknown"):
        Pool(folders, dtype="half_float").dtype()


def test_a_part_that_overflows_is_widened_alone(loaded: Checkpoint, folders: Folders) -> None:
    pool = Pool(folders, dtype="bfloat16")
    with pool.borrow(loaded.vae) as narrow:
        pool.widen(loaded.vae)
        with pool.borrow(loaded.vae) as wide, pool.borrow(loaded.vae) as again:
            assert (narrow.dtype, wide.dtype) == (torch.bfloat16, torch.float32)
            assert again is wide
    with pool.borrow(loaded.vae) as later, pool.borrow(loaded.text_encoder) as encoder:
        assert later is wide
        assert encoder.dtype == torch.bfloat16
    assert pool.loads == 3


def test_default_budget_is_a_part_of_the_memory(folders: Folders) -> None:
    pool = Pool(folders)

    assert 2**26 < pool.budget() < 2**46
    assert pool.budget() == pool.budget()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_models_on_the_gpu_are_in_half_precision(
    loaded: Checkpoint, folders: Folders, tiny: Tiny
) -> None:
    pool = Pool(folders, "cuda")

    with pool.borrow(loaded.vae) as module:
        wanted = tiny.pipeline().vae.state_dict()
        for name, tensor in module.state_dict().items():
            assert tensor.device.type == "cuda"
            assert tensor.cpu().equal(wanted[name].half())
    assert pool.budget() > 2**30
    assert pool.release() > 0
