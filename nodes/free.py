"""How much memory is free on a device, and how much there is, found without importing torch."""

import ctypes
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.machine import total_memory

from .devices import library


def free(device: str, root: Path = Path("/")) -> int | None:
    """Bytes that could still be allocated on a device; None where that cannot be told.

    Args:
        device: As `devices.choose` gives it.
        root: Holds the `proc` and `sys` of Linux.
    """
    if device == "cpu":
        return _of_machine(root)
    if device.startswith("cuda"):
        card = _card(device)
        return None if card is None else int(card.free) + _kept_by_torch(_index(device))
    return None


def total(device: str) -> int | None:
    """Bytes that a device has; None where that cannot be told."""
    if device == "cpu":
        return total_memory()
    card = _card(device) if device.startswith("cuda") else None
    return None if card is None else int(card.total)


def memory(device: str) -> dict[str, int]:
    """Bytes of a device, `free` and `total`, as far as they can be told."""
    found = {"free": free(device), "total": total(device)}
    return {name: size for name, size in found.items() if size is not None}


def _of_machine(root: Path) -> int | None:
    """What Linux calls available, with swap, or what the process's control groups leave of it."""
    try:
        table = _table(root / "proc/meminfo")
        available = (table["MemAvailable"] + table.get("SwapFree", 0)) * 1024
    except (OSError, ValueError, KeyError):
        return None
    return min((available, *_left_in_groups(root)))


def _left_in_groups(root: Path) -> Iterator[int]:
    """What each limited control group (version 2) that the process is in has left."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    top = root / "sys/fs/cgroup"
    path = next((line[3:] for line in lines if line.startswith("0::")), "/").strip("/")
    for group in (top / path, *(top / path).parents):
        if group.is_relative_to(top):
            try:
                yield _left(group)
            except (OSError, ValueError, KeyError):  # without a limit, or not seen from here
                continue


def _left(group: Path) -> int:
    limit = int((group / "memory.max").read_text(encoding="ascii"))
    used = int((group / "memory.current").read_text(encoding="ascii"))
    counts = _table(group / "memory.stat")
    # Pages of files are counted too, and are given back under pressure.
    used -= counts.get("inactive_file", 0) + counts.get("active_file", 0)
    try:
        swap = (group / "memory.swap.max").read_text(encoding="ascii").strip()
    except OSError:
        swap = "0"
    if swap == "max":
        raise ValueError("swap has no limit, so the group has none")
    return limit - used + int(swap)


def _table(path: Path) -> dict[str, int]:
    """The first number behind each name: `MemAvailable: 123 kB` or `active_file 123`."""
    lines = (line.split() for line in path.read_text(encoding="ascii").splitlines())
    return {line[0].rstrip(":"): int(line[1]) for line in lines if len(line) > 1}


class _Memory(ctypes.Structure):
    """nvmlMemory_t."""

    _fields_ = (
        ("total", ctypes.c_ulonglong),
        ("free", ctypes.c_ulonglong),
        ("used", ctypes.c_ulonglong),
    )


def _index(device: str) -> int:
    return int(device.partition(":")[2] or 0)


def _card(device: str) -> _Memory | None:
    """What NVML says of a card: what any process uses is not free.

    The driver alone would make a context, which takes hundreds of MB; NVML makes none, and counts
    cards otherwise, so the card is found by its place on the bus.
    """
    driver = library("libcuda.so.1", "nvcuda.dll")
    nvml = library("libnvidia-ml.so.1", "nvml.dll")
    if driver is None or nvml is None:
        return None
    card, bus = ctypes.c_int(), ctypes.create_string_buffer(32)
    handle, memory = ctypes.c_void_p(), _Memory()
    failed = (
        driver.cuInit(0)
        or driver.cuDeviceGet(ctypes.byref(card), _index(device))
        or driver.cuDeviceGetPCIBusId(bus, 32, card)
        or nvml.nvmlInit_v2()
        or nvml.nvmlDeviceGetHandleByPciBusId_v2(bus, ctypes.byref(handle))
        or nvml.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory))
    )
    return None if failed else memory


def _kept_by_torch(index: int) -> int:
    torch: Any = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return 0
    return int(torch.cuda.memory_reserved(index) - torch.cuda.memory_allocated(index))
