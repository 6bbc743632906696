"""Models compiled by torch, where they are asked to be and a compiler is there."""

import importlib.util
import os
import shutil
from typing import Any

from engine.notices import notice


def compiler(device: str) -> str | None:
    """What torch would compile with for a device; None if that is not installed."""
    if device == "cpu":
        return shutil.which(os.environ.get("CXX") or "g++") or shutil.which("clang++")
    return "triton" if importlib.util.find_spec("triton") else None


def compile_in_place(module: Any, device: str) -> bool:
    """Have a module compiled at its first call, for each size anew. Returns whether it will be."""
    if compiler(device) is None:
        needed = "a C++ compiler (g++ or clang++)" if device == "cpu" else "the package triton"
        notice(f"models are not compiled, for {needed} is not installed")
        return False
    module.compile()
    return True
