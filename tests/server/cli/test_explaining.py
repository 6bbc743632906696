"""What `explain` and `plan` say, and what an edit invalidates."""

from pathlib import Path
from typing import Any

import pytest

from engine.artifacts import Delivery
from engine.check import compile_graph
from engine.plan import make_plan
from engine.runtime import Runtime
from engine.store import Store
from server.plans import _changed
from tests.engine import toys
from tests.engine.conftest import flow, link
from tests.whole import TEXT_TO_IMAGE


def changed(tmp_path: Path, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    runtime = Runtime(services={toys.Shelf: toys.Shelf()}, delivery=Delivery(tmp_path))
    store = Store()
    old, new = (compile_graph(flow(nodes), toys.catalog, runtime) for nodes in (before, after))
    return _changed(old, make_plan(old, store, runtime), new, make_plan(new, store, runtime))


def test_an_edit_reaches_what_follows_it(tmp_path: Path) -> None:
    nodes = {
        "a": ("Add", {"a": 1}), "b": ("Add", {"a": 2}),
        "sum": ("Join", {"left": link("a"), "right": link("b")}),
    }  # fmt: skip
    assert changed(tmp_path, nodes, nodes | {"b": ("Add", {"a": 3})}) == ["b", "sum"]
    assert changed(tmp_path, nodes, nodes) == []


def test_an_edit_behind_a_node_that_runs_each_time_is_seen(tmp_path: Path) -> None:
    nodes = {
        "dice": ("Dice", {}), "n": ("Add", {"a": link("dice"), "b": 1}),
        "end": ("Add", {"a": link("n")}),
    }  # fmt: skip
    edited = nodes | {"n": ("Add", {"a": link("dice"), "b": 2})}
    assert changed(tmp_path, nodes, edited) == ["n", "end"]
    assert changed(tmp_path, nodes, nodes) == []


@pytest.mark.slow
def test_the_program_explains_and_says_what_an_edit_reaches(tmp_path: Path) -> None:
    from tests.whole import Darkroom as Whole

    darkroom = Whole(tmp_path)
    name = str(TEXT_TO_IMAGE)
    small = ("--set", "steps=1", "--set", "width=64", "--set", "height=64")
    assert darkroom("run", name, *small)[0] == 0
    _, told = darkroom("explain", name, "sampler", *small, "--set", "seed=4")
    sampler = told["nodes"]["sampler"]
    assert sampler["state"] == "run"
    assert [(c["name"], c["before"], c["after"]) for c in sampler["changes"]] == [
        ("seed", "3", "4")
    ]
    assert sampler["seconds"] > 0
    _, told = darkroom("explain", name, *small, "--if", "prompt=a tree")
    assert told["changed"] == ["positive", "sampler", "decode", "save"]
    assert told["run"] == told["changed"]
    assert darkroom.fault("explain", name, "nothing")["code"] == "unknown_node"


def test_a_sweep_can_be_asked_for_in_several_forms() -> None:
    from server.cli.documents import read_axis

    assert read_axis("1,2.5", None) == {"$axis": [1, 2.5]}
    assert read_axis("0..63", None) == {"$axis": {"$range": {"from": 0, "to": 63, "step": 1}}}
    assert read_axis("0..1..0.5", None) == {"$axis": {"$range": {"from": 0, "to": 1, "step": 0.5}}}
    assert read_axis('["a, b", "c"]', None) == {"$axis": ["a, b", "c"]}
