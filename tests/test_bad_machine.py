"""What machines can do wrong, tried on the program with its real nodes and the starter model.

Disks are full, read-only or damaged, memory is short, the user presses Ctrl-C: what was done before
is kept, or made again.
"""

import errno
import json
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nodes.diffusion.difference import compare
from server.cli.commands import app
from tests.whole import QUICK, TEXT_TO_IMAGE, Darkroom


@pytest.fixture
def darkroom(tmp_path: Path) -> Darkroom:
    return Darkroom(tmp_path / "data")


def test_an_output_folder_that_is_a_file(darkroom: Darkroom, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    problem = darkroom.fault(
        "run", str(TEXT_TO_IMAGE), *QUICK, "--output", str(tmp_path / "file" / "x")
    )
    assert problem["node"] == "save"
    assert "see that it is a folder" in problem["message"]
    assert darkroom.states()["sampler"] == "stored"


def test_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    darkroom = Darkroom(tmp_path / "file")
    assert darkroom("check", str(TEXT_TO_IMAGE)) == (0, {"problems": [], "warnings": []})
    problem = darkroom.fault("run", str(TEXT_TO_IMAGE), *QUICK)
    assert problem["node"] == "save"
    assert str(tmp_path / "file") in problem["message"]
    assert darkroom.states("--output", str(tmp_path / "out"))["save"] == "ran"


def test_a_store_that_cannot_be_written_costs_time_only(
    darkroom: Darkroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("engine.place.write_whole", full)
        result = CliRunner().invoke(
            app, ["run", str(TEXT_TO_IMAGE), *QUICK], env=darkroom.environment
        )
        assert result.exit_code == 0
        assert "No space left on device; see that its disk has space" in result.stderr
        assert darkroom.states()["sampler"] == "ran"
    assert darkroom.states()["sampler"] == "ran"
    assert darkroom.states()["sampler"] == "stored"


HUGE = ("--set", "width=16384", "--set", "height=16384", "--set", "batch_size=4096")


def test_more_memory_than_there_is(darkroom: Darkroom) -> None:
    problem = darkroom.fault("run", str(TEXT_TO_IMAGE), *HUGE)
    assert (problem["code"], problem["node"]) == ("too_little_memory", "sampler")
    assert "close other programs" in problem["message"]


def test_memory_that_ends_in_the_run(darkroom: Darkroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nodes.foresight.free", lambda _device: None)
    problem = darkroom.fault("run", str(TEXT_TO_IMAGE), *HUGE)
    assert (problem["code"], problem["node"]) == ("out_of_memory", "latents")
    assert "smaller" in problem["message"]


def test_notes_that_are_no_notes_are_forgotten(darkroom: Darkroom) -> None:
    darkroom.states()
    for path in darkroom.data.rglob("*.json"):
        path.write_text("[" * 100_000)
    assert darkroom.states()["sampler"] == "ran"
    assert darkroom.states()["sampler"] == "stored"


def test_damaged_records_are_made_again(darkroom: Darkroom) -> None:
    status, first = darkroom("run", str(TEXT_TO_IMAGE), *QUICK)
    assert status == 0
    files = [path for path in (darkroom.data / "store").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} >= {".json", ".safetensors"}
    for path in files:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0xFF
        path.write_bytes(data)
    _, second = darkroom("run", str(TEXT_TO_IMAGE), *QUICK)
    assert second["nodes"]["sampler"]["state"] == "ran"
    before, after = (Path(answer["outputs"]["image"][0]) for answer in (first, second))
    assert before != after
    assert compare(before, after).identical


def test_ctrl_c_while_sampling_keeps_what_is_done(darkroom: Darkroom) -> None:
    settings = ("--set", "steps=1000", "--set", "width=64", "--set", "height=64")
    run = darkroom.start("run", str(TEXT_TO_IMAGE), *settings)
    assert run.stderr is not None
    for line in run.stderr:
        if line.startswith("sampler"):
            break
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "Traceback" not in out + err
    assert "finished nodes are kept" in err
    states = darkroom.states()
    assert (states["positive"], states["sampler"]) == ("stored", "ran")


def test_a_second_ctrl_c_ends_at_once(darkroom: Darkroom) -> None:
    run = darkroom.start("run", str(TEXT_TO_IMAGE), "--set", "batch_size=64")
    assert run.stderr is not None
    for line in run.stderr:
        if line.startswith("sampler"):
            break
    run.send_signal(signal.SIGINT)
    for line in run.stderr:
        if "Ctrl-C again" in line:
            break
    run.send_signal(signal.SIGINT)
    started = time.monotonic()
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert time.monotonic() - started < 2
    assert "Traceback" not in out + err


def mounted(folder: Path, options: str) -> tuple[str, ...]:
    """What to put before a command so that it sees a small disk of its own at `folder`."""
    folder.mkdir()
    mount = f'mount -t tmpfs -o {options} tmpfs {folder} && exec "$@"'
    prefix = ("unshare", "--mount", "sh", "-c", mount, "sh")
    if subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount")
    return prefix


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare")
def test_a_data_folder_on_a_read_only_disk(darkroom: Darkroom) -> None:
    prefix = mounted(darkroom.data, "ro")
    check = darkroom.start("check", str(TEXT_TO_IMAGE), "--json", prefix=prefix)
    out, err = check.communicate(timeout=60)
    assert (check.returncode, json.loads(out), err) == (0, {"problems": [], "warnings": []}, "")


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare")
def test_a_full_disk_while_saving(darkroom: Darkroom, tmp_path: Path) -> None:
    small = tmp_path / "small"
    prefix = mounted(small, "size=4k")
    run = darkroom.start(
        "run", str(TEXT_TO_IMAGE), *QUICK, "--output", str(small), "--json", prefix=prefix
    )
    out, err = run.communicate(timeout=120)
    assert run.returncode == 1
    assert "Traceback" not in out + err
    (problem,) = json.loads(out)["problems"]
    assert (problem["code"], problem["node"]) == ("disk_full", "save")
    assert darkroom.states()["sampler"] == "stored"
