"""Notebooks without Jupyter: their code cells are run, and what they show is written down.

`python -m tests.notebooks FILE` runs one and puts what its cells show into it.
"""

import ast
import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

Json = dict[str, Any]


def read(path: Path) -> Json:
    """A notebook."""
    document: Json = json.loads(path.read_text(encoding="utf-8"))
    return document


def run(document: Json) -> list[list[Json]]:
    """Run the code cells in order; returns the outputs of each."""
    space: Json = {"__name__": "__main__"}
    cells = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    return [_run("".join(cell["source"]), number, space) for number, cell in enumerate(cells, 1)]


def _run(source: str, number: int, space: Json) -> list[Json]:
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    said = io.StringIO()
    value = None
    with contextlib.redirect_stdout(said):
        exec(compile(tree, f"cell {number}", "exec"), space)  # noqa: S102 - our own example
        if isinstance(last, ast.Expr):
            expression = ast.Expression(last.value)
            value = eval(compile(expression, f"cell {number}", "eval"), space)  # noqa: S307
    outputs: list[Json] = []
    if said.getvalue():
        lines = said.getvalue().splitlines(keepends=True)
        outputs.append({"name": "stdout", "output_type": "stream", "text": lines})
    if value is not None:
        outputs.append(
            {
                "data": _shown(value),
                "execution_count": number,
                "metadata": {},
                "output_type": "execute_result",
            }
        )
    return outputs


def _shown(value: object) -> Json:
    bundle = getattr(value, "_repr_mimebundle_", None)
    told: dict[str, str] = {"text/plain": repr(value)} if bundle is None else bundle()
    return {
        kind: text if kind.startswith("image/") else text.splitlines(keepends=True)
        for kind, text in sorted(told.items())
    }


def main(path: Path) -> None:
    """Run a notebook and put what its cells show into it."""
    document = read(path)
    cells = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    for number, (cell, outputs) in enumerate(zip(cells, run(document), strict=True), 1):
        cell["outputs"], cell["execution_count"] = outputs, number
    text = json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
