"""Subgraphs, maps and loops: what they become, and what is wrong with them."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from engine.check import check, compile_graph
from engine.errors import GraphError, NodeError, Problem
from engine.grid import Axis, Grid
from engine.runtime import Runtime
from engine.store import Store
from engine.workflow import Workflow

from . import toys
from .conftest import Run, flow, link

Json = dict[str, Any]


def graph(nodes: Json, inputs: Json, outputs: Json, **more: Any) -> Json:
    """A subgraph from nodes as `{id: (type, inputs)}` and ends as `{name: "node.end"}`."""

    def ends(table: Json, role: str) -> Json:
        return {
            name: dict(zip(("node", role), end.split("."), strict=True))
            for name, end in table.items()
        }

    return {
        "inputs": ends(inputs, "input"),
        "outputs": ends(outputs, "output"),
        "nodes": flow(nodes).to_json()["nodes"],
    } | more


def document(nodes: Json, subgraphs: Json, **outputs: str) -> Workflow:
    """A workflow; a node that stands for a graph is `(type, inputs, further keys)`."""
    plain = {name: (kind, inputs) for name, (kind, inputs, *_) in nodes.items()}
    made = flow(plain, **outputs).to_json()
    for name, (_, _, *more) in nodes.items():
        made["nodes"][name] |= more[0] if more else {}
    return Workflow.from_json(made | {"subgraphs": subgraphs})


def problems(workflow: Workflow, runtime: Runtime) -> list[Problem]:
    return check(workflow, toys.catalog, runtime)


PLUS = graph({"add": ("Add", {"a": 1, "b": 10})}, {"n": "add.a", "by": "add.b"}, {"n": "add.value"})
HALF = graph(
    {"add": ("Add", {"a": 1, "b": 1}), "small": ("Less", {"a": 5, "b": link("add")})},
    {"n": "add.a"},
    {"n": "add.value", "done": "small.value"},
)
"""Adds 1, and is done above 5."""


def test_a_subgraph_is_a_node_with_its_own_values(run: Run, calls: list[str]) -> None:
    nodes: Json = {
        "one": ("Subgraph", {"n": 5}, {"graph": "plus"}),
        "two": ("Subgraph", {"n": link("one", "n"), "by": 2}, {"graph": "plus"}),
    }
    result = run(document(nodes, {"plus": PLUS}, n="two.n"))
    assert result.outputs == {"n": 17}
    assert set(result.nodes) == {"one/add", "two/add"}


def test_an_edit_of_a_subgraph_reaches_every_instance(run: Run) -> None:
    nodes: Json = {
        "one": ("Subgraph", {}, {"graph": "plus"}),
        "two": ("Subgraph", {"n": link("one", "n")}, {"graph": "plus"}),
    }
    edited = json.loads(json.dumps(PLUS).replace("10", "20"))
    assert run(document(nodes, {"plus": PLUS}, n="two.n")).outputs["n"] == 21
    assert run(document(nodes, {"plus": edited}, n="two.n")).outputs["n"] == 41


def test_subgraphs_nest_and_pass_their_inputs_on(run: Run) -> None:
    middle = graph({}, {"n": "in.n"}, {"n": "in.n"}, subgraphs={"plus": PLUS})
    middle["nodes"] = {
        "in": {"type": "Subgraph", "version": 1, "graph": "plus", "inputs": {"by": 3}}
    }
    outer = graph({}, {"n": "in.n"}, {"n": "in.n"}, subgraphs={"middle": middle})
    outer["nodes"] = {"in": {"type": "Subgraph", "version": 1, "inputs": {}, "graph": "middle"}}
    workflow = document(
        {"top": ("Subgraph", {"n": 4}, {"graph": "outer"})}, {"outer": outer}, n="top.n"
    )
    assert run(workflow).outputs["n"] == 7
    assert Workflow.from_json(workflow.to_json()).to_json() == workflow.to_json()


def test_one_named_input_may_lead_to_several_places(run: Run) -> None:
    twice = graph(
        {"a": ("Add", {}), "b": ("Add", {"b": link("a")})}, {"n": "a.a"}, {"n": "b.value"}
    )
    twice["inputs"]["n"]["also"] = [{"node": "b", "input": "a"}]
    workflow = document(
        {"x": ("Subgraph", {"n": 3}, {"graph": "twice"})}, {"twice": twice}, n="x.n"
    )
    assert run(workflow).outputs["n"] == 6
    alone = Workflow.from_json({"darkroom": 1, **twice})
    assert run(alone.with_input("n", 4)).outputs["n"] == 8
    assert alone.to_json()["inputs"] == twice["inputs"]


def test_another_file_is_a_subgraph(tmp_path: Path, run: Run, runtime: Runtime) -> None:
    (tmp_path / "deep").mkdir()
    Workflow.from_json({"darkroom": 1, **PLUS}).write(tmp_path / "deep" / "plus.json")
    inner = document({"p": ("Subgraph", {"n": 1}, {"graph": "plus.json"})}, {}, n="p.n")
    inner.write(tmp_path / "deep" / "inner.json")
    outer = document({"x": ("Subgraph", {}, {"graph": "deep/inner.json"})}, {}, n="x.n")
    outer.write(tmp_path / "outer.json")
    workflow = Workflow.read(tmp_path / "outer.json")
    assert run(workflow).outputs["n"] == 11
    bundle = compile_graph(workflow, toys.catalog, runtime).workflow
    moved = Workflow.from_json(bundle.to_json())
    assert run(moved).outputs["n"] == 11
    (found,) = problems(outer, runtime)
    assert (found.code, found.node) == ("unknown_graph", "x")
    (tmp_path / "deep" / "inner.json").write_text("{")
    (found,) = problems(Workflow.read(tmp_path / "outer.json"), runtime)
    assert (found.code, found.node) == ("unreadable", "x")


def test_a_map_runs_a_graph_for_each_item(run: Run) -> None:
    nodes: Json = {
        "map": ("Map", {"n": [1, 2, 3], "by": 5}, {"graph": "plus", "each": ["n"]}),
        "tally": ("Tally", {"numbers": link("map", "n")}),
        "sum": ("Knot", {"lengths": link("map", "n")}),
    }
    result = run(document(nodes, {"plus": PLUS}, table="tally.value", sum="sum.value", all="map.n"))
    assert result.outputs["table"] == "n:1,2,3=6,7,8"
    assert result.outputs["sum"] == 21
    grid = result.outputs["all"]
    assert (grid.axes, grid.cells) == ((Axis("n", (1, 2, 3)),), (6, 7, 8))


def test_a_map_goes_over_ranges_and_several_lists_at_once(run: Run) -> None:
    inputs = {"n": {"$range": {"from": 0, "count": 3}}, "by": [1.5, 2.5, 3.5]}
    nodes: Json = {"map": ("Map", inputs, {"graph": "plus", "each": ["n", "by"]})}
    grid = run(document(nodes, {"plus": PLUS}, all="map.n")).outputs["all"]
    assert grid.cells == (1.5, 3.5, 5.5)
    assert grid.axes == (Axis("n", ("0, 1.5", "1, 2.5", "2, 3.5")),)


def test_the_items_of_a_map_may_be_links(run: Run) -> None:
    nodes: Json = {
        "four": ("Pass", {"value": 4}),
        "map": ("Map", {"n": [1, link("four")]}, {"graph": "plus", "each": ["n"]}),
    }
    grid = run(document(nodes, {"plus": PLUS}, all="map.n")).outputs["all"]
    assert (grid.axes[0].labels, grid.cells) == ((1, 1), (11, 14))


@pytest.mark.parametrize(("length", "cells"), [(0, ()), (1, (10,)), (3, (10, 11, 12))])
def test_a_map_over_a_list_that_is_computed(
    run: Run, length: int, cells: tuple[float, ...]
) -> None:
    nodes: Json = {
        "count": ("Count", {"length": length}),
        "map": ("Map", {"n": link("count")}, {"graph": "plus", "each": ["n"]}),
        "again": ("Map", {"n": link("map", "n")}, {"graph": "plus", "each": ["n"]}),
    }
    result = run(document(nodes, {"plus": PLUS}, all="map.n", again="again.n"))
    assert result.outputs["all"].cells == cells
    assert result.outputs["again"].cells == tuple(cell + 10 for cell in cells)
    assert result.outputs["all"].axes == (Axis("n", tuple(range(length))),)


def test_a_map_gives_each_lap_its_number(run: Run) -> None:
    numbered = graph(
        {"add": ("Add", {}), "note": ("Note", {"number": link("add")})},
        {"n": "add.a", "index": "note.index"},
        {"n": "add.value"},
    )
    for items in ([5, 6, 7], link("count")):
        nodes: Json = {
            "count": ("Count", {}),
            "map": ("Map", {"n": items}, {"graph": "g", "each": ["n"]}),
        }
        result = run(document(nodes, {"g": numbered}, all="map.n"))
        assert len(result.outputs["all"].cells) == 3
        files = sorted(result.nodes)
        assert {"map/0/note", "map/1/note", "map/2/note"} <= set(files)


def test_a_loop_of_a_fixed_count(run: Run, calls: list[str]) -> None:
    nodes: Json = {"loop": ("Loop", {"n": 0, "times": 4}, {"graph": "plus"})}
    result = run(document(nodes, {"plus": PLUS}, n="loop.n"))
    assert result.outputs["n"] == 40
    longer = {"loop": ("Loop", {"n": 0, "times": 6}, {"graph": "plus"})}
    assert run(document(longer, {"plus": PLUS}, n="loop.n")).outputs["n"] == 60
    assert calls.count("Add") == 6


def test_a_loop_runs_until_its_condition_holds(run: Run, calls: list[str]) -> None:
    nodes: Json = {"loop": ("Loop", {"n": 0, "times": 50}, {"graph": "half", "until": "done"})}
    workflow = document(nodes, {"half": HALF}, n="loop.n", done="loop.done")
    result = run(workflow)
    assert result.outputs == {"n": 6, "done": True}
    assert calls.count("Less") == 6
    assert result.nodes["loop/5/add"].state == "ran"
    assert "loop/6/add" not in result.nodes
    calls.clear()
    assert run(workflow).outputs["n"] == 6
    assert calls == []


def test_a_loop_that_is_done_at_once_takes_one_lap(run: Run, calls: list[str]) -> None:
    nodes: Json = {"loop": ("Loop", {"n": 9}, {"graph": "half", "until": "done"})}
    assert run(document(nodes, {"half": HALF}, n="loop.n")).outputs["n"] == 10
    assert calls.count("Less") == 1


def test_a_loop_that_never_ends_stops_at_its_bound(run: Run, calls: list[str]) -> None:
    nodes: Json = {"loop": ("Loop", {"n": -100, "times": 7}, {"graph": "half", "until": "done"})}
    with pytest.raises(NodeError, match="after 7 laps its condition is still not true"):
        run(document(nodes, {"half": HALF}, n="loop.n"))
    assert calls.count("Add") == 7


@pytest.mark.parametrize("times", [1, 2, 5])
def test_a_count_may_come_by_a_link(run: Run, times: int) -> None:
    nodes: Json = {
        "times": ("Pass", {"value": times}),
        "loop": ("Loop", {"n": 0, "times": link("times")}, {"graph": "plus"}),
    }
    assert run(document(nodes, {"plus": PLUS}, n="loop.n")).outputs["n"] == 10 * times


def test_a_loop_carries_what_it_is_told_and_counts_its_laps(run: Run) -> None:
    body = graph(
        {"sum": ("Add", {}), "note": ("Note", {"number": link("sum")})},
        {"n": "sum.a", "index": "sum.b"},
        {"total": "sum.value"},
    )
    body["inputs"]["index"]["also"] = [{"node": "note", "input": "index"}]
    for times in (4, link("times")):
        nodes: Json = {
            "times": ("Pass", {"value": 4}),
            "loop": ("Loop", {"n": 0, "times": times}, {"graph": "g", "carry": {"n": "total"}}),
        }
        result = run(document(nodes, {"g": body}, n="loop.total"))
        assert result.outputs["n"] == 0 + 1 + 2 + 3
        assert result.nodes["loop/3/note"].state in {"ran", "stored"}


def test_loops_and_maps_nest(run: Run) -> None:
    inner = document(
        {"loop": ("Loop", {"n": 0, "times": 20}, {"graph": "half", "until": "done"})},
        {},
        n="loop.n",
    ).to_json()
    inner["inputs"] = {"n": {"node": "loop", "input": "n"}}
    del inner["darkroom"]
    nodes: Json = {
        "count": ("Count", {"length": 8}),
        "map": ("Map", {"n": link("count")}, {"graph": "inner", "each": ["n"]}),
        "twice": ("Loop", {"n": 0, "times": link("three")}, {"graph": "inner"}),
        "three": ("Pass", {"value": 3}),
    }
    result = run(document(nodes, {"inner": inner, "half": HALF}, all="map.n", n="twice.n"))
    assert result.outputs["all"].cells == (6, 6, 6, 6, 6, 6, 7, 8)
    assert result.outputs["n"] == 8


def test_items_are_done_one_after_the_other(run: Run, calls: list[str]) -> None:
    body = graph(
        {"a": ("Add", {}), "note": ("Note", {"number": link("a")})}, {"n": "a.a"}, {"n": "a.value"}
    )
    for items in ([1, 2, 3], link("count")):
        calls.clear()
        nodes: Json = {
            "count": ("Count", {}),
            "map": ("Map", {"n": items}, {"graph": "g", "each": ["n"]}),
        }
        run(document(nodes, {"g": body}, n="map.n"))
        assert [name for name in calls if name.startswith("Note")] == sorted(
            name for name in calls if name.startswith("Note")
        )


def test_a_loop_that_only_delivers_files_runs(run: Run, tmp_path: Path) -> None:
    body = graph(
        {"a": ("Add", {"b": 1}), "note": ("Note", {"number": link("a")})},
        {"n": "a.a"},
        {"n": "a.value"},
    )
    nodes: Json = {
        "loop": ("Loop", {"n": 0, "times": link("times")}, {"graph": "g"}),
        "times": ("Pass", {"value": 3}),
    }
    workflow = document(nodes, {"g": body}, times="times.value")
    run(workflow)
    assert sorted(path.read_text() for path in (tmp_path / "out").iterdir()) == [
        "0 1",
        "0 2",
        "0 3",
    ]


def test_a_muted_instance_is_not_there_and_a_bypassed_one_passes_on(run: Run) -> None:
    nodes: Json = {
        "four": ("Pass", {"value": 4.0}),
        "plus": ("Subgraph", {"n": link("four")}, {"graph": "plus", "mode": "bypass"}),
        "end": ("Add", {"a": link("plus", "n"), "b": 1}),
    }
    assert run(document(nodes, {"plus": PLUS}, n="end.value")).outputs["n"] == 5
    nodes["plus"] = ("Subgraph", {"n": link("four")}, {"graph": "plus", "mode": "mute"})
    assert run(document(nodes, {"plus": PLUS}, n="end.value")).outputs["n"] == 1


def test_a_bypassed_node_inside_passes_what_the_instance_is_given(run: Run) -> None:
    body = document(
        {"add": ("Add", {}, {"mode": "bypass"}), "end": ("Add", {"a": link("add"), "b": 1})}, {}
    ).to_json()
    body |= {
        "inputs": {"n": {"node": "add", "input": "a"}},
        "outputs": {"n": {"node": "end", "output": "value"}},
    }
    nodes: Json = {
        "four": ("Add", {"a": 4}),
        "x": ("Subgraph", {"n": link("four")}, {"graph": "g"}),
    }
    assert run(document(nodes, {"g": body}, n="x.n")).outputs["n"] == 5


@pytest.mark.parametrize(
    ("kind", "inputs", "more"),
    [
        ("Subgraph", {"n": 1}, {}),
        ("Map", {"n": [1, 2]}, {"each": ["n"]}),
        ("Map", {"n": link("count")}, {"each": ["n"]}),
        ("Loop", {"n": 1, "times": 3}, {}),
        ("Loop", {"n": 1, "times": link("three")}, {}),
    ],
)
def test_a_muted_output_inside_is_not_there(run: Run, kind: str, inputs: Json, more: Json) -> None:
    body = json.loads(json.dumps(PLUS))
    body["nodes"]["add"]["mode"] = "mute"
    nodes: Json = {
        "three": ("Pass", {"value": 3}),
        "count": ("Count", {}),
        "x": (kind, inputs, {"graph": "g"} | more),
        "end": ("Either", {"value": link("x", "n")}),
    }
    workflow = document(nodes, {"g": body}, n="end.value", none="x.n")
    assert run(workflow).outputs == {"n": "none"}


def test_a_graph_in_a_file_that_is_muted_is_not_read(tmp_path: Path, run: Run) -> None:
    nodes: Json = {
        "x": ("Subgraph", {}, {"graph": "nowhere.json", "mode": "mute"}),
        "n": ("Add", {"a": 1}),
    }
    document(nodes, {}, n="n.value").write(tmp_path / "w.json")
    assert run(Workflow.read(tmp_path / "w.json")).outputs["n"] == 1


def test_several_graphs_may_be_too_large_together(runtime: Runtime) -> None:
    nodes: Json = {
        "a": ("Map", {"n": [1, 2]}, {"graph": "plus", "each": ["n"]}),
        "b": ("Loop", {"times": 2}, {"graph": "plus"}),
    }
    with pytest.raises(GraphError, match="more than 3 nodes"):
        compile_graph(document(nodes, {"plus": PLUS}, n="b.n"), toys.catalog, runtime, 3)


def test_a_workflow_may_be_too_large_by_its_own_nodes(runtime: Runtime) -> None:
    nodes: Json = {name: ("Add", {}) for name in "abc"}
    with pytest.raises(GraphError, match="more than 2 nodes"):
        compile_graph(document(nodes, {}, n="c.value"), toys.catalog, runtime, 2)


def test_the_ends_of_loops_are_no_nodes_to_watch(run: Run) -> None:
    told: list[Any] = []
    nodes: Json = {"loop": ("Loop", {"n": 0}, {"graph": "half", "until": "done"})}
    run(document(nodes, {"half": HALF}, n="loop.n"), on_event=told.append)
    assert {event.type_name for event in told} == {"Add", "Less"}


RECURSIVE = document({"x": ("Subgraph", {}, {"graph": "self"})}, {}, n="x.n").to_json()
INSTANCES: list[tuple[str, Json, Json, str, str | None]] = [
    ("Subgraph", {}, {}, "unknown_graph", None),
    ("Subgraph", {}, {"graph": "pluss"}, "unknown_graph", None),
    ("Subgraph", {}, {"graph": "nowhere.json"}, "unknown_graph", None),
    ("Subgraph", {"m": 1}, {"graph": "plus"}, "unknown_input", "m"),
    ("Subgraph", {}, {"graph": "self"}, "recursive_graph", None),
    ("Map", {"n": [1]}, {"graph": "plus"}, "bad_value", None),
    ("Map", {"n": 1}, {"graph": "plus", "each": ["n"]}, "wrong_type", "n"),
    ("Map", {"n": [1], "by": [1, 2]}, {"graph": "plus", "each": ["n", "by"]}, "lengths", "n"),
    ("Map", {"n": {"$range": {"from": 1, "to": 9, "step": -1}}}, {"graph": "plus", "each": ["n"]}, "bad_value", None),
    ("Loop", {"times": 0}, {"graph": "plus"}, "out_of_range", "times"),
    ("Loop", {}, {"graph": "plus"}, "out_of_range", "times"),
    ("Loop", {"times": True}, {"graph": "plus"}, "out_of_range", "times"),
    ("Loop", {"times": 2}, {"graph": "plus", "until": "end"}, "unknown_output", None),
    ("Loop", {"times": 2}, {"graph": "plus", "carry": {"n": "m"}}, "no_carry", None),
    ("Loop", {"times": 2}, {"graph": "plus", "carry": 3}, "no_carry", None),
    ("Loop", {"times": 2}, {"graph": "plus", "carry": {"n": ["n"]}}, "no_carry", None),
    ("Loop", {"times": 2}, {"graph": "plus", "until": ["n"]}, "unknown_output", None),
    ("Loop", {"times": 2}, {"graph": "open"}, "no_carry", None),
]  # fmt: skip


@pytest.mark.parametrize(("instance", "code", "name"), [(row[:3], *row[3:]) for row in INSTANCES])
def test_what_is_wrong_with_an_instance(
    runtime: Runtime, instance: tuple[str, Json, Json], code: str, name: str | None
) -> None:
    kind, inputs, more = instance
    open_ = graph({"a": ("Add", {})}, {}, {"m": "a.value"})
    subgraphs = {"plus": PLUS, "self": RECURSIVE, "open": open_}
    workflow = document(
        {"x": (kind, inputs, more), "y": ("Add", {"a": link("x", "n")})}, subgraphs, n="y.value"
    )
    (found,) = problems(workflow, runtime)
    assert (found.code, found.input) == (code, name)
    assert str(found.node).startswith("x")
    assert "\n" not in found.message


def test_a_wrong_value_is_told_where_it_stands(runtime: Runtime) -> None:
    weave = graph({"w": ("Weave", {})}, {"threads": "w.threads"}, {"cloth": "w.value"})
    middle = graph({}, {"threads": "in.threads"}, {"cloth": "in.cloth"})
    middle["nodes"] = {"in": {"type": "Subgraph", "graph": "weave", "inputs": {}}}
    subgraphs = {"weave": weave, "middle": middle}
    nodes: Json = {"top": ("Subgraph", {"threads": 7}, {"graph": "middle"})}
    (found,) = problems(document(nodes, subgraphs, c="top.cloth"), runtime)
    assert (found.node, found.input, found.hint) == ("top", "threads", "8")
    weave["nodes"]["w"]["inputs"] = {"threads": 9}
    (found,) = problems(
        document({"top": ("Subgraph", {}, {"graph": "middle"})}, subgraphs, c="top.cloth"), runtime
    )
    assert (found.node, found.input) == ("top/in/w", "threads")


def test_a_fault_in_a_loop_is_told_once(runtime: Runtime) -> None:
    body = json.loads(json.dumps(PLUS).replace('"Add"', '"Addd"'))
    nodes: Json = {"x": ("Loop", {"times": 3}, {"graph": "g"})}
    (found,) = problems(document(nodes, {"g": body}, n="x.n"), runtime)
    assert (found.code, found.node, found.hint) == ("unknown_node", "x/add", "Add")


def test_what_is_carried_has_to_fit(runtime: Runtime) -> None:
    body = graph({"s": ("Spin", {})}, {"metres": "s.metres"}, {"metres": "s.value"})
    nodes: Json = {"x": ("Loop", {"times": 3}, {"graph": "g"})}
    found = problems(document(nodes, {"g": body}, n="x.metres"), runtime)
    assert {problem.code for problem in found} == {"wrong_link"}


def test_links_to_what_an_instance_does_not_give(runtime: Runtime) -> None:
    nodes: Json = {
        "x": ("Subgraph", {}, {"graph": "plus"}),
        "y": ("Add", {"a": link("x", "m"), "b": link("z")}),
    }
    found = problems(document(nodes, {"plus": PLUS}, n="y.value"), runtime)
    assert [(p.code, p.node, p.input) for p in found] == [
        ("unknown_link", "y", "a"),
        ("unknown_link", "y", "b"),
    ]


def test_ends_of_a_subgraph_that_lead_nowhere(runtime: Runtime) -> None:
    body = graph(
        {"a": ("Add", {})},
        {"n": "b.a", "m": "a.c"},
        {"n": "a.value", "m": "b.value", "o": "a.rest"},
    )
    found = problems(
        document({"x": ("Subgraph", {"n": 2}, {"graph": "g"})}, {"g": body}, n="x.n"), runtime
    )
    assert [problem.code for problem in found] == ["unknown_endpoint"] * 4
    assert all("of 'g'" in problem.message for problem in found)


def test_instances_that_wait_for_each_other(runtime: Runtime) -> None:
    nodes: Json = {
        "x": ("Subgraph", {"n": link("y", "n")}, {"graph": "plus"}),
        "y": ("Subgraph", {"n": link("x", "n")}, {"graph": "plus"}),
    }
    (found,) = problems(document(nodes, {"plus": PLUS}, n="x.n"), runtime)
    assert found.code == "cycle"
    through = document({"add": ("Pass", {}, {"mode": "bypass"})}, {}).to_json()
    through |= {
        "inputs": {"n": {"node": "add", "input": "value"}},
        "outputs": {"n": {"node": "add", "output": "value"}},
    }
    nodes = {
        "x": ("Subgraph", {"n": link("x", "n")}, {"graph": "g"}),
        "y": ("Add", {"a": link("x", "n")}),
    }
    found_ = problems(document(nodes, {"g": through}, n="y.value"), runtime)
    assert {problem.code for problem in found_} == {"cycle"}


def test_a_workflow_that_becomes_too_large(runtime: Runtime) -> None:
    nodes: Json = {"x": ("Loop", {"times": 10**6}, {"graph": "plus"})}
    (found,) = problems(document(nodes, {"plus": PLUS}, n="x.n"), runtime)
    assert found.code == "too_large"


def test_lengths_and_kinds_that_only_the_run_knows(run: Run) -> None:
    nodes: Json = {
        "two": ("Count", {"length": 2}),
        "three": ("Count", {}),
        "map": (
            "Map",
            {"n": link("two"), "by": link("three")},
            {"graph": "plus", "each": ["n", "by"]},
        ),
    }
    with pytest.raises(NodeError, match="different lengths: 2, 3"):
        run(document(nodes, {"plus": PLUS}, n="map.n"))
    nodes = {
        "zero": ("Pass", {"value": 0}),
        "loop": ("Loop", {"times": link("zero")}, {"graph": "plus"}),
    }
    with pytest.raises(NodeError, match="times is 0"):
        run(document(nodes, {"plus": PLUS}, n="loop.n"))
    nodes = {
        "text": ("Anything", {"value": 0}),
        "map": ("Map", {"n": link("text")}, {"graph": "plus", "each": ["n"]}),
    }
    with pytest.raises(NodeError, match="a map goes over a list, and this is 0"):
        run(document(nodes, {"plus": PLUS}, n="map.n"))


def test_the_number_of_a_lap_has_to_fit_where_it_goes(run: Run) -> None:
    body = graph(
        {"w": ("Hem", {}), "a": ("Add", {})},
        {"index": "w.stitches", "n": "a.a"},
        {"n": "a.value", "c": "w.value"},
    )
    nodes: Json = {
        "five": ("Pass", {"value": 5}),
        "loop": ("Loop", {"times": link("five")}, {"graph": "g"}),
    }
    with pytest.raises(NodeError, match=r"stitches of .loop/1/w. cannot be 3"):
        run(document(nodes, {"g": body}, n="loop.n", c="loop.c"))


def test_constructs_have_no_meaning_in_a_script() -> None:
    from engine.constructs import item, loop, map_

    assert item([1, 2], index=1) == 2
    with pytest.raises(ValueError, match="in a graph"):
        loop(lambda: 1, lambda: 2, lambda: True, list, list)
    with pytest.raises(ValueError, match="in a graph"):
        map_([], lambda: 1, list)


def test_a_grid_of_one_thing_or_a_list() -> None:
    assert Grid.of(3).cells == (3,)
    assert Grid.of([3, 4]).axes == (Axis("item", (0, 1)),)
    grid = Grid((Axis("a", (1, 2)), Axis("b", ("x",))), (10, 20))
    assert Grid.of(grid) is grid
    assert grid.shape == (2, 1)
    assert list(grid.labelled()) == [({"a": 1, "b": "x"}, 10), ({"a": 2, "b": "x"}, 20)]


NUMBERED = graph({"a": ("Add", {"a": 1})}, {"n": "a.a", "index": "a.b"}, {"n": "a.value"})


def test_maps_that_differ_in_later_laps_only_are_different(run: Run) -> None:
    nodes: Json = {
        "count": ("Count", {"length": 3}),
        "free": ("Map", {"n": link("count")}, {"graph": "g", "each": ["n"]}),
        "fixed": ("Map", {"n": link("count"), "index": 0}, {"graph": "g", "each": ["n"]}),
    }
    workflow = document(nodes, {"g": NUMBERED}, free="free.n", fixed="fixed.n")
    outputs = run(workflow).outputs
    assert outputs["free"].cells == (0, 2, 4)
    assert outputs["fixed"].cells == (0, 1, 2)


@pytest.mark.parametrize(
    "nodes",
    [
        {"x": ("Subgraph", {}, {"graph": "plus"}), "x/add": ("Add", {"a": 7})},
        {"x/add": ("Add", {"a": 7}), "x": ("Subgraph", {}, {"graph": "plus"})},
        {"x": ("Loop", {"times": link("three")}, {"graph": "plus"}), "x.n": ("Add", {}), "three": ("Pass", {"value": 3})},
        {"x": ("Map", {"n": [1, 2]}, {"graph": "plus", "each": ["n"]}), "x/1/add": ("Add", {})},
    ],
)  # fmt: skip
def test_an_id_that_a_graph_takes_is_told(runtime: Runtime, nodes: Json) -> None:
    found = problems(document(nodes, {"plus": PLUS}, n="x.n"), runtime)
    assert {problem.code for problem in found} == {"id_taken"}


def test_files_that_name_each_other_are_told(tmp_path: Path, runtime: Runtime) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        nodes: Json = {"x": ("Subgraph", {}, {"graph": f"{other}.json"})}
        document(nodes, {}, n="x.n").write(tmp_path / f"{name}.json")
    found = problems(Workflow.read(tmp_path / "a.json"), runtime)
    assert {problem.code for problem in found} == {"recursive_graph"}


def test_a_graph_nested_beyond_reason_is_told(runtime: Runtime) -> None:
    deep = PLUS
    for _ in range(60):
        outer = graph({}, {"n": "in.n"}, {"n": "in.n"}, subgraphs={"g": deep})
        outer["nodes"] = {"in": {"type": "Subgraph", "graph": "g", "inputs": {}}}
        deep = outer
    start = time.perf_counter()
    workflow = document({"x": ("Subgraph", {}, {"graph": "g"})}, {"g": deep}, n="x.n")
    assert problems(workflow, runtime) == []
    assert time.perf_counter() - start < 20


def test_graphs_that_double_without_nodes_are_too_large(runtime: Runtime) -> None:
    deep: Json = graph({"a": ("Add", {})}, {}, {"n": "a.value"})
    for _ in range(10):
        outer = graph({}, {}, {"n": "l.n"}, subgraphs={"g": deep})
        outer["nodes"] = {
            side: {"type": "Subgraph", "graph": "g", "inputs": {}} for side in ("l", "r")
        }
        deep = outer
    workflow = document({"x": ("Subgraph", {}, {"graph": "g"})}, {"g": deep}, n="x.n")
    with pytest.raises(GraphError, match="more than 50 nodes"):
        compile_graph(workflow, toys.catalog, runtime, 50)


def test_a_condition_that_does_not_hold_counts_at_one_lap_too(run: Run) -> None:
    nodes: Json = {"x": ("Loop", {"n": 0, "times": 1}, {"graph": "half", "until": "done"})}
    with pytest.raises(NodeError, match="after 1 laps"):
        run(document(nodes, {"half": HALF}, n="x.n"))


def test_what_is_carried_into_the_number_of_the_lap_wins(run: Run) -> None:
    nodes: Json = {
        "x": ("Loop", {"n": 10, "times": 3}, {"graph": "g", "carry": {"index": "n"}}),
    }
    assert run(document(nodes, {"g": NUMBERED}, n="x.n")).outputs["n"] == 30


def test_a_file_that_the_number_of_the_lap_names_is_looked_at_in_each_lap(
    run: Run, monkeypatch: pytest.MonkeyPatch, calls: list[str]
) -> None:
    body = graph(
        {"look": ("Look", {}), "a": ("Add", {"b": 1})},
        {"n": "a.a", "index": "look.page"},
        {"n": "a.value", "seen": "look.value"},
    )
    nodes: Json = {
        "count": ("Count", {"length": 3}),
        "x": ("Map", {"n": link("count")}, {"graph": "g", "each": ["n"]}),
    }
    workflow = document(nodes, {"g": body}, seen="x.seen")
    assert run(workflow).outputs["seen"].cells == ("blue 0", "blue 1", "blue 2")
    monkeypatch.setitem(toys.pages, 2, "torn")
    assert run(workflow).outputs["seen"].cells == ("blue 0", "blue 1", "torn")


def test_a_lap_is_computed_once_even_if_nothing_is_stored(
    run: Run, runtime: Runtime, calls: list[str]
) -> None:
    nodes: Json = {"x": ("Loop", {"n": -14}, {"graph": "half", "until": "done"})}
    forgetful = Store(memory=toys.Forgetful())
    result = run(document(nodes, {"half": HALF}, n="x.n"), store=forgetful)
    assert result.outputs["n"] == 6
    assert calls.count("Add") == 20


def test_files_of_all_laps_are_among_the_outputs(run: Run) -> None:
    body = graph(
        {"a": ("Add", {"b": 1}), "note": ("Note", {"number": link("a")})},
        {"n": "a.a"},
        {"n": "a.value"},
    )
    nodes: Json = {
        "times": ("Pass", {"value": 4}),
        "x": ("Loop", {"n": 0, "times": link("times")}, {"graph": "g"}),
    }
    outputs = run(document(nodes, {"g": body}, times="times.value")).outputs
    assert outputs.keys() == {"times", "x/0/note", "x/1/note", "x/2/note", "x/3/note"}


def test_a_failure_in_a_lap_names_its_place_in_the_document(run: Run) -> None:
    body = graph({"a": ("Fail", {})}, {"n": "a.value"}, {"n": "a.value"})
    nodes: Json = {
        "times": ("Pass", {"value": 4}),
        "x": ("Loop", {"n": 0, "times": link("times")}, {"graph": "g"}),
    }
    with pytest.raises(NodeError) as caught:
        run(document(nodes, {"g": body}, n="x.n"))
    assert (caught.value.node, caught.value.place) == ("x/0/a", "x/a")


def test_files_that_name_further_files_beyond_reason_are_told(
    tmp_path: Path, runtime: Runtime
) -> None:
    for number in range(110):
        nodes: Json = {"x": ("Subgraph", {}, {"graph": f"{number + 1}.json"})}
        document(nodes, {}, n="x.n").write(tmp_path / f"{number}.json")
    Workflow.from_json({"darkroom": 1, **PLUS}).write(tmp_path / "110.json")
    found = problems(Workflow.read(tmp_path / "0.json"), runtime)
    assert "too_deep" in {problem.code for problem in found}


def test_many_loops_unfold_at_once(run: Run) -> None:
    body = graph(
        {"a": ("Linger", {}), "b": ("Add", {"a": link("a"), "b": 1}), "c": ("Less", {"a": 5, "b": link("b")})},
        {"n": "a.a"},
        {"n": "b.value", "done": "c.value"},
    )  # fmt: skip
    nodes: Json = {
        f"l{number}": ("Loop", {"n": number / 100}, {"graph": "g", "until": "done"})
        for number in range(12)
    }
    ends = {f"n{number}": f"l{number}.n" for number in range(12)}
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        outputs = run(document(nodes, {"g": body}, **ends)).outputs
    finally:
        sys.setswitchinterval(interval)
    assert [round(outputs[name], 2) for name in ends] == [
        number / 100 + (5 if number else 6) for number in range(12)
    ]
