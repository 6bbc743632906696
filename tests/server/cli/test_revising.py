"""diff, merge and fmt, from the command line and under git."""

import json
import os
import shlex
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from engine.workflow import Workflow
from server.cli.revising import fmt
from tests.server.conftest import ROOT, Darkroom
from tests.toys.provenance import MAGIC

Json = dict[str, Any]
NODES: Json = {
    "add": {"type": "Add", "version": 1, "inputs": {"a": 1.0, "b": 2.0}},
    "slow": {"type": "Slow", "version": 1, "inputs": {"number": {"$link": ["add", "value"]}}},
}
OUTPUTS: Json = {"sum": {"node": "slow", "output": "value"}}


def nodes(**inputs: Any) -> Json:
    """The nodes with inputs of `add` set."""
    changed = deepcopy(NODES)
    changed["add"]["inputs"] |= inputs
    return changed


@pytest.fixture
def three(darkroom: Darkroom) -> list[str]:
    """A base, ours with another `a`, theirs with another `b`."""
    return [
        darkroom.write(nodes(**inputs), f"{name}.json", outputs=OUTPUTS)
        for name, inputs in {"base": {}, "ours": {"a": 5.0}, "theirs": {"b": 7.0}}.items()
    ]


def read(path: str | Path) -> Json:
    found: Json = json.loads(Path(path).read_text(encoding="utf-8"))
    return found


# diff


def test_a_difference_is_told_and_leaves_with_1(darkroom: Darkroom, three: list[str]) -> None:
    said = darkroom("diff", three[0], three[1])
    assert (said.status, said.out) == (1, "add.a: 1.0 → 5.0\n")


def test_equal_workflows_leave_with_0_and_say_so(darkroom: Darkroom, three: list[str]) -> None:
    Path("again.json").write_text(Workflow.read(Path(three[0])).text(), encoding="utf-8")
    said = darkroom("diff", three[0], "again.json")
    assert (said.status, said.out) == (0, "the workflows are equal\n")


def test_another_view_alone_is_told_and_leaves_with_0(darkroom: Darkroom, three: list[str]) -> None:
    moved = darkroom.write(NODES, "moved.json", outputs=OUTPUTS, view={"nodes": {"add": {"x": 1}}})

    said = darkroom("diff", three[0], moved)

    assert said.status == 0
    assert said.out == "the workflows are equal but for the view\nview: 1 node moved\n"
    assert darkroom("diff", three[0], moved, "--json").json["equal"] is True


def test_a_difference_for_programs_has_an_address(darkroom: Darkroom, three: list[str]) -> None:
    said = darkroom("diff", three[0], three[2], "--json")
    assert said.status == 1
    assert said.json == {
        "equal": False,
        "changes": [
            {
                "kind": "input_changed",
                "graph": [],
                "node": "add",
                "name": "b",
                "before": 2.0,
                "after": 7.0,
                "text": "add.b: 2.0 → 7.0",
            }
        ],
    }


def test_a_picture_is_compared_by_what_it_carries(darkroom: Darkroom, three: list[str]) -> None:
    carried = {"workflow": read(three[1])}
    picture = darkroom.written(MAGIC + json.dumps(carried).encode(), "made.png")
    assert darkroom("diff", three[1], picture).status == 0
    assert darkroom("diff", three[0], picture).status == 1


def test_a_shipped_workflow_is_compared_by_name(darkroom: Darkroom) -> None:
    said = darkroom("diff", "text-to-image", "two-pass", "--json")
    assert said.status == 1
    assert "node_added" in {change["kind"] for change in said.json["changes"]}


@pytest.mark.parametrize("command", [["diff"], ["merge", "base.json"]])
def test_what_is_no_workflow_leaves_with_2(
    darkroom: Darkroom, three: list[str], command: list[str]
) -> None:
    before = Path(three[1]).read_bytes()
    for broken in (darkroom.written(b"{", "broken.json"), "nowhere.json"):
        said = darkroom(*command, three[1], broken)
        assert said.status == 2
        assert Path(broken).stem in said.err
    assert Path(three[1]).read_bytes() == before


# merge


def test_a_merge_is_written_to_ours(darkroom: Darkroom, three: list[str]) -> None:
    Path(three[1]).chmod(0o600)
    said = darkroom("merge", *three)

    assert (said.status, said.out, said.err) == (0, "", "")
    assert read(three[1])["nodes"]["add"]["inputs"] == {"a": 5.0, "b": 7.0}
    assert Path(three[1]).stat().st_mode & 0o777 == 0o600
    assert darkroom("check", three[1]).status == 0


