"""`python -m tests.parity`: runs every test that compares with a reference, and writes docs/parity.md."""

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.nodes.parity import RECORD, SHADE, TOLERANCE, VARIABLE, Row

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "parity.md"
_RECORDS = re.compile(r"\b(parity|sides)\b")
_INTRODUCTION = f"""# Agreement with the references

Every row is measured by a test: the same weights (tiny, random, of the model's true structure), the same
noise, float32 on the CPU, once through Darkroom and once through the reference. The figure is the root
mean square of the difference over that of the reference's result. Rounding alone gives 1e-7 to 1e-5, a
real mistake 1e-3 or more; a test fails at {TOLERANCE:g} where no other limit is told. Of pictures it is the
largest difference of a value between 0 and 1, which must stay below {SHADE:.4f}, one step of 8 bits.

diffusers and transformers are run as they are. Where they have no such thing, or theirs is broken, the
reference is the named paper's or program's rule, written out in the test.

`python -m tests.parity` measures all of it anew and writes this page. Whenever one of the tests runs, it
fails if what it compares is not what stands here.
"""


def main() -> int:
    """Run the tests, and write the record and the page if they pass."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ[VARIABLE] = str(Path(folder) / "rows.jsonl")
        code = int(pytest.main(["-q", "-p", "no:cacheprovider", *map(str, measuring())]))
        if code == 0:
            lines = Path(os.environ[VARIABLE]).read_text(encoding="utf-8").splitlines()
            rows = in_order(Row(**json.loads(line)) for line in lines)
            RECORD.write_text(text(rows), encoding="utf-8")
            PAGE.write_text(page(rows), encoding="utf-8")
    return code


def measuring() -> list[Path]:
    """The files with tests that record something."""
    found = (ROOT / "tests" / "nodes").rglob("test_*.py")
    telling = [path for path in found if _RECORDS.search(path.read_text(encoding="utf-8"))]
    return sorted(path for path in telling if path.name != "test_parity_page.py")


def in_order(rows: Iterable[Row]) -> list[Row]:
    """The rows as the page shows them."""
    return sorted(
        rows, key=lambda row: (row.family, row.what, row.reference, row.sampler, row.test)
    )


def text(rows: Iterable[Row]) -> str:
    """The record's file: one row a line, its figure as exact as the page's."""
    shown = [asdict(row) | {"figure": float(f"{row.figure:.1e}")} for row in rows]
    return "[\n" + ",\n".join(json.dumps(row) for row in shown) + "\n]\n"


def page(rows: Iterable[Row]) -> str:
    """The document that lists the rows, those of one family together."""
    ordered = in_order(rows)
    lines = [_INTRODUCTION]
    for family in dict.fromkeys(row.family for row in ordered):
        lines += [
            f"## {family}",
            "",
            "| compared | how | reference | figure |",
            "|---|---|---|---|",
        ]
        worst: dict[Row, float] = {}
        for row in ordered:
            if row.family == family:
                worst[row.key] = max(worst.get(row.key, 0.0), row.figure)
        for row, figure in worst.items():
            usual = row.tolerance in {TOLERANCE, SHADE}
            limit = "" if usual else f" (limit {row.tolerance:g})"
            lines.append(f"| {row.what} | {row.sampler} | {row.reference} | {figure:.1e}{limit} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
