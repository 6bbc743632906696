"""`python -m tests.parity`: runs every test that compares with a reference, and writes docs/parity.md."""

import json
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.nodes.parity import TOLERANCE, VARIABLE, Row

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "parity.md"
_INTRODUCTION = f"""# Agreement with the references

Every row is measured by a test: the same weights (tiny, random, of the model's true structure), the same
noise, float32 on the CPU, once through Darkroom and once through the reference. The figure is the root
mean square of the difference over that of the reference's result. Rounding alone gives 1e-7 to 1e-5, a
real mistake 1e-3 or more; a test fails at {TOLERANCE:g} where no other limit is told.

`python -m tests.parity` measures all of it anew and writes this page.
"""


def main() -> int:
    """Run the tests, and write the page if they pass."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ[VARIABLE] = str(Path(folder) / "rows.jsonl")
        tests = sorted(str(path) for path in (ROOT / "tests" / "nodes").rglob("test_parity*.py"))
        code = int(pytest.main(["-q", "-p", "no:cacheprovider", *tests]))
        if code == 0:
            lines = Path(os.environ[VARIABLE]).read_text(encoding="utf-8").splitlines()
            PAGE.write_text(page(Row(**json.loads(line)) for line in lines), encoding="utf-8")
    return code


def page(rows: Iterable[Row]) -> str:
    """The document that lists the rows, those of one family together."""
    ordered = sorted(rows, key=lambda row: (row.family, row.what, row.reference, row.sampler))
    lines = [_INTRODUCTION]
    for family in dict.fromkeys(row.family for row in ordered):
        lines += [
            f"## {family}",
            "",
            "| compared | how | reference | figure |",
            "|---|---|---|---|",
        ]
        worst: dict[tuple[str, str, str, float], float] = {}
        for row in ordered:
            if row.family == family:
                key = (row.what, row.sampler, row.reference, row.tolerance)
                worst[key] = max(worst.get(key, 0.0), row.figure)
        for (what, sampler, reference, tolerance), figure in worst.items():
            limit = "" if tolerance == TOLERANCE else f" (limit {tolerance:g})"
            lines.append(f"| {what} | {sampler} | {reference} | {figure:.1e}{limit} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
