"""The record of parity: how far results lie from their reference, told by the tests that measure it.

`python -m tests.parity` runs those tests and writes docs/parity.md from what they record.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import Tensor

VARIABLE = "DARKROOM_PARITY"
"""The environment variable that names the file to record in. Without it nothing is recorded."""
TOLERANCE = 1e-4
"""Relative RMS: rounding stays below 1e-5, real mistakes begin at 1e-3."""


@dataclass(frozen=True)
class Row:
    """One comparison: what was compared, and how far apart both were."""

    family: str
    """As the table is to show it, such as "SDXL refiner"."""
    sampler: str
    """With the schedule, or whatever else tells this comparison from the family's others."""
    figure: float
    """Relative RMS of the difference, unless `what` says otherwise."""
    what: str = "final latents"
    reference: str = "diffusers"
    tolerance: float = TOLERANCE


def record(
    family: str,
    sampler: str,
    figure: float,
    *,
    what: str = "final latents",
    reference: str = "diffusers",
    tolerance: float = TOLERANCE,
) -> None:
    """Note a figure for docs/parity.md, and fail if it is not below its tolerance."""
    row = Row(family, sampler, figure, what, reference, tolerance)
    path = os.environ.get(VARIABLE)
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(row)) + "\n")
    assert figure < tolerance, row


def agree(
    family: str,
    sampler: str,
    ours: Tensor,
    reference: Tensor,
    *,
    what: str = "final latents",
    by: str = "diffusers",
    tolerance: float = TOLERANCE,
) -> None:
    """Note how far our tensor lies from that of the reference `by`, and fail if it is too far."""
    assert ours.shape == reference.shape
    figure = float((ours - reference).pow(2).mean().sqrt() / reference.pow(2).mean().sqrt())
    record(family, sampler, figure, what=what, reference=by, tolerance=tolerance)