def test_a_merge_is_written_to_output(darkroom: Darkroom, three: list[str]) -> None:
    before = Path(three[1]).read_bytes()
    said = darkroom("merge", *three, "--output", "merged.json", "--json")

    assert said.json == {"path": "merged.json", "conflicts": [], "renamed": {}}
    assert read("merged.json")["nodes"]["add"]["inputs"] == {"a": 5.0, "b": 7.0}
    assert Path(three[1]).read_bytes() == before


def test_conflicts_are_listed_and_reported_until_they_are_settled(
    darkroom: Darkroom, three: list[str]
) -> None:
    three[2] = darkroom.write(nodes(a=6.0), "theirs.json", outputs=OUTPUTS)
    said = darkroom("merge", *three)

    assert said.status == 1
    assert "add.a" in said.err
    assert "ours is 5.0, theirs is 6.0, before it was 1.0" in said.err
    checked = darkroom("check", three[1], "--json")
    assert [problem["code"] for problem in checked.json["problems"]] == ["merge_conflict"]
    assert checked.json["problems"][0]["node"] == "add"
    settled = read(three[1])
    assert settled.pop("conflicts")[0]["theirs"] == 6.0
    Path(three[1]).write_text(json.dumps(settled), encoding="utf-8")
    assert darkroom("check", three[1]).status == 0


def test_a_node_of_theirs_that_takes_another_name_is_told(
    darkroom: Darkroom, three: list[str]
) -> None:
    ours = darkroom.write(NODES | {"more": {"type": "Dye"}}, "ours.json", outputs=OUTPUTS)
    theirs = darkroom.write(NODES | {"more": {"type": "Add"}}, "theirs.json", outputs=OUTPUTS)

    said = darkroom("merge", three[0], ours, theirs)

    assert said.status == 0
    assert said.err == "note: both sides added more, differently; theirs is called more-2\n"
    assert read(ours)["nodes"]["more-2"]["type"] == "Add"


def test_an_empty_base_is_a_workflow_with_nothing(darkroom: Darkroom, three: list[str]) -> None:
    darkroom.written(b"", three[0])
    assert darkroom("merge", three[0], three[1], three[1]).status == 0
    said = darkroom("merge", *three)
    assert said.status == 1
    assert "output sum" in said.err
    assert read(three[1])["nodes"]["add-2"]["inputs"] == {"a": 1.0, "b": 7.0}


def test_ours_is_never_overwritten_if_it_is_a_picture_or_shipped(
    darkroom: Darkroom, three: list[str]
) -> None:
    carried = {"workflow": read(three[1])}
    picture = darkroom.written(MAGIC + json.dumps(carried).encode(), "made.png")
    for ours in (picture, "text-to-image"):
        said = darkroom("merge", three[0], ours, three[2])
        assert said.status == 2
        assert "--output" in said.err
    assert Path(picture).read_bytes().startswith(MAGIC)
    assert darkroom("merge", three[0], picture, three[2], "--output", "x.json").status == 0
    assert read("x.json")["nodes"]["add"]["inputs"] == {"a": 5.0, "b": 7.0}


def test_a_result_that_cannot_be_written_leaves_with_2(
    darkroom: Darkroom, three: list[str]
) -> None:
    said = darkroom("merge", *three, "--output", "no/such/folder.json")
    assert said.status == 2
    assert "no/such" in said.err


# fmt


def test_files_are_put_into_canonical_form_once(darkroom: Darkroom, three: list[str]) -> None:
    said = darkroom("fmt", *three[:2])
    assert said.status == 0
    assert said.out == f"changed {three[0]}\nchanged {three[1]}\n"
    assert Path(three[0]).read_text(encoding="utf-8") == Workflow.read(Path(three[0])).text()
    kept = Path(three[0]).stat()

    again = darkroom("fmt", *three[:2], "--json")

    assert again.json == {
        "files": {three[0]: "canonical", three[1]: "canonical"},
        "problems": [],
    }
    assert Path(three[0]).stat().st_mtime_ns == kept.st_mtime_ns


def test_a_check_of_the_form_writes_nothing(darkroom: Darkroom, three: list[str]) -> None:
    before = Path(three[0]).read_bytes()
    said = darkroom("fmt", "--check", three[0])
    assert (said.status, said.out) == (1, f"would change {three[0]}\n")
    assert Path(three[0]).read_bytes() == before
    darkroom("fmt", three[0])
    assert darkroom("fmt", "--check", three[0]).status == 0


def test_a_broken_file_does_not_stop_the_others(darkroom: Darkroom, three: list[str]) -> None:
    broken = darkroom.written(b"[]", "broken.json")
    half = darkroom.written(rb'{"darkroom": 1, "name": "\ud800"}', "half.json")

    said = darkroom("fmt", broken, half, "nowhere.json", three[0], "--json")

    assert said.status == 2
    assert said.json["files"] == {
        broken: "failed",
        half: "failed",
        "nowhere.json": "failed",
        three[0]: "changed",
    }
    assert len(said.json["problems"]) == 3
    assert "half a character" in said.json["problems"][1]["message"]
    assert "broken.json" in darkroom("fmt", broken).err


