"""Sweeps: an input with an axis turns what is behind it into a labelled grid."""

from pathlib import Path
from typing import Any

import pytest

from engine.check import check
from engine.errors import GraphError
from engine.grid import Axis
from engine.links import parse_links
from engine.runtime import Runtime
from engine.workflow import Workflow

from . import toys
from .conftest import Run, flow, link
from .test_expand import PLUS, document, graph

Json = dict[str, Any]


def axis(*values: Any, **more: Any) -> Json:
    return {"$axis": list(values)} | more


def test_a_sweep_shares_what_does_not_vary(run: Run, calls: list[str]) -> None:
    nodes = {
        "base": ("Add", {"a": 100}),
        "sum": ("Add", {"a": link("base"), "b": axis(1, 2, 3)}),
        "tally": ("Tally", {"numbers": link("sum")}),
    }
    result = run(nodes)
    assert result.outputs["result"] == "sum.b:1,2,3=101,102,103"
    assert calls == ["Add"] * 4
    assert {"base", "sum[sum.b=1]", "sum[sum.b=2]", "sum[sum.b=3]", "tally"} <= set(result.nodes)


def test_axes_multiply_and_those_of_one_name_advance_together(run: Run) -> None:
    nodes = {
        "a": ("Add", {"a": axis(1, 2), "b": axis(10, 20, 30)}),
        "b": ("Add", {"a": axis(1, 2, name="t"), "b": axis(10, 20, name="t")}),
    }
    workflow = flow(nodes, product="a.value", zip="b.value")
    outputs = run(workflow).outputs
    assert outputs["product"].axes == (Axis("a.a", (1, 2)), Axis("a.b", (10, 20, 30)))
    assert outputs["product"].cells == (11, 21, 31, 12, 22, 32)
    assert outputs["zip"].axes == (Axis("t", (1, 2)),)
    assert outputs["zip"].cells == (11, 22)


def test_an_axis_has_the_name_of_the_workflows_input(run: Run) -> None:
    workflow = Workflow.from_json(
        flow({"n": ("Add", {})}, sum="n.value").to_json()
        | {"inputs": {"offset": {"node": "n", "input": "a"}}}
    ).with_input("offset", axis(1, 2))
    assert run(workflow).outputs["sum"].axes == (Axis("offset", (1, 2)),)


def test_an_axis_may_be_a_range_or_links(run: Run) -> None:
    nodes = {
        "four": ("Add", {"a": 4}),
        "five": ("Add", {"a": 5}),
        "n": ("Add", {"a": {"$axis": {"$range": {"from": 0, "to": 0.3, "step": 0.1}}}}),
        "m": ("Add", {"a": axis(link("four"), link("five"))}),
    }
    outputs = run(flow(nodes, n="n.value", m="m.value")).outputs
    assert outputs["n"].cells == (0, 0.1, 0.2, 0.3)
    assert outputs["m"].cells == (4, 5)
    assert outputs["m"].axes == (Axis("m.a", ("four.value", "five.value")),)


def test_a_grid_gathers_only_what_its_other_inputs_do_not_vary(run: Run) -> None:
    nodes = {
        "n": ("Add", {"a": axis(1, 2), "b": axis(10, 20)}),
        "half": ("Pass", {"value": axis(5, 6, name="n.a")}),
        "mean": ("Mean", {"numbers": link("n"), "weight": link("half")}),
    }
    grid = run(nodes).outputs["result"]
    assert grid.axes == (Axis("n.a", (1, 2)),)
    assert grid.cells == ((11 + 21) / 2 + 5, (12 + 22) / 2 + 6)


def test_grids_take_lists_and_single_values(run: Run) -> None:
    nodes = {
        "count": ("Count", {"length": 2}),
        "many": ("Tally", {"numbers": link("count")}),
        "one": ("Add", {"a": 3}),
        "single": ("Tally", {"numbers": link("one")}),
    }
    outputs = run(flow(nodes, many="many.value", single="single.value")).outputs
    assert outputs == {"many": "item:0,1=0,1", "single": "=3"}


def test_one_cell_ends_before_the_next_begins(run: Run, calls: list[str], tmp_path: Path) -> None:
    nodes = {
        "n": ("Hold", {"value": axis(1, 2, 3)}),
        "note": ("Note", {"number": link("n")}),
    }
    run(flow(nodes, note="note.value"))
    assert calls == ["Hold 1", "Note 1", "Hold 2", "Note 2", "Hold 3", "Note 3"]
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_an_axis_reaches_into_subgraphs_maps_and_loops(run: Run) -> None:
    nodes = {
        "x": ("Subgraph", {"n": axis(1, 2)}, {"graph": "plus"}),
        "map": ("Map", {"n": [1, 2], "by": axis(10, 20)}, {"graph": "plus", "each": ["n"]}),
        "loop": ("Loop", {"n": 0, "by": axis(1, 2), "times": 3}, {"graph": "plus"}),
        "while": ("Loop", {"n": 0, "by": axis(1, 2), "times": link("three")}, {"graph": "plus"}),
        "three": ("Pass", {"value": 3}),
    }
    workflow = document(
        nodes, {"plus": PLUS}, x="x.n", map="map.n", loop="loop.n", running="while.n"
    )
    outputs = run(workflow).outputs
    assert (outputs["x"].axes, outputs["x"].cells) == ((Axis("x.n", (1, 2)),), (11, 12))
    assert [cell.cells for cell in outputs["map"].cells] == [(11, 12), (21, 22)]
    assert (outputs["loop"].axes, outputs["loop"].cells) == ((Axis("loop.by", (1, 2)),), (3, 6))
    assert outputs["running"].cells == (3, 6)


