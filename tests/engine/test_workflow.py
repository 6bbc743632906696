"""The document: reading, writing, canonical form, migration."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from engine.errors import GraphError
from engine.links import MAX_DEPTH, Link, links_in, parse_links
from engine.workflow import Workflow, migrate

from .conftest import SEWN, flow, link
from .toys import catalog


def document(**changes: Any) -> dict[str, Any]:
    return {"darkroom": 1, "name": "n", "inputs": {}, "outputs": {}, "nodes": {}} | changes


def test_links_are_found_anywhere_inside() -> None:
    value = parse_links({"a": [link("x"), 1], "b": {"c": link("y", "left")}})
    assert list(links_in(value)) == [Link("x"), Link("y", "left")]


def test_a_saved_document_is_byte_equal_when_saved_again(tmp_path: Path) -> None:
    path = tmp_path / "w.json"
    flow(SEWN).write(path)
    first = path.read_bytes()
    Workflow.read(path).write(path)
    assert path.read_bytes() == first
    assert oct(path.stat().st_mode & 0o777) == "0o644"


def test_unknown_keys_types_and_modes_are_kept() -> None:
    node = {
        "type": "FromTheFuture",
        "version": 7,
        "mode": "mute",
        "inputs": {"a": [link("b")]},
        "title": "x",
    }
    original = document(nodes={"n": node}, view={"zoom": 2}, later=[1])
    original["inputs"] = {"p": {"node": "n", "input": "a", "label": "P"}}
    assert Workflow.from_json(original).to_json() == original


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "w.json"
    flow(SEWN).write(path)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        flow({}).write(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["w.json"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{", "is not JSON: .* at line 1, column 2"),
        ("[]", "not a Darkroom workflow"),
        ('{"nodes": {}}', "not a Darkroom workflow"),
        ('{"darkroom": 2}', "version 2, this program reads 1"),
        ('{"darkroom": true}', "version True"),
        ('{"darkroom": 1, "name": 3}', "name is 3; give a string"),
        ('{"darkroom": 1, "nodes": []}', "nodes is .*; give an object"),
        ('{"darkroom": 1, "nodes": {"a": 3}}', 'node "a": it needs a "type"'),
        ('{"darkroom": 1, "nodes": {"a": {"type": "Add", "version": 0}}}', "version is 0"),
        ('{"darkroom": 1, "nodes": {"a": {"type": "Add", "mode": "off"}}}', "mode is 'off'"),
        ('{"darkroom": 1, "nodes": {"a": {"type": "Add", "inputs": 1}}}', "inputs is 1"),
        (
            '{"darkroom": 1, "nodes": {"a": {"type": "Add", "inputs": {"a": {"$link": "b"}}}}}',
            "is not a link",
        ),
        (
            '{"darkroom": 1, "nodes": {"a": {"type": "Add", "inputs": {"a": {"$link": [1, 2]}}}}}',
            "is not a link",
        ),
        ('{"darkroom": 1, "nodes": {"a": {"type": "A"}, "a": {"type": "B"}}}', "'a' stands twice"),
        (
            '{"darkroom": 1, "nodes": {"a": {"type": "A", "inputs": {"x": NaN}}}}',
            "NaN is not a JSON number",
        ),
        ('{"darkroom": 1, "inputs": {"p": {"node": "a"}}}', "input 'p' needs"),
        ('{"darkroom": 1, "outputs": {"p": 4}}', "output 'p' needs"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_workflow_says_why(text: str, fault: str) -> None:
    with pytest.raises(GraphError, match=fault):
        Workflow.parse(text)


def test_every_fault_of_form_is_reported_at_once() -> None:
    with pytest.raises(GraphError) as caught:
        Workflow.from_json(document(name=1, nodes={"a": 1, "b": {"type": "Add", "version": "x"}}))
    assert len(caught.value.problems) == 3
    assert [problem.node for problem in caught.value.problems] == [None, "a", "b"]


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(GraphError, match="does not exist"):
        Workflow.read(tmp_path / "none.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(GraphError, match="cannot be read as text"):
        Workflow.read(tmp_path / "binary.json")
    with pytest.raises(GraphError, match="cannot be read as text"):
        Workflow.read(tmp_path)
    monkeypatch.setattr("engine.workflow.MAX_BYTES", 1)
    with pytest.raises(GraphError, match="larger than"):
        Workflow.read(tmp_path / "binary.json")


def test_named_inputs_set_values_and_links() -> None:
    workflow = Workflow.from_json(
        document(
            nodes=flow(SEWN).to_json()["nodes"],
            inputs={"length": {"node": "thread", "input": "metres"}},
        )
    )
    assert workflow.with_input("length", 5.0).nodes["thread"].inputs["metres"] == 5.0
    assert workflow.with_input("cloth.colour", "red").nodes["cloth"].inputs["colour"] == "red"
    with pytest.raises(GraphError, match="is not a link"):
        workflow.with_input("length", {"$lnk": 1})
    linked = workflow.with_input("length", link("x"))
    assert linked.nodes["thread"].inputs["metres"] == Link("x")
    assert workflow.nodes["thread"].inputs["metres"] == 2.0


@pytest.mark.parametrize("name", ["lenght", "cloths.colour", "cloth."])
def test_an_unknown_named_input_gives_the_nearest(name: str) -> None:
    workflow = Workflow.from_json(
        document(
            nodes=flow(SEWN).to_json()["nodes"],
            inputs={"length": {"node": "thread", "input": "metres"}},
        )
    )
    with pytest.raises(GraphError, match="has no input") as caught:
        workflow.with_input(name, 1)
    assert caught.value.problems[0].hint in {"length", "cloth.colour"}


def old(version: int, **inputs: Any) -> Workflow:
    return Workflow.from_json(
        document(nodes={"n": {"type": "Colour", "version": version, "inputs": inputs}})
    )


def test_old_nodes_are_migrated_one_version_at_a_time() -> None:
    migrated, problems = migrate(old(1, hue="red"), catalog)
    assert problems == []
    assert migrated.nodes["n"].type == "Dye"
    assert migrated.nodes["n"].version == 3
    assert migrated.nodes["n"].inputs == {"colour": "red"}


def test_a_node_from_a_newer_version_is_kept_and_reported() -> None:
    migrated, problems = migrate(old(9), catalog)
    assert migrated.nodes["n"].version == 9
    assert "version 3 is installed" in problems[0].message


def test_a_migration_that_fails_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(inputs: dict[str, Any]) -> dict[str, Any]:
        return {"colour": inputs["missing"]}

    monkeypatch.setitem(catalog["Dye"].migrations, 1, broken)
    _, problems = migrate(old(1), catalog)
    assert "could not be migrated from version 1" in problems[0].message


def test_the_text_is_json_with_a_last_newline() -> None:
    text = flow(SEWN).text()
    assert text.endswith("}\n")
    assert json.loads(text)["darkroom"] == 1


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


def test_values_are_nested_only_so_deep() -> None:
    assert parse_links(nested(MAX_DEPTH)) == nested(MAX_DEPTH)
    with pytest.raises(ValueError, match="give a flatter one"):
        parse_links(nested(MAX_DEPTH + 1))


def test_a_number_without_end_is_no_workflow() -> None:
    with pytest.raises(GraphError, match="has 10000 digits"):
        Workflow.parse('{"darkroom": 1, "size": ' + "9" * 10_000 + "}")
    assert Workflow.parse('{"darkroom": 1, "size": 99}').extra == {"size": 99}


def test_subgraphs_are_read_and_written(tmp_path: Path) -> None:
    inner = {"name": "Inner", "inputs": {}, "outputs": {}, "nodes": {}, "view": {"zoom": 1}}
    original = document(nodes={}, subgraphs={"a": inner | {"subgraphs": {"b": inner}}})
    workflow = Workflow.from_json(original)
    assert workflow.subgraphs["a"].subgraphs["b"].name == "Inner"
    assert workflow.to_json() == original
    workflow.write(tmp_path / "w.json")
    assert Workflow.read(tmp_path / "w.json").folder == tmp_path


@pytest.mark.parametrize(
    "subgraphs", [{"a": 3}, {"a": {"nodes": 3}}, [], {"a": {"inputs": {"x": {"node": "n"}}}}]
)
def test_what_is_no_subgraph_is_told(subgraphs: Any) -> None:
    with pytest.raises(GraphError, match="a"):
        Workflow.from_json(document(nodes={}, subgraphs=subgraphs))


def test_subgraphs_nested_without_end_are_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(MAX_DEPTH + 2):
        deep = {"subgraphs": {"a": deep}}
    with pytest.raises(GraphError, match="nested more than"):
        Workflow.from_json(document(nodes={}, **deep))


@pytest.mark.parametrize("also", [3, [3], [{"node": "n"}], [{"node": "n", "input": 3}]])
def test_further_ends_of_an_input_have_to_be_ends(also: Any) -> None:
    inputs = {"x": {"node": "n", "input": "a", "also": also}}
    with pytest.raises(GraphError, match="input 'x' needs"):
        Workflow.from_json(document(nodes={}) | {"inputs": inputs})
