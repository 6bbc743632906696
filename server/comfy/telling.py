"""What happens to a job, as the messages that ComfyUI sends over its websocket."""

import json
import struct
from collections.abc import Iterator, Mapping
from typing import Any

from server.jobs.model import Job
from server.live import Event

from .graph import Json
from .history import failure, interruption, node_outputs
from .posted import Origin

PREVIEW, RICH_PREVIEW, JPEG = 1, 4, 1
"""Kinds of binary message, and of the picture in it."""
Message = Json | bytes


class Telling:
    """Tells of one job, in the order in which its events come."""

    def __init__(self, prompt_id: str, origin: Origin) -> None:
        self.prompt_id, self.origin = prompt_id, origin
        self.node: str | None = None
        """The ComfyUI node at work."""
        self.executed: list[str] = []
        self.cached: list[str] = []
        self.states: dict[str, Json] = {}

    def of(self, event: Event, job: Job | None = None) -> Iterator[Message]:
        """The messages for an event; `job` is the job as it then is, for the events of jobs."""
        match event.type:
            case "job.started":
                yield from self._begun(event)
            case "node.started":
                yield from self._started(event.data)
            case "node.progressed":
                yield from self._progressed(event.data, event.blob)
            case "node.finished":
                yield from self._finished(event)
            case "job.succeeded" | "job.failed" | "job.cancelled" if job is not None:
                yield from self._ended(event, job)

    def _begun(self, event: Event) -> Iterator[Message]:
        self.node, self.states = None, {}
        self.executed, self.cached = [], []
        told = {"prompt_id": self.prompt_id, "timestamp": int(event.time * 1000)}
        yield message("execution_start", told)
        yield message("execution_cached", {"nodes": [], **told})

    def _started(self, data: Mapping[str, Any]) -> Iterator[Message]:
        node = self.origin.node(str(data["node"]))
        if node is None:
            return
        self._set(node, "running", 0, 1)
        if node != self.node:
            self.node = node
            yield message("executing", self._at(node))
            yield self._progress_state()

    def _progressed(self, data: Mapping[str, Any], blob: bytes) -> Iterator[Message]:
        node = self.origin.node(str(data["node"]))
        if node is None:
            return
        done, total = int(data["done"]), int(data["total"])
        self._set(node, "running", done, total)
        yield self._progress_state()
        told = {"value": done, "max": total, "prompt_id": self.prompt_id, "node": node}
        yield message("progress", told)
        if blob:
            yield preview(blob)

    def _finished(self, event: Event) -> Iterator[Message]:
        data = event.data
        node = self.origin.node(str(data["node"]))
        if node is None:
            return
        self._set(node, "finished", 1, 1)
        if data.get("state") == "stored":
            if node not in (*self.cached, *self.executed):
                self.cached.append(node)
                told = {"nodes": [node], "prompt_id": self.prompt_id}
                yield message("execution_cached", {**told, "timestamp": int(event.time * 1000)})
        elif node not in self.executed:
            self.executed.append(node)
            yield self._progress_state()

    def _ended(self, event: Event, job: Job) -> Iterator[Message]:
        if event.type == "job.succeeded":
            for node, output in node_outputs(job.outputs).items():
                yield message("executed", {**self._at(node), "output": output})
            told = {"prompt_id": self.prompt_id, "timestamp": int(event.time * 1000)}
            yield message("execution_success", told)
        elif event.type == "job.failed":
            yield message("execution_error", failure(job, self.origin, self.executed))
        else:
            told = interruption(job, self.origin, self.node, self.executed)
            yield message("execution_interrupted", told)
        self.node = None
        yield message("executing", {"node": None, "prompt_id": self.prompt_id})

    def _at(self, node: str) -> Json:
        return {"node": node, "display_node": node, "prompt_id": self.prompt_id}

    def _set(self, node: str, state: str, value: float, most: float) -> None:
        self.states[node] = {
            "value": value,
            "max": most,
            "state": state,
            "node_id": node,
            "prompt_id": self.prompt_id,
            "display_node_id": node,
            "parent_node_id": None,
            "real_node_id": node,
        }

    def _progress_state(self) -> Json:
        told = {"prompt_id": self.prompt_id, "nodes": dict(self.states)}
        return message("progress_state", told)


def message(kind: str, data: Json) -> Json:
    """A message as JSON."""
    return {"type": kind, "data": data}


def status(remaining: int, sid: str | None = None) -> Json:
    """How many prompts wait or run."""
    told: Json = {"status": {"exec_info": {"queue_remaining": remaining}}}
    return message("status", told if sid is None else told | {"sid": sid})


def preview(jpeg: bytes) -> bytes:
    """A preview as a binary message."""
    return struct.pack(">II", PREVIEW, JPEG) + jpeg


def with_metadata(told: bytes, telling: Telling) -> bytes:
    """A preview that tells of its node, for clients that know such."""
    node = telling.node
    about = {
        "node_id": node,
        "prompt_id": telling.prompt_id,
        "display_node_id": node,
        "parent_node_id": None,
        "real_node_id": node,
        "image_type": "image/jpeg",
    }
    text = json.dumps(about).encode()
    return struct.pack(">II", RICH_PREVIEW, len(text)) + text + told[8:]
