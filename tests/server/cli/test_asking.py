import json
from pathlib import Path
from typing import Any

import pytest

from tests.server.conftest import Darkroom

Json = dict[str, Any]
ADD: Json = {"type": "Add"}

BROKEN_DOCUMENTS: dict[str, tuple[Json, set[str]]] = {
    "unknown type": ({"nodes": {"a": {"type": "Ad"}}}, {"unknown_node"}),
    "unknown input": ({"nodes": {"a": {"type": "Add", "inputs": {"c": 1}}}}, {"unknown_input"}),
    "missing input": ({"nodes": {"a": {"type": "Split"}}}, {"missing_input"}),
    "wrong type": ({"nodes": {"a": {"type": "Add", "inputs": {"a": "x"}}}}, {"wrong_type"}),
    "out of range": (
        {"nodes": {"d": {"type": "Dye", "inputs": {"colour": "green"}}}},
        {"out_of_range"},
    ),
    "link to nowhere": (
        {"nodes": {"a": {"type": "Add", "inputs": {"a": {"$link": ["b", "value"]}}}}},
        {"unknown_link"},
    ),
    "wrong link": (
        {
            "nodes": {
                "d": {"type": "Dye"},
                "a": {"type": "Add", "inputs": {"a": {"$link": ["d", "value"]}}},
            }
        },
        {"wrong_link"},
    ),
    "cycle": (
        {
            "nodes": {
                "a": {"type": "Add", "inputs": {"a": {"$link": ["b", "value"]}}},
                "b": {"type": "Add", "inputs": {"a": {"$link": ["a", "value"]}}},
            }
        },
        {"cycle"},
    ),
    "no output": ({"nodes": {"a": ADD}, "outputs": {}}, {"no_output"}),
    "output of nothing": (
        {"nodes": {"a": ADD}, "outputs": {"x": {"node": "b", "output": "value"}}},
        {"unknown_endpoint"},
    ),
    "newer version": ({"nodes": {"a": {"type": "Add", "version": 9}}}, {"version"}),
    "nodes are a list": ({"nodes": []}, {"document"}),
    "no version": ({"darkroom": 99, "nodes": {}}, {"document"}),
}


@pytest.mark.parametrize("name", BROKEN_DOCUMENTS)
def test_a_broken_document_has_its_problem(darkroom: Darkroom, name: str) -> None:
    document, codes = BROKEN_DOCUMENTS[name]
    names = document["nodes"] or ["a"]
    outputs = {f"x{name}": {"node": name, "output": "value"} for name in names}
    file = darkroom.written(
        json.dumps({"darkroom": 1, "outputs": outputs} | document).encode(), "broken.json"
    )

    said = darkroom("check", file, "--json")

    assert said.status == 1
    assert codes <= {problem["code"] for problem in said.json["problems"]}
    assert darkroom("run", file, "--json").json["problems"] == said.json["problems"]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b"\xff\xfe", b'{"a": NaN}', b"[" * 100_000, b'"text"']
)
def test_a_file_that_is_no_workflow_is_a_problem(darkroom: Darkroom, content: bytes) -> None:
    said = darkroom("check", darkroom.written(content, "work.json"), "--json")

    assert said.status == 1
    assert len(said.json["problems"]) == 1


def test_a_sound_workflow_has_no_problems(darkroom: Darkroom, sum_file: str) -> None:
    assert darkroom("check", sum_file, "--json").json == {"problems": [], "warnings": []}
    assert darkroom("check", sum_file).out == "no problems\n"


def test_what_no_output_depends_on_is_a_warning(darkroom: Darkroom) -> None:
    nodes = {"b": {"type": "Split"}, "a": {"type": "Dye", "inputs": {}}}
    outputs = {"x": {"node": "a", "output": "value"}}
    file = darkroom.written(
        json.dumps({"darkroom": 1, "outputs": outputs, "nodes": nodes}).encode(), "part.json"
    )

    said = darkroom("check", file, "--json")
    assert (said.status, said.json["problems"]) == (0, [])
    assert [each["node"] for each in said.json["warnings"]] == ["b"]
    assert "warning: b.number: " in darkroom("check", file).err
    assert darkroom("plan", file, "--json").json["warnings"] == said.json["warnings"]
    assert all("warning: b.number: " in darkroom(each, file).err for each in ("plan", "run"))


def test_people_read_every_problem_with_its_place_and_hint(darkroom: Darkroom) -> None:
    said = darkroom(
        "check",
        darkroom.write(
            {"a": {"type": "Dye", "inputs": {"colour": "bleu"}}, "b": {"type": "Split"}}
        ),
    )

    assert "a.colour: " in said.err
    assert "hint: blue" in said.err
    assert "b.number: " in said.err


