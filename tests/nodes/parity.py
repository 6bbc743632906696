"""The record of parity: how far results lie from their reference, told by the tests that measure it.

`python -m tests.parity` runs those tests and writes what they record into RECORD and docs/parity.md.
Whenever one of them runs, it must record the rows that stand there, and no others; see `check`.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

VARIABLE = "DARKROOM_PARITY"
"""The environment variable that names the file to record in, instead of comparing with RECORD."""
RECORD = Path(__file__).parents[1] / "data" / "parity.json"
"""The rows of docs/parity.md, each with the test that measured it."""
TOLERANCE = 1e-4
"""Relative RMS: rounding stays below 1e-5, real mistakes begin at 1e-3."""
SHADE = 1 / 255
"""One step of a picture's 8 bits."""
FIGURE = "relative RMS"
DIFFERENCE = "largest difference"


@dataclass(frozen=True)
class Row:
    """One comparison: what was compared, and how far apart both were."""

    family: str
    """As the table is to show it, such as "SDXL refiner"."""
    sampler: str
    """With the schedule, or whatever else tells this comparison from the family's others."""
    figure: float
    what: str = "final latents"
    reference: str = "diffusers"
    tolerance: float = TOLERANCE
    measure: str = FIGURE
    """How the figure is made."""
    test: str = ""
    """The test that measured it, as pytest names it."""

    @property
    def key(self) -> "Row":
        """The row without its figure, which is another on every machine."""
        return replace(self, figure=0.0, test="")


_noted: list[Row] = []


def taken() -> list[Row]:
    """The rows that were recorded since this was last asked."""
    rows = list(_noted)
    _noted.clear()
    return rows


def record(row: Row) -> None:
    """Note a row, and fail if its figure is not below its tolerance."""
    _noted.append(row)
    assert row.figure < row.tolerance, row


def agree(
    family: str,
    sampler: str,
    ours: "Tensor",
    reference: "Tensor",
    *,
    what: str = "final latents",
    by: str = "diffusers",
    tolerance: float = TOLERANCE,
) -> None:
    """Note how far our tensor lies from that of the reference `by`, and fail if it is too far."""
    assert ours.shape == reference.shape
    figure = float((ours - reference).pow(2).mean().sqrt() / reference.pow(2).mean().sqrt())
    record(Row(family, sampler, figure, what, by, tolerance))


def look_alike(
    family: str,
    sampler: str,
    ours: "Tensor",
    reference: "Tensor",
    *,
    what: str = "picture",
    by: str = "diffusers",
) -> None:
    """Note how far the worst value of our picture lies from the reference's; 8 bits must be the same."""
    assert ours.shape == reference.shape
    assert float(reference.std()) > 1e-2
    figure = float((ours - reference).abs().max())
    record(Row(family, sampler, figure, what, by, SHADE, DIFFERENCE))


def finish(test: str) -> None:
    """Compare what a test has recorded with what stands in RECORD for it; or write it, if that is asked for."""
    rows = taken()
    path = os.environ.get(VARIABLE)
    if path is None:
        check(test, rows, known())
    elif rows:
        with Path(path).open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(replace(row, test=test))) + "\n" for row in rows)


def check(test: str, rows: Iterable[Row], record: Iterable[Row]) -> None:
    """Fail unless the rows of a test are those of the record, whatever their figures."""
    found = {row.key for row in rows}
    stands = {row.key for row in record if row.test == test}
    assert found == stands, (
        f"docs/parity.md is not current: it lacks {sorted(map(str, found - stands))} and has "
        f"{sorted(map(str, stands - found))} of {test}; run python -m tests.parity"
    )


@cache
def known() -> tuple[Row, ...]:
    """The rows of the record."""
    return tuple(Row(**row) for row in json.loads(RECORD.read_text(encoding="utf-8")))
