"""A server of one's own for a test: a real process over toy nodes, on a free port."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TextIO

ROOT = Path(__file__).parents[1]
Json = dict[str, Any]


@dataclass
class Served:
    """`darkroom serve` over a data folder; it can be killed and started again."""

    data: Path
    nodes: str = "tests.toys"
    options: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[str] | None" = None
    url: str = ""

    def start(self, patience: float = 30.0) -> Self:
        """Start it and wait until it says where it listens."""
        self.close()
        with (self.data.parent / "server.log").open("a") as log:
            self.process = self._opened(log)
        assert self.process.stdout is not None
        until = time.monotonic() + patience
        while time.monotonic() < until:
            line = self.process.stdout.readline()
            if "http" in line:
                self.url = next(word for word in line.split() if word.startswith("http"))
                return self
            if not line and self.process.poll() is not None:
                break
        raise AssertionError(f"the server did not start:\n{self.log()}")

    def _opened(self, log: TextIO) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "server",
                "serve",
                "--port",
                "0",
                "--no-browser",
                f"--data={self.data}",
                f"--nodes={self.nodes}",
                *self.options,
            ],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=ROOT,
            env={
                **os.environ,
                "OMP_NUM_THREADS": "1",
                **self.environment,
            },
        )

    def close(self) -> None:
        """Listen to its output no longer."""
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()

    def log(self) -> str:
        """What it wrote into its log."""
        path = self.data.parent / "server.log"
        return path.read_text() if path.exists() else ""

    def kill(self) -> None:
        """Kill it as a crash would."""
        assert self.process is not None
        self.process.kill()
        self._left(10)

    def stop(self, patience: float = 30.0) -> int:
        """Ask it to end, as a service manager would; its exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self._left(patience)

    def _left(self, patience: float) -> int:
        assert self.process is not None
        assert self.process.stdout is not None
        status = self.process.wait(patience)
        self.process.stdout.close()
        return status

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()
        self.close()

    def call(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """The status and the JSON of an answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - our own server
            self.url + path,
            data,
            {"Content-Type": "application/json", **(headers or {})},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            text = error.read()
            return error.code, json.loads(text) if text else None

    def finished(self, job: str, patience: float = 30.0) -> Json:
        """The job once it has ended."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            status, told = self.call("GET", f"/api/v1/jobs/{job}")
            assert status == 200, told
            if told["state"] in {"succeeded", "failed", "cancelled"}:
                return dict(told)
            time.sleep(0.02)
        raise AssertionError(f"job {job} did not end:\n{self.log()[-3000:]}")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