def test_an_axis_inside_a_loop_is_one_axis_over_all_laps(run: Run) -> None:
    body = graph({"a": ("Add", {"b": axis(1, 2)})}, {"n": "a.a"}, {"n": "a.value"})
    for times in (3, link("three")):
        nodes = {
            "three": ("Pass", {"value": 3}),
            "loop": ("Loop", {"n": 0, "times": times}, {"graph": "g"}),
        }
        grid = run(document(nodes, {"g": body}, n="loop.n")).outputs["n"]
        assert (grid.axes, grid.cells) == ((Axis("loop/a.b", (1, 2)),), (3, 6))


def test_a_running_loop_numbers_its_laps_in_every_cell(run: Run) -> None:
    body = graph({"a": ("Add", {})}, {"n": "a.a", "index": "a.b"}, {"n": "a.value"})
    nodes = {
        "five": ("Pass", {"value": 5}),
        "loop": ("Loop", {"n": axis(0, 100), "times": link("five")}, {"graph": "g"}),
    }
    assert run(document(nodes, {"g": body}, n="loop.n")).outputs["n"].cells == (10, 110)


def test_long_labels_become_numbers_in_ids(run: Run) -> None:
    nodes = {
        "a": ("Pass", {"value": axis("a house, a tree", "x")}),
        "b": ("Pass", {"value": axis("x", "y")}),
        "c": ("Pass", {"value": axis({"x": 1}, {"x": 2})}),
    }
    result = run(flow(nodes, a="a.value", b="b.value", c="c.value"))
    assert {"a[a.value=#0]", "b[b.value=x]", 'c[c.value={"x": 2}]'} <= set(result.nodes)
    assert result.outputs["c"].axes[0].labels == ({"x": 1}, {"x": 2})


BAD: list[tuple[Json, str, str]] = [
    ({"a": axis()}, "empty_axis", "it is empty"),
    ({"a": axis(1, "x")}, "mixed_axis", "it mixes numbers"),
    ({"a": axis(1, True)}, "mixed_axis", "true or false"),
    ({"a": axis({"k": 1}, [1])}, "mixed_axis", "objects"),
    ({"a": axis(1, None)}, "mixed_axis", "nothing"),
    ({"a": axis(1, 2, name="t"), "b": axis(1, name="t")}, "lengths", "it has 1 values"),
    ({"a": {"$axis": {"$range": {"from": 1, "count": 0}}}}, "bad_value", "the range has 0 values"),
]  # fmt: skip


@pytest.mark.parametrize(("inputs", "code", "text"), BAD)
def test_what_is_wrong_with_an_axis(runtime: Runtime, inputs: Json, code: str, text: str) -> None:
    (found,) = check(flow({"n": ("Add", inputs)}), toys.catalog, runtime)
    assert (found.code, found.node) == (code, "n")
    assert text in found.message


def test_an_axis_with_a_value_out_of_range_is_told_at_its_input(runtime: Runtime) -> None:
    (found,) = check(flow({"n": ("Weave", {"threads": axis(8, 7)})}), toys.catalog, runtime)
    assert (found.code, found.node, found.input) == ("out_of_range", "n", "threads")
    assert "7" in found.message


def test_a_product_of_a_milliard_cells_is_refused(runtime: Runtime) -> None:
    long = {"$axis": {"$range": {"from": 1, "count": 1000}}}
    nodes = {
        "n": ("Add", {"a": long, "b": long}),
        "m": ("Add", {"a": link("n"), "b": long}),
    }
    (found,) = check(flow(nodes), toys.catalog, runtime)
    assert found.code == "too_large"
    assert "1,000,000,000 cells: n.a (1000) x n.b (1000) x m.b (1000)" in found.message


def test_a_sweep_on_a_cycle_names_the_cycle(runtime: Runtime) -> None:
    nodes = {"a": ("Add", {"a": link("b"), "b": axis(1, 2)}), "b": ("Add", {"a": link("a")})}
    found = check(flow(nodes), toys.catalog, runtime)
    assert {problem.code for problem in found} == {"cycle"}


