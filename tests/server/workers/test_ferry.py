from pathlib import Path
from typing import Any

import pytest

from engine.errors import InputError
from server.workers import ferry as module
from server.workers.ferry import Ferry
from server.workers.messages import Delivered, Done, Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    for name in ("inputs", "outputs", "previews"):
        (tmp_path / name).mkdir()
    folders = [str(tmp_path / name) for name in ("inputs", "outputs", "previews")]
    (tmp_path / "inputs" / "faces").mkdir()
    (tmp_path / "inputs" / "faces" / "ann.png").write_bytes(b"ann")
    (tmp_path / "inputs" / "bob.png").write_bytes(b"bob")
    (tmp_path / "secret.png").write_bytes(b"secret")
    document: dict[str, Any] = {
        "nodes": {
            "a": {"inputs": {"image": "faces/ann.png", "more": [{"x": "bob.png"}]}},
            "b": {"inputs": {"image": "faces/ann.png", "path": "../secret.png", "n": 3}},
            "c": {"inputs": {"text": "faces", "long": "x" * 5000, "odd": "a\0b", "none": None}},
            "d": {"inputs": {"path": str(tmp_path / "secret.png")}},
        }
    }
    inputs, outputs, previews = folders
    return Run("run", document, "ann", inputs, outputs, previews)


def test_the_files_that_a_workflow_names_are_lent_once(run: Run) -> None:
    lent = {each.path: each.blob for each in Ferry().lend(run)}
    assert lent == {"faces/ann.png": b"ann", "bob.png": b"bob"}


def test_a_link_that_leads_out_is_not_lent(run: Run, tmp_path: Path) -> None:
    (tmp_path / "inputs" / "bob.png").unlink()
    (tmp_path / "inputs" / "bob.png").symlink_to(tmp_path / "secret.png")
    assert [each.path for each in Ferry().lend(run)] == ["faces/ann.png"]


def test_too_much_is_not_lent(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 5)
    with pytest.raises(InputError) as refused:
        list(Ferry().lend(run))
    assert refused.value.code == "too_large"


def test_what_is_delivered_gets_the_next_free_number(run: Run, tmp_path: Path) -> None:
    (tmp_path / "outputs" / "red_00001.png").write_bytes(b"old")
    ferry = Ferry()
    list(ferry.lend(run))
    ferry.take(Delivered("run", "red_00001.png", b"new"))
    ferry.take(Delivered("run", "red_00001.png", b"seen", preview=True))
    ferry.take(Delivered("run", "in/odd.name.txt", b"text"))
    files = [{"path": "red_00001.png"}, {"path": "red_00001.png", "preview": True}]
    cells = [{"labels": {"x": 1}, "files": [{"path": "in/odd.name.txt"}]}]
    done = ferry.arrive(
        Done(
            "run",
            "succeeded",
            {"a": {"files": files}, "n": {"value": 3}},
            (),
            None,
            {"g": {"cells": cells}},
        )
    )
    assert [file["path"] for file in done.outputs["a"]["files"]] == [
        "red_00002.png",
        "red_00001.png",
    ]
    assert done.outputs["n"] == {"value": 3}
    (cell,) = done.delivered["g"]["cells"]
    assert (tmp_path / "outputs" / cell["files"][0]["path"]).read_bytes() == b"text"
    assert (tmp_path / "outputs" / "red_00001.png").read_bytes() == b"old"
    assert (tmp_path / "outputs" / "red_00002.png").read_bytes() == b"new"
    assert (tmp_path / "previews" / "red_00001.png").read_bytes() == b"seen"


@pytest.mark.parametrize("path", ["../out_00001.png", "/out_00001.png"])
def test_what_is_delivered_cannot_lead_out_of_the_folder(run: Run, path: str) -> None:
    ferry = Ferry()
    list(ferry.lend(run))
    with pytest.raises(InputError):
        ferry.take(Delivered("run", path, b"evil"))


def test_what_belongs_to_no_run_is_dropped() -> None:
    ferry = Ferry()
    ferry.take(Delivered("run", "a_00001.png", b"late"))
    done = Done("run", "failed", {}, ())
    assert ferry.arrive(done) == done
