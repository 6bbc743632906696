"""What happens in a run, told to the server: not more often than anybody can see."""

import threading
import time
from collections.abc import Callable
from typing import Any

from engine.errors import NodeError
from engine.events import Event, NodeFailed, NodeFinished, NodeProgressed, NodeStarted, Warned
from server.failures import problem_json, problems_of

from .log import say_error
from .messages import FromWorker, Happened

PROGRESS_SECONDS = 1 / 20
PREVIEW_SECONDS = 1 / 8
PREVIEW_SHARE = 10
"""A preview is waited for by its node: the next comes after this many times what it took."""
Picture = Callable[[Any], bytes]


class Telling:
    """The watcher of one run. Called by one thread at a time; `watched` may change meanwhile."""

    def __init__(
        self,
        run: str,
        send: Callable[[FromWorker], None],
        picture: Picture | None,
        *,
        watched: bool,
    ) -> None:
        self.run, self.send, self.picture, self.watched = run, send, picture, watched
        self.progressed = time.monotonic()
        """When a node last began, told its progress, or ended."""
        self.bytes: dict[str, int] = {}
        self.told: dict[str, float] = {}
        self.next_preview = 0.0
        self.lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Tell the server of an event."""
        self.progressed = time.monotonic()
        match event:
            case NodeStarted():
                self.say("node.started", {"node": event.node, "type": event.type_name})
            case NodeProgressed():
                self._progressed(event)
            case NodeFinished():
                self._finished(event)
            case NodeFailed():
                self._failed(event.error)
            case Warned():
                self.say("warned", {"message": event.message, "node": event.node})

    def say(self, kind: str, data: dict[str, Any], blob: bytes = b"") -> None:
        """Tell one thing of the run."""
        self.send(Happened(self.run, kind, data, blob))

    def _failed(self, error: NodeError) -> None:
        told = {"node": error.place, "type": error.type_name}
        self.say("node.failed", told | {"problem": problem_json(problems_of(error)[0])})

    def _finished(self, event: NodeFinished) -> None:
        size = self.bytes[event.node] = event.bytes
        self.told.pop(event.node, None)
        told = {"node": event.node, "type": event.type_name, "state": event.state}
        self.say("node.finished", told | {"seconds": round(event.seconds, 6), "bytes": size})

    def _progressed(self, event: NodeProgressed) -> None:
        blob = self._preview(event)
        now = time.monotonic()
        is_early = now - self.told.get(event.node, 0.0) < PROGRESS_SECONDS
        if is_early and not blob and event.done < event.total:
            return
        self.told[event.node] = now
        told = {"node": event.node, "type": event.type_name}
        self.say("node.progressed", told | {"done": event.done, "total": event.total}, blob)

    def _preview(self, event: NodeProgressed) -> bytes:
        """A picture of the present state as JPEG, if somebody looks and it is time for one."""
        began = time.monotonic()
        if not self.watched or event.preview is None or self.picture is None:
            return b""
        if began < self.next_preview:
            return b""
        try:
            blob = self.picture(event.preview())
        except Exception as error:  # noqa: BLE001 - a run does not fail for a preview
            say_error("a preview could not be made", error, run=self.run, node=event.node)
            self.picture = None
            return b""
        took = time.monotonic() - began
        self.next_preview = began + max(PREVIEW_SECONDS, PREVIEW_SHARE * took)
        return blob