@pytest.mark.parametrize(
    "value",
    [
        {"$axis": 3}, {"$axis": [1], "names": "x"}, {"$axis": [1], "name": 2}, {"$range": 3},
        {"$range": {"to": 3}}, {"$range": {"from": 1}}, {"$range": {"from": 1, "to": 2, "count": 3}},
        {"$range": {"from": 1, "count": 2.5}}, {"$range": {"from": True, "to": 3}},
        {"$range": {"from": 1, "to": 3}, "x": 1}, {"$other": 1}, {"$axis": [{"$link": 3}]}, {"kind": {"$axis": [1, 2]}}, [1, {"$axis": [2]}],
    ],
)  # fmt: skip
def test_what_is_no_axis_and_no_range(value: Json) -> None:
    with pytest.raises(ValueError, match=r"write|whole input"):
        parse_links(value)


def test_axes_and_ranges_are_kept_as_they_were_written() -> None:
    inputs = {
        "a": axis(1, 2, name="t"),
        "b": {"$axis": {"$range": {"from": 1, "to": 9, "step": 2}}},
        "c": {"$range": {"from": 1, "count": 3}},
    }
    document = flow({"n": ("Add", inputs)}).to_json()
    assert document["nodes"]["n"]["inputs"] == inputs
    assert Workflow.from_json(document).to_json() == document


def test_a_range_without_end_is_refused(runtime: Runtime) -> None:
    for body in (
        {"from": 1, "to": 3, "step": 0},
        {"from": 1, "to": 3, "step": -1},
        {"from": 0, "count": 10**7},
    ):
        (found,) = check(
            flow({"n": ("Knot", {"lengths": {"$range": body}})}), toys.catalog, runtime
        )
        assert (found.code, found.node, found.input) == ("bad_value", "n", "lengths")
    with pytest.raises(GraphError, match="is not an axis"):
        flow({"n": ("Add", {})}).with_input("n.a", {"$axis": 1})


def test_a_range_is_a_list_where_a_list_is_taken(run: Run) -> None:
    nodes = {"n": ("Knot", {"lengths": {"$range": {"from": 1.0, "to": 4}}})}
    assert run(nodes).outputs["result"] == 10


def test_a_fault_behind_a_sweep_is_told_once(runtime: Runtime) -> None:
    nodes: Json = {
        "x": ("Subgraph", {}, {"graph": "nowhere"}),
        "n": ("Join", {"left": link("x", "n"), "right": axis(1, 2)}),
    }
    (found,) = check(document(nodes, {}, n="n.value"), toys.catalog, runtime)
    assert (found.code, found.node) == ("unknown_graph", "x")


def test_a_cell_is_saved_before_the_next_even_if_all_are_named(run: Run, calls: list[str]) -> None:
    nodes = {
        "tally": ("Tally", {"numbers": link("n")}),
        "n": ("Hold", {"value": axis(1, 2, 3)}),
        "note": ("Note", {"number": link("n")}),
    }
    run(flow(nodes, table="tally.value"))
    assert calls == ["Hold 1", "Note 1", "Hold 2", "Note 2", "Hold 3", "Note 3"]


def test_ranges_inside_values_and_ranges_that_overflow(run: Run, runtime: Runtime) -> None:
    nodes = {"n": ("Rows", {"rows": [{"$range": {"from": 1, "to": 3}}, [4]]})}
    assert run(nodes).outputs["result"] == 10
    for body in ({"from": -1e308, "to": 1e308, "step": 1e-5}, {"from": 0, "to": 10**350}):
        (found,) = check(
            flow({"n": ("Knot", {"lengths": {"$range": body}})}), toys.catalog, runtime
        )
        assert found.code == "bad_value"


def test_the_name_of_an_axis_may_hold_anything(run: Run) -> None:
    nodes = {"n": ("Add", {"a": axis(1, 2, name="a/b=[c],d")})}
    result = run(nodes)
    assert result.outputs["result"].axes[0].name == "a/b=[c],d"
    assert {"n[a_b__c__d=1]", "n[a_b__c__d=2]"} <= set(result.nodes)


def test_a_node_may_be_called_as_a_table_would_be(run: Run) -> None:
    nodes = {"outputs.n": ("Add", {"a": 5}), "n": ("Add", {"a": axis(1, 2)})}
    document = flow(nodes).to_json()
    document["outputs"] = {
        "n": {"node": "n", "output": "value"},
        "m": {"node": "outputs.n", "output": "value"},
    }
    outputs = run(Workflow.from_json(document)).outputs
    assert (outputs["n"].cells, outputs["m"]) == ((1, 2), 5)


def test_the_number_of_laps_may_be_an_axis(run: Run, runtime: Runtime) -> None:
    nodes = {"loop": ("Loop", {"n": 0, "times": axis(1, 2, 5)}, {"graph": "plus"})}
    grid = run(document(nodes, {"plus": PLUS}, n="loop.n")).outputs["n"]
    assert (grid.axes, grid.cells) == ((Axis("loop.times", (1, 2, 5)),), (10, 20, 50))
    wrong = {"loop": ("Loop", {"n": 0, "times": axis(1, 0)}, {"graph": "plus"})}
    (found,) = check(document(wrong, {"plus": PLUS}, n="loop.n"), toys.catalog, runtime)
    assert (found.code, found.node, found.input) == ("out_of_range", "loop", "times")
