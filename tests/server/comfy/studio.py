"""In the place of the pool: one worker, which delivers a picture for each output of a job."""

import asyncio
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typing_extensions import override

from server.workers.keeper import Heard
from server.workers.messages import Answer, Done, Happened, Run
from tests.server.api.conftest import Bench

Json = dict[str, Any]
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4
PREVIEW = b"\xff\xd8\xff a picture"
KNOWN = {"state": "ran", "seconds": 0.1, "bytes": 9}


@dataclass
class Studio(Bench):
    """Tells of each node; in the middle it waits for `held`."""

    stored: tuple[str, ...] = ()
    """Node types whose results are there already."""
    missing: tuple[str, ...] = ()
    """Files that the desk does not find."""
    freed: int = 0
    models: list[Json] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)

    @override
    async def run(self, worker: str, run: Run, heard: Heard) -> Done:
        self.busy, self.heard = run.run, heard
        self.cancelled.clear()
        self.runs.append(run)
        nodes: Json = run.document["nodes"]
        told = [self._node(heard, run.run, name, node["type"]) for name, node in nodes.items()]
        self.began.set()
        await self._wait()
        self.busy = None
        if self.cancelled.is_set():
            return Done(run.run, "cancelled", {}, tuple(told))
        if self.fails is not None:
            return Done(run.run, "failed", {}, tuple(told), self.fails)
        outputs = {
            name: {"files": [_deliver(run, nodes[end["node"]])]}
            for name, end in run.document["outputs"].items()
        }
        return Done(run.run, "succeeded", outputs, tuple(told))

    async def _wait(self) -> None:
        waiting = [asyncio.ensure_future(each.wait()) for each in (self.held, self.cancelled)]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for each in waiting:
            each.cancel()

    def _node(self, heard: Heard, run: str, name: str, kind: str) -> Json:
        about: Json = {"node": name, "type": kind}
        if kind in self.stored:
            heard(Happened(run, "node.finished", about | {"state": "stored"}))
            return about | KNOWN | {"state": "stored"}
        heard(Happened(run, "node.started", about))
        if kind == "KSampler":
            heard(Happened(run, "node.progressed", about | {"done": 1, "total": 2}, PREVIEW))
        if kind != "SaveImage":
            heard(Happened(run, "node.finished", about | {"state": "ran"}))
        return about | KNOWN

    @override
    async def ask(self, question: str, **arguments: Any) -> Answer:
        self.questions.append((question, arguments))
        if question in self.answers:
            return self.answers[question]
        if question == "check":
            return Answer(0, {"problems": self._problems(arguments["document"])})
        if question == "models":
            return Answer(0, self.models)
        return Answer(0, error={"detail": f"no {question} here"})

    def _problems(self, document: Json) -> list[Json]:
        return [
            {"code": "missing_file", "message": f"no {value}", "node": node, "input": name}
            for node, told in document["nodes"].items()
            for name, value in told.get("inputs", {}).items()
            if isinstance(value, str) and value in self.missing
        ]

    async def free(self) -> None:
        self.freed += 1


def _deliver(run: Run, node: Json) -> Json:
    preview = node["type"] == "PreviewImage"
    folder = Path(run.previews if preview else run.outputs)
    name = node.get("inputs", {}).get("name", "preview")
    place = folder / f"{name}_00001.png"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(PICTURE)
    digest = hashlib.sha256(PICTURE).hexdigest()
    told: Json = {
        "path": place.relative_to(folder).as_posix(),
        "media_type": "image/png",
        "size": len(PICTURE),
        "digest": digest,
    }
    return told | ({"preview": True} if preview else {})
