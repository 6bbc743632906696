"""Files made again from what they tell."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.artifacts import Artifact, Delivery, here
from engine.catalog import Catalog
from engine.check import compile_graph
from engine.errors import GraphError, InputError
from engine.executor import execute
from engine.node import node, node_type
from engine.provenance import Provenance, read
from engine.remake import Remake, prepare
from engine.runtime import Runtime
from engine.store import Store
from engine.workflow import Workflow

from . import notes
from .conftest import flow, link
from .notes import Notes

carried: dict[str, Any] = {}


@node("Keep", category="output")
def keep(value: Any, *, size: int = 3, delivery: Delivery = here) -> list[Artifact]:
    """Deliver a value and note what its file would tell."""
    carried.clear()
    carried.update(delivery.provenance)
    return [delivery.write("kept", "txt", f"{value} {size}".encode(), "text/plain")]


catalog = Catalog(*notes.catalog.values(), node_type(keep))
DICE = {
    "dice": ("Cast", {}),
    "sum": ("Add", {"a": link("dice", "number"), "b": 1.0}),
    "total": ("Gauge", {"values": [link("sum"), 1.0]}),
    "keep": ("Keep", {"value": link("total")}),
    "other": ("Fail", {}),
}
NOTE = {"note": ("ReadNote", {"note": "a.txt"}), "keep": ("Keep", {"value": link("note")})}


@pytest.fixture
def shelf() -> Notes:
    return Notes({"a.txt": "hello", "b.txt": "there"})


@pytest.fixture
def lent(runtime: Runtime, shelf: Notes) -> Runtime:
    return replace(runtime, services={**runtime.services, Notes: shelf}, files=shelf)


def made(nodes: dict[str, Any], lent: Runtime) -> tuple[str, Provenance]:
    """What a run delivers, and what that tells."""
    workflow = flow(nodes, file="keep.value")
    program = replace(compile_graph(workflow, catalog, lent), targets=("keep",))
    (artifact,) = execute(program, Store(), lent).outputs["file"]
    return Path(artifact.path).read_text(encoding="utf-8"), read(carried, "it")


def again(remake: Remake) -> str:
    ((artifact,),) = execute(remake.program, Store(), remake.runtime).outputs.values()
    return Path(artifact.path).read_text(encoding="utf-8")


def test_a_file_is_made_again_with_what_chance_gave(lent: Runtime) -> None:
    before, told = made(DICE, lent)
    remake = prepare(told, catalog, lent)

    assert again(remake) == before
    assert remake.drift() == []
    assert remake.notes == ()
    assert remake.program.targets == ("keep",)


def test_an_older_file_tells_chance_by_where_it_went(lent: Runtime) -> None:
    before, told = made(DICE, lent)
    old = {name: getattr(told, name) for name in ("workflow", "node", "key", "inputs", "profile")}
    remake = prepare(read(old, "it"), catalog, lent)

    assert again(remake) == before
    (note,) = remake.notes
    assert "version 1" in note
    assert remake.drift() == []
    newer = prepare(read(old | {"profile": {"device": "cuda"}}, "it"), catalog, lent)
    assert [each.text for each in newer.drift()] == ["device was cuda, it is cpu"]


@pytest.mark.parametrize(("key", "notes"), [("", 2), ("another", 1)])
def test_the_key_of_an_older_file_says_that_nothing_changed(
    lent: Runtime, key: str, notes: int
) -> None:
    _, told = made(NOTE, lent)
    old = read({"workflow": told.workflow, "node": "keep", "key": key or told.key}, "it")

    assert len(prepare(old, catalog, lent).notes) == notes


def test_chance_that_was_not_told_runs_anew_and_is_said_so(lent: Runtime) -> None:
    _, told = made(
        {"sky": ("Sky", {"length": 99_999}), "keep": ("Keep", {"value": link("sky")})}, lent
    )

    (note,) = prepare(told, catalog, lent).notes
    assert note.startswith('Sky "sky" runs each time, and what it gave then is not told')


def test_a_default_that_changed_is_as_it_was(lent: Runtime) -> None:
    before, told = made(NOTE, lent)

    @node("Keep", category="output")
    def keep(value: Any, *, size: int = 4, delivery: Delivery = here) -> list[Artifact]:
        """Deliver a value."""
        return [delivery.write("kept", "txt", f"{value} {size}".encode(), "text/plain")]

    changed = Catalog(*notes.catalog.values(), node_type(keep))
    assert again(prepare(told, changed, lent)) == before
    raised = replace(node_type(keep), version=2)
    remake = prepare(told, Catalog(*notes.catalog.values(), raised), lent)
    assert again(remake) == before.replace("3", "4")
    assert [each.what for each in remake.drift()] == ["node"]


def test_a_changed_file_is_named(lent: Runtime, shelf: Notes) -> None:
    _, told = made(NOTE, lent)
    shelf.texts["a.txt"] = "other"
    remake = prepare(told, catalog, lent)

    assert again(remake).startswith("other")
    (change,) = remake.drift()
    assert (change.what, change.name, change.node, change.input) == (
        "file",
        "a.txt",
        "note",
        "note",
    )


@pytest.mark.parametrize("replaced", [True, False])
def test_a_file_under_another_name_is_taken(lent: Runtime, shelf: Notes, replaced: bool) -> None:
    before, told = made(NOTE, lent)
    shelf.texts["moved.txt"] = shelf.texts.pop("a.txt")
    if replaced:
        shelf.texts["a.txt"] = "other"
    remake = prepare(told, catalog, lent)

    assert again(remake) == before
    assert remake.drift() == []
    assert "moved.txt has the content it had, and is taken" in remake.notes[0]


def test_a_missing_file_is_told_by_name_and_digest(lent: Runtime, shelf: Notes) -> None:
    _, told = made(NOTE, lent)
    sha256 = told.files[0].sha256
    shelf.texts.clear()

    with pytest.raises(GraphError) as caught:
        prepare(told, catalog, lent)
    (problem,) = caught.value.problems
    assert (problem.code, problem.node, problem.input) == ("missing_file", "note", "note")
    assert problem.message.startswith("a.txt is not there")
    assert sha256 in problem.message


def test_what_has_no_kind_is_not_looked_for(lent: Runtime) -> None:
    _, told = made({"book": ("Read", {}), "keep": ("Keep", {"value": link("book")})}, lent)

    assert prepare(told, catalog, lent).drift() == []


def test_an_unknown_type_is_told(lent: Runtime) -> None:
    _, told = made(NOTE, lent)

    with pytest.raises(GraphError, match="no node type 'Keep'"):
        prepare(told, notes.catalog, lent)


@pytest.mark.parametrize(
    "damage",
    [
        {"node": "elsewhere"},
        {"given": {"dice": {"$dict": 3}}},
        {"given": {"dice": {"$value": "os:system", "fields": {}}}},
        {"inputs": {"sum": {"b": "much"}}},
    ],
    ids=str,
)
def test_damaged_provenance_is_told(lent: Runtime, damage: dict[str, Any]) -> None:
    _, told = made(DICE, lent)

    with pytest.raises(InputError, match="the provenance is damaged"):
        prepare(read(told.to_json() | damage, "it"), catalog, lent)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"node": 3}, r"damaged \(node: Input should be a valid string\)"),
        ({"provenance": 3}, "has version 3, this program reads up to 2: update Darkroom"),
    ],
)
def test_provenance_that_cannot_be_read_is_told(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        read({"workflow": {}, "node": "n"} | change, "cat.png")


def looped() -> Workflow:
    """A loop that adds chance until it is enough, and delivers each lap."""
    lap = {
        "inputs": {"n": {"node": "add", "input": "a"}},
        "outputs": {
            "n": {"node": "add", "output": "value"},
            "full": {"node": "full", "output": "value"},
        },
        "nodes": {
            "cast": {"type": "Cast", "inputs": {}},
            "add": {"type": "Add", "inputs": {"a": 0.0, "b": link("cast", "number")}},
            "full": {"type": "Full", "inputs": {"value": link("add")}},
            "keep": {"type": "Keep", "inputs": {"value": link("add")}},
        },
    }
    loop = {"type": "Loop", "inputs": {"n": 0.0}, "graph": "lap", "until": "full"}
    document = {
        "darkroom": 1,
        "nodes": {"loop": loop},
        "subgraphs": {"lap": lap},
        "outputs": {"n": {"node": "loop", "output": "n"}},
    }
    return Workflow.from_json(document)


def test_a_file_of_a_lap_is_made_again_with_its_loop(lent: Runtime, tmp_path: Path) -> None:
    """Later laps come to be while running: before it nobody knows of their nodes."""
    first = execute(compile_graph(looped(), catalog, lent), Store(), lent)
    told = read(carried, "it")
    again = replace(lent, delivery=Delivery(tmp_path / "again"))

    remake = prepare(told, catalog, again)
    second = execute(remake.program, Store(), again)

    assert told.node == f"loop/{len(told.given) - 1}/keep"
    assert told.node not in remake.program.calls
    assert second.outputs["n"] == first.outputs["n"]
    assert carried["inputs"][told.node] == told.inputs[told.node]
    assert remake.drift() == []
    with pytest.raises(InputError, match="'hoop/3/keep' is not in its own workflow"):
        prepare(read(told.to_json() | {"node": "hoop/3/keep"}, "it"), catalog, lent)


def test_read_workflows_stay_as_they_are(lent: Runtime) -> None:
    _, told = made(NOTE, lent)

    assert Workflow.from_json(dict(told.workflow)).to_json() == told.workflow
