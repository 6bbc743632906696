"""Several processes and machines on one store: real processes, killed in between, on small disks."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.disk import LEFT_BEHIND
from engine.store import Store
from nodes.diffusion.difference import compare
from tests.whole import QUICK, ROOT, TEXT_TO_IMAGE, Darkroom
from tests.writing import KEYS, found, opened, write

Writer = Callable[[Path, int], "subprocess.Popen[str]"]


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    folder = tmp_path / "shared"
    folder.mkdir()
    return folder


@pytest.fixture
def writer(shared: Path) -> Iterator[Writer]:
    """Starts a process that writes every key over and over."""
    started: list[subprocess.Popen[str]] = []

    def start(local: Path, number: int) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "tests.writing", str(local), str(shared), str(number)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def round_of(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def whole_or_missing(store: Store) -> list[int | None]:
    """Who wrote each record, all of them read; a record of two writers fails."""
    return [found(store, key) for key in KEYS]


@pytest.mark.parametrize("count", [2, 4])
def test_processes_on_one_store_leave_whole_records(
    writer: Writer, tmp_path: Path, shared: Path, count: int
) -> None:
    processes = [writer(tmp_path / "local", number) for number in range(count)]

    assert {round_of(process) for process in processes} == {"round"}
    while_written = whole_or_missing(opened(tmp_path / "local", shared))
    for process in processes:
        process.kill()
        process.wait()

    assert None not in while_written
    after = whole_or_missing(opened(tmp_path / "local", shared))
    assert after.count(None) <= count
    assert set(after) <= {*range(count), None}
    assert None not in whole_or_missing(opened(tmp_path / "empty", shared))


def test_killed_machines_leave_whole_records_and_others_fill_the_gaps(
    writer: Writer, tmp_path: Path, shared: Path
) -> None:
    for number in range(6):
        process = writer(tmp_path / f"machine-{number}", number)
        other = writer(tmp_path / "other", 10 + number)
        time.sleep(0.6 + 0.05 * number)
        process.send_signal(signal.SIGKILL)
        other.send_signal(signal.SIGKILL)
        process.wait()
        other.wait()
        whole_or_missing(opened(tmp_path / f"reader-{number}", shared))

    last = opened(tmp_path / "last", shared)
    for key in KEYS:
        write(last, key, 99)
    last.flush()
    assert None not in whole_or_missing(opened(tmp_path / "empty", shared))
    assert last.shared is not None
    long_ago = time.time() - 2 * LEFT_BEHIND
    for path in shared.glob("??/*"):
        os.utime(path, (long_ago, long_ago))
    last.shared.prune(sys.maxsize)
    assert not list(shared.glob("??/.writing-*"))
    assert None not in whole_or_missing(opened(tmp_path / "empty too", shared))


def machine(tmp_path: Path, name: str, shared: object) -> Darkroom:
    return Darkroom(tmp_path / name, {"DARKROOM_SHARED_STORE": str(shared)})


def test_a_second_machine_computes_nothing_that_the_first_computed(
    tmp_path: Path, shared: Path
) -> None:
    first = machine(tmp_path, "first", shared).states()
    second = machine(tmp_path, "second", shared).states()

    assert set(first.values()) == {"ran"}
    assert second.pop("save") == "ran"
    assert set(second.values()) == {"stored"}
    pictures = [next((tmp_path / name / "outputs").iterdir()) for name in ("first", "second")]
    assert compare(*pictures).identical


def test_damaged_shared_records_are_made_again_and_replaced(tmp_path: Path, shared: Path) -> None:
    machine(tmp_path, "first", shared).states()
    for path in shared.glob("??/*"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    assert machine(tmp_path, "second", shared).states()["sampler"] == "ran"
    assert machine(tmp_path, "third", shared).states()["sampler"] == "stored"


def test_the_cache_command_knows_the_shared_store(tmp_path: Path, shared: Path) -> None:
    darkroom = machine(tmp_path, "first", shared)
    darkroom.states()

    _, before = darkroom("cache")
    assert before["shared"]["place"] == str(shared)
    assert before["shared"]["reachable"]
    assert before["shared"]["records"] > 0
    _, pruned = darkroom("cache", "prune", "--shared", "--to", "60kB")
    assert 0 < pruned["shared"]["bytes"] <= 60_000
    assert pruned["freed"] == before["shared"]["bytes"] - pruned["shared"]["bytes"]
    _, cleared = darkroom("cache", "clear", "--shared")
    assert cleared["shared"]["records"] == 0
    assert cleared["records"] == before["records"]


def test_a_shared_folder_that_is_not_there_costs_one_warning(tmp_path: Path) -> None:
    darkroom = machine(tmp_path, "first", tmp_path / "unmounted")

    run = darkroom.start("run", str(TEXT_TO_IMAGE), *QUICK, "--json")
    out, err = run.communicate(timeout=120)

    assert run.returncode == 0
    assert {node["state"] for node in json.loads(out)["nodes"].values()} == {"ran"}
    assert err.count("warning") == 1
    assert f"the shared store {tmp_path / 'unmounted'} cannot be read" in err
    assert not (tmp_path / "unmounted").exists()
    _, size = darkroom("cache")
    assert not size["shared"]["reachable"]
    assert "cannot be read" in size["shared"]["fault"]
    assert darkroom.fault("cache", "clear", "--shared")["code"] == "store"


def mounted(folder: Path, options: str) -> tuple[str, ...]:
    """What to put before a command so that it sees a small disk of its own at `folder`."""
    mount = f'mount -t tmpfs -o {options} tmpfs {folder} && exec "$@"'
    prefix = ("unshare", "--mount", "sh", "-c", mount, "sh")
    if (
        shutil.which("unshare") is None
        or subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("this user may not mount")
    return prefix


@pytest.mark.parametrize(
    ("options", "says"),
    [("size=16k", "No space left on device"), ("ro", "Read-only file system")],
)
def test_a_shared_disk_that_is_full_or_read_only_costs_one_warning(
    tmp_path: Path, shared: Path, options: str, says: str
) -> None:
    darkroom = machine(tmp_path, "first", shared)
    command = ("run", str(TEXT_TO_IMAGE), *QUICK)

    run = darkroom.start(*command, prefix=mounted(shared, options))
    _, err = run.communicate(timeout=120)

    assert run.returncode == 0
    assert err.count("warning") == 1
    assert says in err
    assert "results stay on this machine" in err
    assert darkroom.states()["sampler"] == "stored"


def test_a_full_local_disk_warns_and_leaves_nothing_half(tmp_path: Path) -> None:
    darkroom = Darkroom(tmp_path / "data")
    darkroom.data.mkdir()
    (darkroom.data / "store").mkdir()
    prefix = mounted(darkroom.data / "store", "size=16k")

    run = darkroom.start(
        *("run", str(TEXT_TO_IMAGE), *QUICK),
        prefix=(*prefix, "sh", "-c", '"$@"; find "$0" -type f >&2', str(darkroom.data / "store")),
    )
    _, err = run.communicate(timeout=120)

    assert "No space left on device; see that its disk has space" in err
    names = {Path(line).name for line in err.splitlines() if line.startswith(str(darkroom.data))}
    heads = {name.partition(".")[0] for name in names if name.endswith(".json")}
    assert {name.partition(".")[0] for name in names} == heads


@pytest.mark.parametrize(
    ("named", "code"),
    [("ftp://host/x", "bad_store"), ("s3://", "bad_store")],
)
def test_a_shared_store_that_is_none_is_a_problem(tmp_path: Path, named: str, code: str) -> None:
    darkroom = machine(tmp_path, "first", named)
    problem = darkroom.fault("cache")
    assert problem["code"] == code
    assert named in problem["message"]


def test_pruning_a_shared_store_needs_one_and_a_size(tmp_path: Path, shared: Path) -> None:
    assert Darkroom(tmp_path).fault("cache", "clear", "--shared")["code"] == "no_shared_store"
    status, _ = _command(machine(tmp_path, "first", shared), "cache", "prune", "--shared")
    assert status == 2


def _command(darkroom: Darkroom, *arguments: str) -> tuple[int, Any]:
    run = darkroom.start(*arguments)
    out, err = run.communicate(timeout=60)
    return run.returncode, out + err