def test_a_linked_file_stays_a_link(darkroom: Darkroom, three: list[str]) -> None:
    link = darkroom.folder / "link.json"
    link.symlink_to(three[0])
    darkroom("fmt", str(link))
    assert link.is_symlink()
    assert darkroom("fmt", "--check", three[0]).status == 0


# git


PROGRAM = f"{shlex.quote(sys.executable)} -m server"


class Git:
    """A repository of the test, with the merge driver set up as the documents say."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self("init", "-q", "-b", "main")
        self("config", "user.name", "Tester")
        self("config", "user.email", "tester@example.com")
        self("config", "merge.darkroom.driver", f"{PROGRAM} merge %O %A %B")
        (folder / ".gitattributes").write_text("*.json merge=darkroom\n", encoding="utf-8")

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *arguments],  # noqa: S607 - the git of the machine
            cwd=self.folder,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "DARKROOM_DATA": str(self.folder / ".data"),
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_CONFIG_NOSYSTEM": "1",
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def commit(self, content: Json | str) -> None:
        text = content if isinstance(content, str) else Workflow.from_json(content).text()
        (self.folder / "work.json").write_text(text, encoding="utf-8")
        self("add", ".gitattributes", "work.json")
        done = self("commit", "-q", "-m", "A version")
        assert done.returncode == 0, done.stderr

    def merged(self, ours: Json | str, theirs: Json | str) -> subprocess.CompletedProcess[str]:
        """The merge of two branches that came from the same commit."""
        self("checkout", "-q", "-b", "theirs")
        self.commit(theirs)
        self("checkout", "-q", "main")
        self.commit(ours)
        return self("merge", "--no-edit", "theirs")


def document(**inputs: Any) -> Json:
    return {"darkroom": 1, "nodes": nodes(**inputs), "outputs": OUTPUTS}


@pytest.fixture
def git(tmp_path: Path) -> Git:
    repository = Git(tmp_path)
    repository.commit(document())
    return repository


def test_git_merges_two_branches_that_changed_neighbouring_inputs(git: Git) -> None:
    done = git.merged(document(a=5.0), document(b=7.0))

    assert done.returncode == 0, done.stdout + done.stderr
    assert read(git.folder / "work.json")["nodes"]["add"]["inputs"] == {"a": 5.0, "b": 7.0}
    assert git("status", "--porcelain", "work.json").stdout == ""


def test_git_without_the_driver_could_not_merge_them(git: Git) -> None:
    (git.folder / ".gitattributes").write_text("", encoding="utf-8")
    git("commit", "-q", "-a", "-m", "No driver")
    assert git.merged(document(a=5.0), document(b=7.0)).returncode == 1


def test_git_stops_at_a_conflict_and_the_document_lists_it(git: Git) -> None:
    done = git.merged(document(a=5.0, c=1.0), document(a=6.0, b=7.0))

    assert done.returncode == 1
    assert "CONFLICT" in done.stdout
    assert "ours is 5.0, theirs is 6.0, before it was 1.0" in done.stdout + done.stderr
    assert git("status", "--porcelain", "work.json").stdout == "UU work.json\n"
    result = Workflow.read(git.folder / "work.json").to_json()
    assert result["nodes"]["add"]["inputs"] == {"a": 5.0, "b": 7.0, "c": 1.0}
    assert result["conflicts"] == [
        {
            "at": ["nodes", "add", "inputs", "a"],
            "why": "both sides changed it",
            "base": 1.0,
            "ours": 5.0,
            "theirs": 6.0,
        }
    ]


def test_git_keeps_ours_where_theirs_is_no_workflow(git: Git) -> None:
    done = git.merged(document(a=5.0), "[1, 2]\n")

    assert done.returncode == 1
    assert "not a Darkroom workflow" in done.stdout + done.stderr
    assert read(git.folder / "work.json")["nodes"]["add"]["inputs"]["a"] == 5.0
    assert git("status", "--porcelain", "work.json").stdout == "UU work.json\n"


def test_git_shows_what_changed_since_a_commit(git: Git) -> None:
    git.commit(document(a=5.0))
    done = git("difftool", "-y", "-x", f"{PROGRAM} diff", "HEAD~1", "--", "work.json")
    assert done.stdout == "add.a: 1.0 → 5.0\n"


def test_fmt_leaves_lock_files_alone(tmp_path: Path) -> None:
    lock = tmp_path / "w.lock.json"
    lock.write_text('{"lock": 1}')
    answer = fmt([lock], check=True)
    assert answer.json["files"] == {str(lock): "canonical"}
    assert answer.status == 0
