"""Lock files: what a workflow depends on, and what drifted from it."""

from dataclasses import replace
from typing import Any

import pytest

from engine.check import compile_graph
from engine.errors import InputError, Problem
from engine.lock import Lock, lock_problems, locked, parse
from engine.runtime import Runtime
from engine.workflow import Workflow

from . import toys
from .conftest import flow, link
from .notes import Notes, catalog

NODES: dict[str, Any] = {
    "note": ("ReadNote", {"note": "a.txt"}),
    "sum": ("Add", {"a": 1.0}),
    "dice": ("Cast", {}),
    "last": ("Pass", {"value": link("note")}),
}
DOCUMENT = flow(NODES, text="last.value", sum="sum.value", chance="dice.number")


def lent(text: str = "hello", **profile: str) -> Runtime:
    shelf = Notes({"a.txt": text, "b.txt": "there"})
    return Runtime(
        services={Notes: shelf, toys.Shelf: toys.Shelf()},
        files=shelf,
        profile={"torch": "2.6"} | profile,
    )


def lock(runtime: Runtime, document: Workflow = DOCUMENT, **values: Any) -> Lock:
    workflow = document
    for name, value in values.items():
        workflow = workflow.with_input(name.replace("__", "."), value)
    return locked(document, compile_graph(workflow, catalog, runtime), runtime)


def problems(now: Lock, then: Lock | None = None, *, changed: bool = False) -> list[Problem]:
    program = compile_graph(DOCUMENT, catalog, lent())
    return lock_problems(
        then or lock(lent()), now, program, changed=changed, remedy="darkroom lock w.json"
    )


def test_a_lock_is_written_the_same_each_time_and_read_back() -> None:
    text = lock(lent()).text()

    assert text == lock(lent()).text()
    assert parse(text, "w.lock.json") == lock(lent())


def test_a_lock_names_files_types_libraries_and_keys() -> None:
    made = lock(lent())

    (file,) = made.conditions.files
    assert (file.name, file.size) == ("a.txt", 5)
    assert set(made.conditions.types) == {"ReadNote", "Add", "Cast", "Pass"}
    assert made.conditions.profile == {"torch": "2.6"}
    assert made.conditions.machine.keys() == {"python"}
    assert made.outputs.keys() == {"text", "sum"}
    silent = replace(lent(), machine=dict)
    assert lock(silent).conditions.machine == {}


def test_nothing_changed_is_no_problem() -> None:
    assert problems(lock(lent())) == []


def test_a_changed_file_is_one_problem_on_its_input() -> None:
    (problem,) = problems(lock(lent("other")))

    assert (problem.code, problem.node, problem.input) == ("lock_drift", "note", "note")
    assert problem.message.startswith('ReadNote "note": a.txt has other content: it was ')
    assert problem.hint == "restore it, or lock again: darkroom lock w.json"


def test_a_changed_library_is_a_problem() -> None:
    (problem,) = problems(lock(lent(torch="2.7")))

    assert problem.message == "torch was 2.6, it is 2.7"
    assert problem.node is None


def test_values_set_for_a_run_are_no_drift() -> None:
    assert problems(lock(lent(), sum__a=3.0, note__note="b.txt"), changed=True) == []


def test_another_key_with_nothing_else_changed_is_a_problem() -> None:
    then = lock(lent())
    other = then.model_copy(update={"outputs": {**then.outputs, "sum": "0" * 64}})

    (problem,) = problems(other)
    assert problem.message == "output 'sum' depends on something that is not as it was locked"


def test_a_changed_document_is_told_node_by_node() -> None:
    nodes = {**NODES, "sum": ("Add", {"a": 2.0}), "new": ("Add", {})}
    del nodes["dice"]
    changed = flow(nodes, text="last.value", sum="sum.value")
    program = compile_graph(changed, catalog, lent())

    found = lock_problems(
        lock(lent()), locked(changed, program, lent()), program, changed=False, remedy="lock"
    )

    start = "the workflow is not the one that was locked: "
    assert [(each.node, each.message.removeprefix(start)) for each in found] == [
        ("sum", 'node "sum" was changed'),
        (None, 'node "dice" was removed'),
        ("new", 'node "new" was added'),
        (None, "its named inputs or outputs, or its subgraphs, were changed"),
        (None, "Cast was version 1, it is not there"),
    ]


def test_where_nodes_stand_in_the_editor_does_not_count() -> None:
    moved = replace(DOCUMENT, extra={"view": {"nodes": {"sum": {"x": 1}}}})

    assert problems(lock(lent(), moved)) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "is damaged"),
        ("{}", r"is damaged \(nodes: Field required\)"),
        ("[1]", r"is damaged \(the file: "),
    ],
)
def test_a_damaged_lock_is_told(text: str, fault: str) -> None:
    with pytest.raises(InputError, match=fault) as caught:
        parse(text, "w.lock.json")
    assert caught.value.code == "damaged_lock"


def test_a_newer_lock_is_told() -> None:
    newer = lock(lent()).model_copy(update={"darkroom_lock": 2})

    with pytest.raises(InputError, match="has version 2, this program reads 1"):
        parse(newer.text(), "w.lock.json")
