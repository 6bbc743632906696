"""Real files, where they lie beside the repository."""

import hashlib
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from engine.workflow import Workflow
from server.comfy.exporter import export_workflow
from server.comfy.graph import Graph
from server.comfy.importer import Imported, import_file, import_graph
from server.comfy.prompt import read_prompt, write_prompt
from server.comfy.report import Report
from server.comfy.table import TABLE

Json = dict[str, Any]
CORPUS = Path(__file__).parents[4] / "shared" / "data" / "comfy"
FILES = sorted(CORPUS.glob("*/*.json"))
PROMPTS = [path for path in FILES if path.parent.name == "api"]
COMPLETE = 106
"""How many files had a counterpart for everything when this was last raised."""
pytestmark = pytest.mark.skipif(not FILES, reason="the files are not there")


def name(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


def pairs() -> list[tuple[Path, Path]]:
    if not FILES:
        return []
    found: dict[str, dict[str, Path]] = defaultdict(dict)
    for entry in json.loads((CORPUS / "index.json").read_text()):
        if entry.get("pair"):
            found[entry["pair"]][entry["kind"]] = CORPUS / entry["file"]
    return [(both["ui"], both["api"]) for both in found.values() if len(both) == 2]


def meaning(prompt: Json) -> list[str]:
    """The nodes without their ids: each with all that it is made of."""
    known: dict[str, str] = {}

    def told(node: str) -> str:
        if node not in known:
            item = prompt[node]
            inputs = {n: value(v) for n, v in sorted(item["inputs"].items())}
            text = json.dumps([item["class_type"], inputs])
            known[node] = hashlib.sha256(text.encode()).hexdigest()
        return known[node]

    def value(given: Any) -> Any:
        if isinstance(given, list):
            return ["link", told(str(given[0])), given[1]]
        if isinstance(given, int) and not isinstance(given, bool):
            return float(given)
        if isinstance(given, float):
            return round(given, 9)
        return given.replace("\\", "/") if isinstance(given, str) else given

    return sorted(told(node) for node in prompt)


def exported(made: Imported, catalogue: Json) -> Json:
    return export_workflow(made.workflow, catalogue).prompt


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_file_becomes_a_document_that_is_read_back_the_same(path: Path, catalogue: Json) -> None:
    made = import_file(path, catalogue)
    assert Workflow.parse(made.workflow.text()) == made.workflow
    assert {node for ids in made.ids.values() for node in ids} <= made.workflow.nodes.keys()
    shifted = {"bad_value", "extra_values", "dead_link", "missing_output", "inputs", "no_node"}
    assert not [each.sentence for each in made.report.findings if each.code in shifted]


@pytest.mark.parametrize("path", FILES, ids=name)
def test_every_node_of_a_file_is_there_or_told(path: Path, catalogue: Json) -> None:
    made = import_file(path, catalogue)
    told = {each.node for each in made.report.findings if each.loss != "near"}
    kept = {node for node, item in made.workflow.nodes.items() if item.type.startswith("comfyui:")}
    for node, ids in made.ids.items():
        assert node in told or not kept & set(ids)


@pytest.mark.parametrize(("ui", "api"), pairs(), ids=lambda path: path.stem)
def test_both_formats_of_a_picture_become_one_graph(ui: Path, api: Path, catalogue: Json) -> None:
    edited, sent = import_file(ui, catalogue), import_file(api, catalogue)
    assert meaning(exported(edited, catalogue)) == meaning(exported(sent, catalogue))


def plain(path: Path) -> Json:
    """The prompt as ComfyUI itself would read it, with the defaults of what old files lack."""
    graph = read_prompt(json.loads(path.read_text()), Report())
    nodes = {}
    for node_id, node in graph.nodes.items():
        entry = TABLE.get(node.type)
        inputs = dict(node.inputs)
        for widget in entry.widgets if entry and entry.recipes else ():
            if widget.default is not None:
                inputs.setdefault(widget.name, widget.default)
        nodes[node_id] = type(node)(node_id, node.type, inputs)
    return write_prompt(Graph(nodes))


@pytest.mark.parametrize("path", PROMPTS, ids=name)
def test_a_prompt_that_is_carried_over_and_back_means_the_same(path: Path, catalogue: Json) -> None:
    given = plain(path)
    types = {node["class_type"] for node in given.values()}
    made = import_file(path, catalogue)
    back = exported(made, catalogue)
    if types & {"ControlNetApply", "CheckpointLoader", "VAEDecodeTiled"} or "_gpu" in str(given):
        # These become what another node says; that stays so, however often it is done.
        again = exported(import_graph(back, catalogue), catalogue)
        assert meaning(again) == meaning(back)
    else:
        assert meaning(back) == meaning(given)


def test_as_many_files_are_complete_as_ever(catalogue: Json) -> None:
    complete = [path for path in FILES if import_file(path, catalogue).report.complete]
    assert len(complete) >= COMPLETE