def test_a_missing_file_names_those_that_are_there(darkroom: Darkroom, sum_file: str) -> None:
    said = darkroom("check", "wrok.json", "--json")

    (problem,) = said.json["problems"]
    assert problem["code"] == "missing_file"
    assert "work.json" in problem["message"]
    assert problem["hint"] == "did you mean work.json?"


def test_a_folder_is_no_workflow(darkroom: Darkroom) -> None:
    assert "is a folder" in darkroom("check", ".", "--json").json["problems"][0]["message"]


def test_a_plan_tells_stored_from_run_with_the_reason(darkroom: Darkroom, sum_file: str) -> None:
    before = darkroom("plan", sum_file, "--json").json["nodes"]
    darkroom("run", sum_file)
    after = darkroom("plan", sum_file, "--json").json["nodes"]
    changed = darkroom("plan", sum_file, "--set", "first=5", "--json").json["nodes"]

    assert {node["state"] for node in before.values()} == {"run"}
    assert {node["state"] for node in after.values()} == {"stored"}
    assert (changed["slow"]["state"], changed["write"]["state"]) == ("run", "stored")
    assert 'follows "add"' in changed["slow"]["why"]
    assert "0 of 5 nodes would run" in darkroom("plan", sum_file).out


def test_nodes_are_listed_with_category_and_summary(darkroom: Darkroom) -> None:
    assert "cloth     Dye       Make a coloured cloth." in darkroom("nodes").out
    assert darkroom("nodes", "--json").json["nodes"]["Split"]["outputs"] == {
        "whole": "float",
        "rest": "float",
    }


def test_a_node_shows_its_inputs_and_outputs(darkroom: Darkroom) -> None:
    said = darkroom("nodes", "Describe")

    assert "  cloth: Cloth\n" in said.out
    assert "  count: int, from 1 to 100, default 1\n      How many times\n" in said.out
    assert "outputs\n  value: str\n" in said.out
    assert "The first." in darkroom("nodes", "Add").out
    assert list(darkroom("nodes", "Describe", "--json").json["nodes"]) == ["Describe"]


def test_an_unknown_node_names_the_nearest(darkroom: Darkroom) -> None:
    said = darkroom("nodes", "describ", "--json")

    assert said.status == 1
    assert said.json["error"]["hint"] == "did you mean Describe?"


def test_models_are_listed(darkroom: Darkroom) -> None:
    assert "no models; put some into" in darkroom("models").out

    models = darkroom.folder / "data" / "models"
    models.mkdir(parents=True)
    (models / "small.safetensors").write_bytes(b"1234")

    assert darkroom("models", "--json").json["models"] == [
        {
            "name": "small.safetensors",
            "path": str(models / "small.safetensors"),
            "bytes": 4,
            "fault": None,
        }
    ]
    heading, row = darkroom("models").out.splitlines()
    assert heading.split() == ["name", "path", "bytes"]
    assert row.endswith("4 B")


def test_the_store_is_sized_pruned_and_cleared(darkroom: Darkroom, sum_file: str) -> None:
    darkroom("run", sum_file)

    size = darkroom("cache", "--json").json
    assert size["records"] > 0
    assert size == darkroom("cache", "size", "--json").json
    assert darkroom("cache", "prune", "--json").json["freed"] == 0
    assert darkroom("cache", "prune", "--to", "0", "--json").json["freed"] == size["bytes"]
    assert "freed 0 B" in darkroom("cache", "clear").out
    assert darkroom("cache", "--json").json["records"] == 0


def test_a_word_that_is_no_size_is_a_problem(darkroom: Darkroom) -> None:
    assert darkroom("cache", "prune", "--to", "much", "--json").json["error"]["code"] == "bad_size"


def test_a_data_folder_that_cannot_be_one_is_a_problem(darkroom: Darkroom, sum_file: str) -> None:
    darkroom.environment["DARKROOM_DATA"] = str(Path(sum_file) / "data")

    said = darkroom("run", sum_file, "--json")

    assert said.status == 1
    assert said.json["error"]["code"] in {"file", "store"}


def test_an_input_that_leads_nowhere_cannot_be_set(darkroom: Darkroom) -> None:
    file = darkroom.write({"a": ADD}, inputs={"x": {"node": "b", "input": "a"}})

    said = darkroom("check", file, "--set", "x=1", "--json")

    assert [problem["code"] for problem in said.json["problems"]] == ["unknown_endpoint"]
