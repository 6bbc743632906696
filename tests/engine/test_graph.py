"""Workflows built by calls."""

from typing import Any

import pytest

from engine.artifacts import here
from engine.check import compile_graph
from engine.errors import DeclarationError
from engine.executor import execute
from engine.graph import Graph
from engine.runtime import Runtime
from engine.store import Store
from engine.workflow import Workflow

from . import toys
from .toys import Cloth, Fold, add, catalog, cut, dye, pack, sew, spin, stack, switch, write


def run(workflow: Workflow, runtime: Runtime) -> dict[str, Any]:
    return execute(compile_graph(workflow, catalog, runtime), Store(), runtime).outputs


def test_calls_become_a_document(runtime: Runtime) -> None:
    graph = Graph()
    sewn = graph.add(sew, graph.add(dye, colour="blue"), graph.add(spin, metres=2.0), stitches=3)
    workflow = graph.workflow("Sewing", inputs={"stitches": ("sew", "stitches")}, sewn=sewn)
    assert list(workflow.nodes) == ["dye", "spin", "sew"]
    assert Workflow.from_json(workflow.to_json()) == workflow
    assert run(workflow, runtime) == {"sewn": Cloth("blue-2-3")}
    assert run(workflow.with_input("stitches", 1), runtime) == {"sewn": Cloth("blue-2-1")}


def test_named_outputs_lists_choices_and_lazies(runtime: Runtime) -> None:
    graph = Graph()
    halves = graph.add(cut, graph.add(dye))
    left, right = halves
    name = graph.add(stack, [halves.left, right])
    packed = graph.add(pack, left, how=Fold(times=2))
    chosen = graph.add(switch, False, lambda: halves.left, lambda: halves.right)
    assert run(graph.workflow("w", stack=name, packed=packed, chosen=chosen), runtime) == {
        "stack": "red<+red>", "packed": "red< Fold(kind='fold', times=2)", "chosen": Cloth("red>"),
    }  # fmt: skip


def test_ids_are_numbered() -> None:
    graph = Graph()
    for _ in range(3):
        graph.add(add, 1.0)
    assert list(graph.nodes) == ["add", "add_2", "add_3"]


def test_dicts_are_kept(runtime: Runtime) -> None:
    graph = Graph()
    graph.add(toys.pass_on, {"a": [1, graph.add(add)]})
    assert graph.nodes["pass_on"].inputs["value"]["a"][0] == 1


def test_an_output_that_is_not_there(runtime: Runtime) -> None:
    graph = Graph()
    with pytest.raises(AttributeError, match="it has left, right"):
        graph.add(cut, graph.add(dye)).middle  # type: ignore[attr-defined] # noqa: B018


def test_what_the_runner_lends_is_no_input() -> None:
    with pytest.raises(DeclarationError, match="delivery is lent by the runner"):
        Graph().add(write, "x", delivery=here)
