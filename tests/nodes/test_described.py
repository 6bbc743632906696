import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from engine.catalog import Catalog
from engine.check import check, compile_graph
from engine.described import described
from engine.runtime import Runtime
from engine.types import plain
from engine.workflow import Workflow
from tests.engine.documents import documents

WORKFLOWS = Path(__file__).parents[2] / "workflows"
CATALOG = Catalog.load("nodes")
TOLD = described(json.loads(json.dumps(CATALOG.describe())))
TIMID = Catalog(
    *(
        replace(each, fingerprint=None, check=None, infer=None, work=None)
        for each in CATALOG.values()
    )
)
BARE = Runtime()


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob("*.json")), ids=lambda path: path.stem)
def test_a_shipped_workflow_passes_by_descriptions_alone(path: Path) -> None:
    workflow = Workflow.read(path)
    assert compile_graph(workflow, TOLD, BARE).targets == compile_graph(workflow, TIMID, BARE).targets  # fmt: skip


@pytest.mark.parametrize("name", CATALOG)
def test_every_node_type_is_told_whole(name: str) -> None:
    told, original = TOLD[name], CATALOG[name]
    assert told.schema() == original.schema()
    for each, item in original.inputs.items():
        again = told.inputs[each]
        assert again.form.get("link") == item.form.get("link")
        assert (again.required, again.lazy) == (item.required, item.lazy)
        assert again.required or again.default_text == item.default_text
        assert type(plain(again.hint)) is type(plain(item.hint)) or not again.form.get("link")


@settings(max_examples=150, deadline=None)
@given(documents(CATALOG))
def test_descriptions_find_what_the_nodes_would(workflow: Workflow) -> None:
    told = [(each.code, each.node, each.input) for each in check(workflow, TOLD, BARE)]
    original = [(each.code, each.node, each.input) for each in check(workflow, TIMID, BARE)]
    assert told == original
