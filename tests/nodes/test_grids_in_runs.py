"""Tables behind links: what the engine hands to the nodes that show them."""

import csv
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

from engine.catalog import Catalog
from engine.check import compile_graph, judge
from engine.errors import Problem
from engine.executor import execute
from engine.grid import Axis, Grid
from engine.node import node, node_type
from engine.store import Store
from engine.workflow import Workflow
from nodes import lists, logic, output, sheets
from nodes.runtime import open_runtime
from nodes.values import Image

AXES = (Axis("prompt", ("a cat", "a dog")), Axis("seed", (1, 2, 3)))


class Swept(NamedTuple):
    images: Grid[Image]
    scores: Grid[float]
    by_seed: Grid[int]


@node("Sweep", category="test")
def sweep() -> Swept:
    """A sweep's tables."""
    numbers = range(6)
    return Swept(
        Grid(AXES, tuple(Image(torch.full((1, 3, 8, 8), number / 10)) for number in numbers)),
        Grid(AXES, tuple(number / 4 for number in numbers)),
        Grid(AXES[1:], (7, 8, 9)),
    )


@node("Grey", category="test")
def grey(*, level: float = 0.5) -> Image:
    """A grey picture."""
    return Image(torch.full((2, 3, 8, 8), level))


CATALOG = Catalog(
    *(
        node_type(function)
        for function in (
            *(sweep, grey, sheets.image_grid, sheets.compare_images, output.save_table),
            *(output.save_image, lists.integer_range, lists.pick, logic.format_text, logic.pass_on),
        )
    )
)


def link(node_id: str, name: str = "value") -> dict[str, list[str]]:
    return {"$link": [node_id, name]}


def workflow(nodes: dict[str, tuple[str, dict[str, Any]]]) -> Workflow:
    placed = {name: {"type": kind, "inputs": inputs} for name, (kind, inputs) in nodes.items()}
    last = {"result": {"node": list(nodes)[-1], "output": "value"}}
    return Workflow.from_json({"darkroom": 1, "nodes": placed, "outputs": last})


def faults(nodes: dict[str, tuple[str, dict[str, Any]]], tmp_path: Path) -> list[Problem]:
    """What is wrong with nodes, whether the last one needs them or not."""
    verdict = judge(workflow(nodes), CATALOG, open_runtime(tmp_path, device="cpu"))
    return [*verdict.problems, *verdict.warnings]


def result(nodes: dict[str, tuple[str, dict[str, Any]]], tmp_path: Path) -> Any:
    runtime = open_runtime(tmp_path, device="cpu")
    program = compile_graph(workflow(nodes), CATALOG, runtime)
    return execute(program, Store(tmp_path / "store", runtime.codecs), runtime).outputs["result"]


def test_a_sweep_becomes_a_picture(tmp_path: Path) -> None:
    inputs = {"images": link("sweep", "images"), "labels": False, "gap": 0}

    sheet = result({"sweep": ("Sweep", {}), "sheet": ("ImageGrid", inputs)}, tmp_path)

    assert sheet.pixels[0, 0, ::8, ::8].tolist() == [
        pytest.approx([0, 0.1, 0.2]),
        pytest.approx([0.3, 0.4, 0.5]),
    ]


@pytest.mark.parametrize(
    ("images", "shape"),
    [(link("grey"), (8, 16)), ([link("grey"), link("grey")], (16, 16))],
)
def test_pictures_and_lists_of_them_are_tables_too(
    images: Any, shape: tuple[int, int], tmp_path: Path
) -> None:
    inputs = {"images": images, "labels": False, "gap": 0}

    sheet = result({"grey": ("Grey", {}), "sheet": ("ImageGrid", inputs)}, tmp_path)

    assert sheet.pixels.shape[2:] == shape


def test_a_table_of_a_sweep_has_its_columns(tmp_path: Path) -> None:
    inputs = {
        "values": link("sweep", "scores"),
        "header": "score",
        "columns": {"number": link("sweep", "by_seed")},
    }

    saved = result({"sweep": ("Sweep", {}), "table": ("SaveTable", inputs)}, tmp_path)

    with Path(saved.path).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[4] == {"prompt": "a dog", "seed": "2", "score": "1.0", "number": "8"}
    assert len(rows) == 6


def test_a_table_tells_the_files_of_a_batch(tmp_path: Path) -> None:
    nodes: dict[str, tuple[str, dict[str, Any]]] = {
        "grey": ("Grey", {}),
        "save": ("SaveImage", {"image": link("grey")}),
        "table": ("SaveTable", {"values": link("save"), "header": "file"}),
    }

    saved = result(nodes, tmp_path)

    text = Path(saved.path).read_text(encoding="utf-8")
    assert text == "item,file\n0,darkroom_00001.png\n1,darkroom_00002.png\n"


def test_a_grid_takes_no_literal_and_no_other_link(tmp_path: Path) -> None:
    nodes: dict[str, tuple[str, dict[str, Any]]] = {
        "range": ("IntegerRange", {}),
        "a": ("ImageGrid", {"images": link("range")}),
        "b": ("ImageGrid", {"images": {"axes": [], "cells": []}}),
    }

    found = faults(nodes, tmp_path)

    problems = sorted(found, key=lambda problem: str(problem.node))
    assert [(one.node, one.input, one.code) for one in problems] == [
        ("a", "images", "wrong_link"),
        ("b", "images", "wrong_type"),
    ]
    assert "link it to Grid[Image]" in problems[1].message


def test_what_is_picked_keeps_its_type(tmp_path: Path) -> None:
    nodes: dict[str, tuple[str, dict[str, Any]]] = {
        "range": ("IntegerRange", {"start": 5, "stop": 8}),
        "sweep": ("Sweep", {}),
        "number": ("Pick", {"values": link("range"), "index": -1}),
        "cell": ("Pick", {"values": link("sweep", "images"), "index": 4}),
        "pass": ("Pass", {"value": link("cell")}),
        "wrong": ("ImageGrid", {"images": link("number")}),
        "text": ("FormatText", {"template": "{n}", "values": {"n": link("number")}}),
    }

    problems = faults(nodes, tmp_path)

    assert [one.node for one in problems] == ["wrong"]
    del nodes["wrong"], nodes["text"]
    assert float(result(nodes, tmp_path).pixels.max()) == pytest.approx(0.4)


def test_linked_values_are_put_into_a_text(tmp_path: Path) -> None:
    nodes: dict[str, tuple[str, dict[str, Any]]] = {
        "range": ("IntegerRange", {"start": 2, "stop": 9}),
        "number": ("Pick", {"values": link("range"), "index": 1}),
        "text": ("FormatText", {"template": "{n} {m}", "values": {"n": link("number"), "m": 0.5}}),
    }

    assert result(nodes, tmp_path) == "3 0.5"
