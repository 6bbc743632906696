from typing import Any

import pytest

from engine.errors import GraphError
from server.comfy.graph import Graph, Placed, Wire
from server.comfy.prompt import read_prompt, title_of, write_prompt
from server.comfy.report import Report

from .graphs import TEXT_TO_IMAGE, text_to_image

Json = dict[str, Any]


def read(document: Json) -> tuple[Graph, Report]:
    report = Report()
    return read_prompt(document, report), report


def test_links_and_values_are_told_apart() -> None:
    graph, report = read(TEXT_TO_IMAGE)
    sampler = graph.nodes["3"].inputs
    assert sampler["model"] == Wire("4", 0)
    assert sampler["steps"] == 2
    assert not report.findings


def test_ids_in_links_may_be_numbers() -> None:
    assert read(text_to_image(model=[4, 0]))[0].nodes["3"].inputs["model"] == Wire("4", 0)


def test_a_list_that_is_a_value_is_wrapped() -> None:
    graph, _ = read({"1": {"class_type": "Odd", "inputs": {"a": {"__value__": ["x", 1]}}}})
    assert graph.nodes["1"].inputs == {"a": ["x", 1]}
    assert write_prompt(graph)["1"]["inputs"] == {"a": {"__value__": ["x", 1]}}


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("steps", "12", 12),
        ("steps", 12.0, 12),
        ("cfg", 8, 8.0),
        ("cfg", "7.5", 7.5),
    ],
)
def test_values_are_brought_into_their_type(name: str, given: object, expected: object) -> None:
    graph, report = read(text_to_image(**{name: given}))
    value = graph.nodes["3"].inputs[name]
    assert (value, type(value)) == (expected, type(expected))
    assert not report.findings


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("steps", "many"),
        ("steps", None),
        ("steps", {"a": 1}),
        ("cfg", "nan"),
        ("cfg", float("inf")),
        ("sampler_name", None),
        ("model", "not a link"),
        ("seed", "PARAM_SEED"),
        ("seed", "%seed%"),
    ],
)
def test_values_that_are_none_are_told(name: str, given: object) -> None:
    _, report = read(text_to_image(**{name: given}))
    (finding,) = report.findings
    assert (finding.code, finding.input, finding.node) == ("bad_value", name, "3")


def test_what_buttons_leave_is_dropped_with_a_note() -> None:
    item = {"class_type": "LoadImage", "inputs": {"image": "a.png", "upload": "image"}}
    graph, report = read({"1": item})
    assert graph.nodes["1"].inputs == {"image": "a.png"}
    assert [each.loss for each in report.findings] == ["note"]


def test_an_input_that_is_not_declared_is_told_and_kept() -> None:
    graph, report = read(text_to_image(sharpness=3))
    (finding,) = report.findings
    assert (finding.loss, finding.input) == ("near", "sharpness")
    assert graph.nodes["3"].rest == {"inputs": {"sharpness": 3}}


def test_titles_are_read_and_blanks_behind_types_are_not() -> None:
    item = {"class_type": "VAEDecode ", "inputs": {}, "_meta": {"title": "Last"}, "is_changed": [1]}
    graph, report = read({"a:b": item})
    assert (graph.nodes["a:b"].type, graph.nodes["a:b"].title) == ("VAEDecode", "Last")
    assert not report.findings


def test_what_is_no_node_is_told() -> None:
    graph, report = read({"1": {"inputs": {}}, "2": 5, "3": TEXT_TO_IMAGE["4"]})
    assert set(graph.nodes) == {"3"}
    assert [each.node for each in report.findings] == ["1", "2"]
    assert graph.rest == {"1": {"inputs": {}}, "2": 5}


def test_a_document_without_nodes_is_refused() -> None:
    with pytest.raises(GraphError, match="no node"):
        read({"a": 1})


def test_muted_nodes_are_not_sent() -> None:
    nodes = {"1": Placed("1", "VAEDecode", mode="mute"), "2": Placed("2", "VAEDecode")}
    assert write_prompt(Graph(nodes)) == {
        "2": {"inputs": {}, "class_type": "VAEDecode", "_meta": {"title": "VAE Decode"}}
    }


def test_a_type_that_nobody_knows_is_its_own_title() -> None:
    assert title_of("Odd") == "Odd"
