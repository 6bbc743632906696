import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from server.workers.line import SIZES, FrameError, Message, decode, encode, sizes
from server.workers.messages import Beat, Done, Happened, Ready, Run, Stop
from server.workers.outfit import VARIABLE, Outfit
from server.workers.process import UNUSABLE, read

from .conftest import ROOT, Json, graph

PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-m", "server.workers.process"], stdin=subprocess.PIPE)
child.stdin.write(bytes.fromhex(sys.argv[1]))
child.stdin.flush()
time.sleep(600)
"""


def environment(folder: Path, nodes: str = "tests.toys", hang: float = 0.0) -> dict[str, str]:
    outfit = Outfit(data=folder, nodes=nodes, hang=hang)
    return {**os.environ, "PYTHONPATH": str(ROOT), VARIABLE: outfit.to_json()}


class Process:
    def __init__(self, folder: Path, nodes: str = "tests.toys", hang: float = 0.0) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "server.workers.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(folder, nodes, hang),
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.stdin, self.stdout = self.process.stdin, self.process.stdout
        self.stderr = self.process.stderr

    def say(self, *parts: bytes) -> None:
        self.stdin.write(b"".join(parts))
        self.stdin.flush()

    def hear(self) -> Message:
        text, blob = sizes(self.stdout.read(SIZES.size))
        return decode(self.stdout.read(text), self.stdout.read(blob))

    def end(self, seconds: float = 10) -> tuple[int, str]:
        """The exit status, and what it logged."""
        status = self.process.wait(seconds)
        log = self.stderr.read().decode()
        self.close()
        return status, log

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.stdin, self.stdout, self.stderr):
            with suppress(BrokenPipeError):
                stream.close()


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    started = Process(tmp_path)
    yield started
    started.close()


def order(folder: Path, document: Json) -> Run:
    return Run("run", document, "local", str(folder), str(folder), str(folder))


def gone(pid: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(FileNotFoundError):
            state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
            if state.split()[0] != "Z":
                time.sleep(0.05)
                continue
        return True
    return False


def test_a_worker_leaves_when_its_input_ends(process: Process) -> None:
    assert isinstance(process.hear(), Ready)
    process.stdin.close()
    assert process.end()[0] == 0


@pytest.mark.parametrize("type_name", ["Wait", "Deaf"])
def test_a_worker_leaves_with_its_server_while_a_node_runs(tmp_path: Path, type_name: str) -> None:
    pid_file = tmp_path / "pid"
    document = {
        "darkroom": 1,
        "nodes": {
            "pid": {"type": "Pid", "inputs": {"file": str(pid_file)}},
            "after": {
                "type": type_name,
                "inputs": {
                    {"Wait": "seconds", "Deaf": "number"}[type_name]: {"$link": ["pid", "value"]}
                },
            },
        },
        "outputs": {"out": {"node": "after", "output": "value"}},
    }
    frame = b"".join(encode(order(tmp_path, document))).hex()
    server = subprocess.Popen(
        [sys.executable, "-c", PARENT, frame],
        env=environment(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 20
        while not pid_file.exists() or not pid_file.read_text(encoding="ascii"):
            assert time.monotonic() < until
            time.sleep(0.02)
        pid = int(pid_file.read_text(encoding="ascii"))
        assert not gone(pid, 0.2)
    finally:
        server.kill()
        server.wait()
    assert gone(pid, 8.0)


def test_a_worker_that_stands_still_ends_itself_and_says_where(tmp_path: Path) -> None:
    process = Process(tmp_path, hang=2.0)
    process.say(*encode(order(tmp_path, graph("Harm", {"how": "lock"}))))
    status, log = process.end(20)
    assert status == 1
    assert "faults.py" in log


def test_a_termination_lets_the_run_finish(process: Process) -> None:
    process.say(*encode(order(process.folder, graph("Wait", {"seconds": 1.5}))))
    while not isinstance(process.hear(), Happened):
        pass
    process.process.send_signal(signal.SIGTERM)
    while not isinstance(said := process.hear(), Done):
        pass
    assert said.state == "succeeded"
    assert process.end()[0] == 0


def test_an_interruption_of_the_terminal_is_the_servers_business(process: Process) -> None:
    assert isinstance(process.hear(), Ready)
    process.process.send_signal(signal.SIGINT)
    process.say(*encode(order(process.folder, graph("Add"))))
    while not isinstance(said := process.hear(), Done):
        pass
    assert said.state == "succeeded"


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        SIZES.pack(4, 0) + b"null",
        b"".join(encode(Beat(1))),
        SIZES.pack(10, 0) + b'{"is":',
    ],
)
def test_a_worker_leaves_when_it_hears_garbage(process: Process, garbage: bytes) -> None:
    assert isinstance(process.hear(), Ready)
    process.say(garbage)
    process.stdin.close()
    assert process.end()[0] == 0


def test_a_worker_without_its_nodes_says_so_and_leaves(tmp_path: Path) -> None:
    status, log = Process(tmp_path, nodes="nowhere").end()
    assert status == UNUSABLE
    assert "there is no node package 'nowhere'" in log


def test_a_frame_that_is_cut_off_is_the_end() -> None:
    whole = b"".join(encode(Stop()))
    assert read(io.BytesIO(whole)) == Stop()
    assert read(io.BytesIO(b"")) is None
    assert read(io.BytesIO(whole[:5])) is None
    with pytest.raises(FrameError):
        read(io.BytesIO(whole[:-2]))
