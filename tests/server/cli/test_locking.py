"""Lock files on the command line."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.server.conftest import ROOT, Darkroom


@pytest.fixture
def craft(darkroom: Darkroom, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The module of a copy of the toys, which a test may change."""
    shutil.copytree(ROOT / "tests" / "toys", darkroom.folder / "craft")
    monkeypatch.syspath_prepend(darkroom.folder)
    for name in [each for each in sys.modules if each.partition(".")[0] == "craft"]:
        del sys.modules[name]  # another test's copy
    darkroom.environment["DARKROOM_NODES"] = "craft"
    return darkroom.folder / "craft" / "making.py"


@pytest.fixture
def workflow(darkroom: Darkroom, craft: Path) -> str:
    (darkroom.folder / "note.txt").write_text("hello", encoding="utf-8")
    return darkroom.write(
        {
            "read": {"type": "ReadFile", "inputs": {"file": "note.txt"}},
            "add": {"type": "Add", "inputs": {"a": 1.0}},
            "write": {"type": "Write", "inputs": {"text": {"$link": ["read", "value"]}}},
        },
        inputs={"a": {"node": "add", "input": "a"}},
        outputs={"sum": {"node": "add", "output": "value"}},
    )


@pytest.fixture
def locked(darkroom: Darkroom, workflow: str) -> Path:
    said = darkroom("lock", workflow)
    assert said.status == 0
    path = darkroom.folder / "work.lock.json"
    assert f"locked: {path}" in said.out
    return path


def problems(darkroom: Darkroom, *arguments: str) -> list[dict[str, Any]]:
    said = darkroom(*arguments, "--json")
    assert said.status == 1
    found: list[dict[str, Any]] = said.json["problems"]
    return found


def edited(path: Path, *place: str, value: Any) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    target = document
    for name in place[:-1]:
        target = target[name]
    target[place[-1]] = value
    path.write_text(json.dumps(document), encoding="utf-8")


def test_a_locked_workflow_runs_with_other_values(
    darkroom: Darkroom, workflow: str, locked: Path
) -> None:
    for command in ("check", "plan", "run"):
        assert darkroom(command, workflow, "--locked").status == 0
        assert darkroom(command, workflow, "--locked", "--set", "a=5").status == 0


def test_a_replaced_file_is_refused(darkroom: Darkroom, workflow: str, locked: Path) -> None:
    (darkroom.folder / "note.txt").write_text("hello there", encoding="utf-8")

    for command in ("check", "plan", "run"):
        (problem,) = problems(darkroom, command, workflow, "--locked")
        assert (problem["code"], problem["node"], problem["input"]) == (
            "lock_drift",
            "read",
            "file",
        )
        assert problem["message"].startswith('ReadFile "read": note.txt has other content')
        assert problem["hint"] == f"restore it, or lock again: darkroom lock {workflow}"
    assert not (darkroom.folder / "data" / "outputs").exists()
    assert darkroom("check", workflow).status == 0


def test_changed_code_is_refused(
    darkroom: Darkroom, workflow: str, locked: Path, craft: Path
) -> None:
    craft.write_text(craft.read_text(encoding="utf-8") + "\n# more\n", encoding="utf-8")

    found = problems(darkroom, "run", workflow, "--locked")

    assert [(each["code"], each["node"]) for each in found] == [
        ("lock_drift", "add"),
        ("lock_drift", "read"),
        ("lock_drift", "write"),
    ]
    assert "the code of Add is another" in found[0]["message"]


def test_changed_versions_are_refused(darkroom: Darkroom, workflow: str, locked: Path) -> None:
    edited(locked, "conditions", "types", "Add", "version", value=7)
    edited(locked, "conditions", "profile", "torch", value="2.0")
    edited(locked, "conditions", "machine", "python", value="3.9.1")

    messages = [each["message"] for each in problems(darkroom, "check", workflow, "--locked")]

    assert messages[0] == 'Add "add": Add was version 7, it is version 1'
    assert messages[1] == "torch was 2.0, it is not there"
    assert messages[2].startswith("python was 3.9.1, it is ")


def test_a_changed_workflow_is_refused(darkroom: Darkroom, workflow: str, locked: Path) -> None:
    edited(Path(workflow), "nodes", "add", "inputs", "b", value=2.0)

    (problem,) = problems(darkroom, "run", workflow, "--locked")
    assert problem["node"] == "add"
    assert problem["message"].endswith('not the one that was locked: node "add" was changed')


def test_a_lock_may_lie_elsewhere(darkroom: Darkroom, workflow: str) -> None:
    elsewhere = darkroom.folder / "safe.json"

    assert darkroom("lock", workflow, "--output", str(elsewhere), "--json").json["lock"] == str(
        elsewhere
    )
    assert darkroom("run", workflow, "--lock", str(elsewhere)).status == 0
    (problem,) = problems(darkroom, "run", workflow, "--locked")
    assert problem["code"] == "no_lock"
    assert problem["hint"] == f"make one: darkroom lock {workflow}"


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe"])
def test_a_damaged_lock_is_told(
    darkroom: Darkroom, workflow: str, locked: Path, content: bytes
) -> None:
    locked.write_bytes(content)

    (problem,) = problems(darkroom, "run", workflow, "--locked")
    assert problem["code"] == "damaged_lock"
    assert problem["hint"].startswith("restore it, or lock")


def test_a_lock_that_cannot_be_written_is_told(darkroom: Darkroom, workflow: str) -> None:
    (problem,) = problems(darkroom, "lock", workflow, "--output", "/proc/none/w.lock.json")
    assert problem["code"] in {"file", "permission"}
