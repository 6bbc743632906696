"""Models compiled by torch, where they are asked to be and a compiler is there."""

import importlib.util
import logging
import os
import shutil
from typing import Any

LOG = logging.getLogger(__name__)


def compiler(device: str) -> str | None:
    """What torch would compile with for a device; None if that is not installed."""
    if device == "cpu":
        return shutil.which(os.environ.get("CXX") or "g++") or shutil.which("clang++")
    return "triton" if importlib.util.find_spec("triton") else None


def compile_in_place(module: Any, device: str) -> bool:
    """Have a module compiled at its first call, for each size anew. Returns whether it will be."""
    if compiler(device) is None:
        needed = "a C++ compiler (g++ or clang++)" if device == "cpu" else "the package triton"
        LOG.warning("models are not compiled, for %s is not installed", needed)
        return False
    module.compile()
    return True
