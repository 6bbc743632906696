import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nodes import metering
from nodes.metering import machine, metered

MIB = 2**20


class Cuda:
    """Stands for torch.cuda with one device in use."""

    def __init__(self, *, is_used: bool = True) -> None:
        self.is_used, self.peak = is_used, 9000
        self.asked: list[str] = []

    def is_initialized(self) -> bool:
        return self.is_used

    def reset_peak_memory_stats(self, device: str) -> None:
        self.asked.append(device)
        self.peak = 0

    def max_memory_allocated(self, device: str) -> int:
        return self.peak + 4096

    def get_device_name(self, device: str) -> str:
        return "Some GPU"


def torch_with(monkeypatch: pytest.MonkeyPatch, cuda: Cuda) -> None:
    stand_in: Any = SimpleNamespace(cuda=cuda, get_num_threads=lambda: 3)
    monkeypatch.setitem(sys.modules, "torch", stand_in)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_the_peak_on_the_cpu_is_that_of_the_block() -> None:
    large = bytearray(300 * MIB)
    del large
    with metered("cpu") as small:
        pass
    with metered("cpu") as measured:
        large = bytearray(200 * MIB)
        del large

    assert small.peak is not None
    assert measured.peak is not None
    assert 150 * MIB < measured.peak - small.peak < 250 * MIB


def test_the_peak_on_cuda_is_what_torch_allocated(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = Cuda()
    torch_with(monkeypatch, cuda)
    with metered("cuda:1") as measured:
        cuda.peak = 5 * MIB

    assert measured.peak == 5 * MIB + 4096
    assert cuda.asked == ["cuda:1"]


def test_what_is_not_in_use_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    torch_with(monkeypatch, Cuda(is_used=False))
    with metered("cuda") as unused:
        pass
    monkeypatch.delitem(sys.modules, "torch")
    with metered("cuda") as unloaded, metered("mps") as other:
        pass

    assert unused.peak is unloaded.peak is other.peak is None


@pytest.mark.parametrize("call", ["open", "write"])
def test_a_system_that_does_not_tell_is_not_measured(
    monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def refuse(*arguments: object) -> int:
        raise PermissionError

    monkeypatch.setattr(os, call, refuse)
    with metered("cpu") as measured:
        pass

    assert measured.peak is None
    assert metering._process_peak() is None or call == "write"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_measuring_costs_little() -> None:
    costs = []
    for _ in range(200):
        started = time.perf_counter()
        with metered("cpu"):
            pass
        costs.append(time.perf_counter() - started)

    assert sorted(costs)[20] < 1e-4


def test_the_machine_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    torch_with(monkeypatch, Cuda())

    assert machine("cuda:0")["device"] == "Some GPU"
    assert machine("cpu")["threads"] == "3"
    torch_with(monkeypatch, Cuda(is_used=False))
    assert "device" not in machine("cuda")
    monkeypatch.delitem(sys.modules, "torch")
    found = machine("cpu")
    assert found.keys() == {"python", "platform", "device"}
    assert found["device"]


def test_a_machine_without_cpuinfo_has_its_architecture(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*arguments: object, **options: object) -> None:
        raise FileNotFoundError

    metering._processor.cache_clear()
    monkeypatch.setattr(Path, "open", away)
    name = metering._processor()
    metering._processor.cache_clear()

    assert name == os.uname().machine
