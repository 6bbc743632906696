"""How long commands take that have nothing to compute."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
WORKFLOW = "workflows/text-to-image.json"
BOUNDS = {
    "stored_run_seconds": 3.0,
    "nodes_seconds": 0.5,
    "check_seconds": 0.5,
    "plan_seconds": 0.5,
    "help_seconds": 0.5,
}


def measure() -> dict[str, float]:
    """The shortest of five runs of each command; before them the workflow runs once."""
    with tempfile.TemporaryDirectory() as data:
        seconds(data, "run", WORKFLOW)
        return {
            "stored_run_seconds": shortest(data, "run", WORKFLOW),
            "nodes_seconds": shortest(data, "nodes"),
            "check_seconds": shortest(data, "check", WORKFLOW),
            "plan_seconds": shortest(data, "plan", WORKFLOW),
            "help_seconds": shortest(data, "--help"),
        }


def shortest(data: str, *arguments: str) -> float:
    """The time without the machine's noise."""
    return min(seconds(data, *arguments) for _ in range(5))


def seconds(data: str, *arguments: str) -> float:
    """How long one command takes, from start to exit."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "server", *arguments],
        check=True,
        cwd=ROOT,
        env={**os.environ, "DARKROOM_DATA": data},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - started
