from collections.abc import Mapping
from typing import Any

import pytest

from engine.check import compile_graph
from engine.errors import GraphError
from engine.workflow import Workflow
from server.admission import Limits, admit
from server.catalogue import Catalogue
from server.shapes import MOST, Shapes, shaped
from tests.server.catalogues import toy_catalogue

Json = dict[str, Any]


def graph(a: object, b: object = 2.0, **rest: Any) -> Workflow:
    nodes = {
        "first": {"type": "Add", "version": 1, "inputs": {"a": a}},
        "second": {
            "type": "Add",
            "version": 1,
            "inputs": {"a": {"$link": ["first", "value"]}, "b": b},
        },
    }
    outputs = {"sum": {"node": "second", "output": "value"}}
    return Workflow.from_json({"darkroom": 1, "nodes": nodes, "outputs": outputs, **rest})


@pytest.fixture
def catalogue() -> Catalogue:
    return toy_catalogue()


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    made: list[str] = []

    def counted(workflow: Workflow, *rest: Any) -> Any:
        made.append(workflow.name)
        return compile_graph(workflow, *rest)

    monkeypatch.setattr("server.admission.compile_graph", counted)
    return made


def test_a_graph_with_other_values_is_not_checked_as_a_whole_again(
    catalogue: Catalogue, checks: list[str]
) -> None:
    admit(graph(1.0), catalogue, Limits())
    admitted = admit(graph(5.0, 7.0, name="other"), catalogue, Limits())
    assert len(checks) == 1
    assert admitted.name == "other"
    assert admitted.document["nodes"]["first"]["inputs"] == {"a": 5.0}


@pytest.mark.parametrize("bad", ["text", True])
def test_a_value_of_another_type_is_refused_all_the_same(catalogue: Catalogue, bad: object) -> None:
    admit(graph(1.0), catalogue, Limits())
    with pytest.raises(GraphError) as raised:
        admit(graph(bad), catalogue, Limits())
    assert [(each.code, each.node, each.input) for each in raised.value.problems] == [
        ("wrong_type", "first", "a")
    ]


def test_a_value_out_of_range_is_refused_all_the_same(catalogue: Catalogue) -> None:
    def slow(steps: int) -> Workflow:
        node = {"type": "Slow", "version": 1, "inputs": {"steps": steps}}
        outputs = {"end": {"node": "slow", "output": "value"}}
        return Workflow.from_json({"darkroom": 1, "nodes": {"slow": node}, "outputs": outputs})

    admit(slow(3), catalogue, Limits())
    with pytest.raises(GraphError) as raised:
        admit(slow(1000), catalogue, Limits())
    assert raised.value.problems[0].code == "out_of_range"


def test_another_link_is_another_shape(catalogue: Catalogue, checks: list[str]) -> None:
    admit(graph(1.0), catalogue, Limits())
    with pytest.raises(GraphError):
        admit(graph({"$link": ["nowhere", "value"]}), catalogue, Limits())
    assert len(checks) == 2


def test_a_faulty_graph_is_checked_each_time(catalogue: Catalogue, checks: list[str]) -> None:
    for _ in range(2):
        with pytest.raises(GraphError):
            admit(graph("text"), catalogue, Limits())
    assert len(checks) == 2


@pytest.mark.parametrize(
    "rest",
    [
        {"subgraphs": {"inner": {"inputs": {}, "outputs": {}, "nodes": {}}}},
        {"conflicts": []},
    ],
)
def test_what_takes_more_than_its_values_to_check_has_no_shape(rest: Mapping[str, Any]) -> None:
    assert shaped(graph(1.0, **rest)) is None


@pytest.mark.parametrize(
    "value", [{"$axis": [1.0, 2.0]}, {"$range": {"from": 1, "to": 3}}, [{"$link": ["x", "value"]}]]
)
def test_a_sweep_and_links_within_a_value_have_no_shape(value: Json) -> None:
    assert shaped(graph(value)) is None


def test_a_node_that_stands_for_a_graph_has_no_shape() -> None:
    node = {"type": "Subgraph", "graph": "inner", "inputs": {}}
    assert shaped(Workflow.from_json({"darkroom": 1, "nodes": {"a": node}})) is None


def test_the_shapes_asked_for_least_lately_are_forgotten(catalogue: Catalogue) -> None:
    shapes = Shapes(catalogue.types)
    graphs = []
    for index in range(MOST + 1):
        node = {"type": "Add", "version": 1, "inputs": {"a": 1.0}}
        made = shaped(Workflow.from_json({"darkroom": 1, "nodes": {f"n{index}": node}}))
        assert made is not None
        graphs.append(made)
        shapes.learn(made)
        assert shapes.passes(graphs[0])
    assert not shapes.passes(graphs[1])
    assert shapes.passes(graphs[2])
