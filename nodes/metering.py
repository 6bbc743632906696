"""What a call on the device lane takes at its peak, and what this machine is. Never imports torch."""

import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from engine.runtime import Measured, bare_machine

_RESET = b"5"
"""Written to clear_refs, sets the high-water mark of the process's memory to what it has now."""


@contextmanager
def metered(device: str) -> Iterator[Measured]:
    """Measure the peak of memory during a block: on CUDA what torch allocated there, on the CPU the process's.

    Elsewhere, and where the system does not tell, nothing is measured. Costs less than 0.1 ms.
    """
    measured = Measured()
    kind = device.partition(":")[0]
    if kind == "cuda":
        _reset_cuda(device)
        yield measured
        measured.peak = _cuda_peak(device)
    elif kind == "cpu":
        is_reset = _reset_process()
        yield measured
        measured.peak = _process_peak() if is_reset else None
    else:
        yield measured


def machine(device: str) -> dict[str, str]:
    """This machine in words: Python, platform, the device's name, and torch's threads once it is loaded."""
    found = bare_machine() | {"device": _device_name(device)}
    torch = sys.modules.get("torch")
    if torch is not None:
        found["threads"] = str(torch.get_num_threads())
    return {name: value for name, value in found.items() if value}


def _reset_cuda(device: str) -> None:
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.reset_peak_memory_stats(device)


def _cuda_peak(device: str) -> int | None:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return None
    return int(torch.cuda.max_memory_allocated(device))


def _reset_process() -> bool:
    """Whether the mark could be set: on Linux, where the process may write there."""
    try:
        handle = os.open("/proc/self/clear_refs", os.O_WRONLY)
    except OSError:
        return False
    try:
        os.write(handle, _RESET)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def _process_peak() -> int | None:
    try:
        handle = os.open("/proc/self/status", os.O_RDONLY)
    except OSError:
        return None
    try:
        text = os.read(handle, 8192)
    finally:
        os.close(handle)
    _, found, rest = text.partition(b"VmHWM:")
    return int(rest.split(None, 1)[0]) * 1024 if found else None


def _device_name(device: str) -> str:
    if device.partition(":")[0] == "cuda":
        torch = sys.modules.get("torch")
        known = torch is not None and torch.cuda.is_initialized()
        return str(torch.cuda.get_device_name(device)) if torch is not None and known else ""
    return _processor()


@cache
def _processor() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()
