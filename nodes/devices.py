"""Which device to compute on, found without importing torch."""

import ctypes
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from engine.errors import InputError

KINDS = ("cpu", "cuda", "mps")


def choose(asked: str | None = None) -> str:
    """The device to compute on: the one asked for, or the best that this machine has.

    Args:
        asked: "cpu", "cuda", "cuda:1", "mps", or None or "auto" for the best.

    Raises:
        InputError: There is no such device here.
    """
    found = available()
    if asked is None or asked == "auto":
        return found[0]
    kind = asked.partition(":")[0]
    if kind not in KINDS:
        raise InputError(f"device {asked!r} is unknown: give auto, {', '.join(KINDS)} or cuda:N")
    if kind not in found:
        raise InputError(
            f"device {asked!r} is not here: torch {torch_version()} can use {', '.join(found)}",
            code="no_device",
        )
    index = asked.partition(":")[2]
    if kind == "cuda" and index.isdigit() and 0 < cuda_devices() <= int(index):
        raise InputError(
            f"device {asked!r} is not here: there are {cuda_devices()}, counted from cuda:0",
            code="no_device",
        )
    return asked


def available() -> tuple[str, ...]:
    """The kinds of device that the installed torch can use on this machine, the best first."""
    build = torch_version().partition("+")[2]
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return ("mps", "cpu")
    if build.startswith("rocm"):
        return ("cuda", "cpu") if Path("/dev/kfd").exists() else ("cpu",)
    return ("cuda", "cpu") if build != "cpu" and cuda_devices() else ("cpu",)


def names() -> tuple[str, ...]:
    """Every device of this machine by its own name, the best first: each can have a worker."""
    best, *rest = available()
    if best != "cuda":
        return (best, *rest)
    return (*(f"cuda:{index}" for index in range(max(cuda_devices(), 1))), *rest)


@cache
def torch_version() -> str:
    """The installed torch, such as 2.13.0+cpu."""
    try:
        return version("torch")
    except PackageNotFoundError:
        return "none"


@cache
def cuda_devices() -> int:
    """How many devices the CUDA driver reports; 0 without one."""
    driver = library("libcuda.so.1", "nvcuda.dll")
    count = ctypes.c_int()
    if driver is None or driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return 0
    return count.value


def library(*names: str) -> ctypes.CDLL | None:
    """The first of these shared libraries that is installed."""
    for name in names:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None
