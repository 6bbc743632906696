"""Nodes that harm the process that they run in."""

import ctypes
import os
import signal
import sys
import time
from pathlib import Path
from typing import Literal

from engine.node import Progress, node, silent


@node("Harm", category="faults", volatile=True)
def harm(
    number: float = 0.0,
    *,
    how: Literal["kill", "segfault", "abort", "exit", "leave", "memory", "lock"] = "kill",
) -> float:
    """End the process, or keep it from ever going on."""
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "segfault":
        ctypes.string_at(0)
    if how == "abort":
        os.abort()
    if how == "exit":
        os._exit(7)
    if how == "leave":
        sys.exit(7)
    if how == "memory":
        return float(len(bytearray(2**62)))
    if how == "lock":
        ctypes.PyDLL(None).sleep(3600)  # with Python's lock held
    return number


@node("HarmOnce", category="faults", volatile=True)
def harm_once(file: str) -> str:
    """End the process, unless it did so before and left this file."""
    if Path(file).exists():
        return "survived"
    Path(file).touch()
    os.kill(os.getpid(), signal.SIGKILL)
    return "never"


@node("Noise", category="faults", volatile=True)
def noise(number: float = 0.0) -> float:
    """Write to the standard output, in all ways, and read from the standard input."""
    sys.stdout.write("\x00\x00\x01 garbage\n")
    sys.stdout.flush()
    os.write(1, b"\xff" * 100)
    os.system("echo from a child")  # noqa: S605, S607 - a child's output too
    return number if sys.stdin.read() == "" else -1.0


@node("Grow", category="faults", volatile=True)
def grow(megabytes: int = 100) -> float:
    """Keep memory that is never given back."""
    KEPT.append(bytearray(os.urandom(2**20)) * megabytes)
    return float(len(KEPT))


@node("Wait", category="time", volatile=True)
def wait(seconds: float = 1.0, *, progress: Progress = silent) -> float:
    """Take that long, and listen."""
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        time.sleep(0.02)
        progress(int(100 * passed), int(100 * seconds) or 1)
    return seconds


@node("Pid", category="time", volatile=True)
def pid(file: str = "") -> float:
    """The process that this runs in; written to a file too, if one is named."""
    if file:
        Path(file).write_text(str(os.getpid()), encoding="ascii")
    return float(os.getpid())


KEPT: list[bytearray] = []
