"""A worker as a process of this machine."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from server.places import Places

from .line import SIZES, Code, FrameError, LineClosed, decode, encode, sizes
from .messages import FromWorker, ToWorker
from .outfit import VARIABLE, Outfit

LONGEST_LINE = 16_384
TRACE_SECONDS = 2.0
"""What a worker that is ended as hung is given to write where its threads are."""
_log = structlog.get_logger("worker")


class LocalLine:
    """Frames over the standard streams of a child; what it writes to its standard error is logged."""

    def __init__(self, name: str, process: Process, data: Path) -> None:
        self.name, self.process = name, process
        self.places = Places(data)
        self.tail: deque[str] = deque(maxlen=5)
        """The last lines that it logged, to say why it could not start."""
        self.killed = False
        self.kills = kernel_kills()
        self.logging = asyncio.create_task(self._log_errors())

    @classmethod
    async def open(cls, name: str, outfit: Outfit, environment: Mapping[str, str]) -> "LocalLine":
        """Start a worker.

        Raises:
            OSError: The system cannot start a process now.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "server.workers.process",
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env={**os.environ, **environment, VARIABLE: outfit.to_json()},
        )
        return cls(name, process, outfit.data)

    async def send(self, message: ToWorker) -> None:
        """Say something to the worker."""
        stdin = self.process.stdin
        if stdin is None or stdin.is_closing():
            return
        with suppress(ConnectionError):
            stdin.writelines(encode(message))
            await stdin.drain()

    async def receive(self) -> FromWorker:
        """What the worker says next.

        Raises:
            LineClosed: It is gone.
        """
        stdout = self.process.stdout
        if stdout is None:
            raise LineClosed("it has no output")
        try:
            text, blob = sizes(await stdout.readexactly(SIZES.size))
            body = await stdout.readexactly(text)
            found = decode(body, await stdout.readexactly(blob) if blob else b"")
        except (asyncio.IncompleteReadError, ConnectionError):
            raise await self._closed() from None
        except FrameError as error:
            await self.kill()
            raise LineClosed(f"it does not keep to the protocol: {error}") from error
        if not isinstance(found, FromWorker):
            await self.kill()
            raise LineClosed(f"it does not keep to the protocol: it said {type(found).__name__}")
        return found

    async def kill(self) -> None:
        """End the worker at once."""
        self.killed = True
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()

    async def trace(self) -> None:
        """Have the worker log where its threads are, which ends it."""
        self.killed = True
        with suppress(ProcessLookupError, TimeoutError):
            self.process.send_signal(signal.SIGABRT)
            await asyncio.wait_for(self.process.wait(), TRACE_SECONDS)

    async def _closed(self) -> LineClosed:
        """How it ended, once it has."""
        try:
            status = await asyncio.wait_for(self.process.wait(), TRACE_SECONDS)
        except TimeoutError:  # it closed its output and lives on
            await self.kill()
            return LineClosed("it closed its output")
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self.logging), TRACE_SECONDS)
        if self.process.stdin is not None:
            self.process.stdin.close()
        tail = deque(self.places.hidden(list(self.tail)))  # the log has them whole
        return closed_by(status, tail, is_ours=self.killed, oom=kernel_kills() > self.kills)

    async def _log_errors(self) -> None:
        stderr = self.process.stderr
        if stderr is None:
            return
        rest = b""
        while chunk := await stderr.read(LONGEST_LINE):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._log(line)
            if len(rest) > LONGEST_LINE:
                self._log(rest)
                rest = b""
        if rest:
            self._log(rest)

    def _log(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip()
        if not text:
            return
        told = _structured(text)
        if told is None:
            self.tail.append(text)
            _log.info(text, worker=self.name)
            return
        level, event = told.pop("level"), told.pop("event")
        if level in {"warning", "error"}:
            self.tail.append(event)
        _log.log(_LEVELS[level], event, worker=self.name, **told)


_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def _structured(text: str) -> dict[str, Any] | None:
    """What `log.say` wrote, or nothing."""
    if not text.startswith("{"):
        return None
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if told.get("level") not in _LEVELS or not isinstance(told.get("event"), str):
        return None
    told.pop("worker", None)
    return {str(name): value for name, value in told.items()}


def closed_by(status: int, tail: deque[str], *, is_ours: bool, oom: bool) -> LineClosed:
    """What an exit status means; `is_ours` if the signal was, `oom` if the kernel killed meanwhile."""
    said = f": {tail[-1]}" if tail else ""
    if status >= 0:
        return LineClosed(f"it ended with status {status}{said}")
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    if name != "SIGKILL" or is_ours:
        return LineClosed(f"it was ended by {name}")
    code: Code = "memory" if oom else "died"
    sure = "the system ran out of memory" if oom else "probably because memory ran out"
    return LineClosed(f"it was ended by SIGKILL, {sure}", code)


def kernel_kills() -> int:
    """How many processes the kernel has ended for want of memory, as far as it tells."""
    with suppress(OSError, ValueError):
        for line in Path("/proc/vmstat").read_text(encoding="ascii").splitlines():
            name, _, count = line.partition(" ")
            if name == "oom_kill":
                return int(count)
    return 0
