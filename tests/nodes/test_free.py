"""How much memory is free, of machines that tests lay out as files and libraries."""

import ctypes
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nodes import devices, free as module
from nodes.free import free, memory, total

KB, MB = 1024, 2**20


def lay_out(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


MEMINFO = {"proc/meminfo": "MemTotal: 9000 kB\nMemAvailable:    4000 kB\nSwapFree: 500 kB\n"}
GROUP = "sys/fs/cgroup/jobs/mine"
STAT = "anon 10\ninactive_file 300000\nactive_file 100000\n"


def test_what_linux_calls_available_is_free_and_swap_with_it(tmp_path: Path) -> None:
    assert free("cpu", lay_out(tmp_path, MEMINFO)) == 4500 * KB
    assert free("cpu", lay_out(tmp_path, {"proc/meminfo": "MemAvailable: 4000 kB\n"})) == 4000 * KB


def test_where_nothing_is_told_nothing_is_known(tmp_path: Path) -> None:
    assert free("cpu", tmp_path) is None
    assert free("cpu", lay_out(tmp_path, {"proc/meminfo": "MemTotal: 9000 kB\n"})) is None
    assert free("mps", tmp_path) is None


@pytest.mark.parametrize(
    ("files", "left"),
    [
        ({"memory.max": "2000000", "memory.current": "1500000", "memory.stat": STAT}, 900_000),
        ({"memory.max": "2000000", "memory.current": "1500000", "memory.stat": STAT, "memory.swap.max": "50000\n"}, 950_000),
        ({"memory.max": "2000000", "memory.current": "1500000", "memory.stat": STAT, "memory.swap.max": "max\n"}, 4500 * KB),
        ({"memory.max": "max", "memory.current": "1500000", "memory.stat": STAT}, 4500 * KB),
        ({"memory.max": "2000000"}, 4500 * KB),
        ({"memory.max": "90000000", "memory.current": "1", "memory.stat": STAT}, 4500 * KB),
    ],
)  # fmt: skip
@pytest.mark.parametrize("folder", [GROUP, "sys/fs/cgroup/jobs"])
def test_a_control_group_limits_what_is_free(
    tmp_path: Path, files: dict[str, str], left: int, folder: str
) -> None:
    held = {f"{folder}/{name}": text for name, text in files.items()}
    root = lay_out(tmp_path, {**MEMINFO, "proc/self/cgroup": "0::/jobs/mine\n", **held})
    assert free("cpu", root) == left


class Driver:
    """What `ctypes` sees of a machine with one card; each call can be made to fail."""

    def __init__(self, failing: str = "") -> None:
        self.failing = failing

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: 1 if name == self.failing else self.call(name, arguments)

    def call(self, name: str, arguments: tuple[Any, ...]) -> int:
        if name == "cuDeviceGetPCIBusId":
            arguments[0].value = b"0000:17:00.0"
        if name == "nvmlDeviceGetHandleByPciBusId_v2":
            assert arguments[0].value == b"0000:17:00.0"
        if name == "nvmlDeviceGetMemoryInfo":
            arguments[1]._obj.free = 700 * MB
            arguments[1]._obj.total = 900 * MB
        if name == "cuDeviceGetCount":
            arguments[0]._obj.value = 1
        return 0


def test_a_card_is_asked_through_nvml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(module, "library", lambda *_names: Driver())
    assert free("cuda") == free("cuda:0") == 700 * MB
    assert memory("cuda:0") == {"free": 700 * MB, "total": 900 * MB}


def test_what_torch_keeps_of_a_card_is_free_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "library", lambda *_names: Driver())
    cuda = SimpleNamespace(
        is_initialized=lambda: True,
        memory_reserved=lambda _index: 90 * MB,
        memory_allocated=lambda _index: 40 * MB,
    )
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    assert free("cuda:0") == 750 * MB


@pytest.mark.parametrize("failing", ["cuDeviceGetPCIBusId", "nvmlInit_v2", "nvmlDeviceGetMemoryInfo"])  # fmt: skip
def test_a_card_that_does_not_answer_is_not_known(
    monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    monkeypatch.setattr(module, "library", lambda *_names: Driver(failing))
    assert free("cuda") is None
    assert memory("cuda") == {}


def test_the_memory_of_this_machine_is_told() -> None:
    told = memory("cpu")
    assert told["total"] == total("cpu")
    assert 2**26 < told["total"] < 2**46
    assert total("mps") is None


def test_a_machine_without_the_libraries_has_no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert free("cuda") is None
    assert devices.cuda_devices.__wrapped__() == 0
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: Driver())
    assert devices.cuda_devices.__wrapped__() == 1
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: Driver("cuInit"))
    assert devices.cuda_devices.__wrapped__() == 0
