"""What happens, as numbered events for everybody who watches."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from typing_extensions import override

Json = dict[str, Any]
PASSING = frozenset({"node.progressed"})
"""Events of which a slow watcher needs only the latest; they are not remembered."""
PROGRESS_RATE = 1_000.0
"""Events of progress a second for all watchers together, so that many of them slow no job."""
KEPT, KEPT_BYTES = 20_000, 64 * 2**20
"""Events that are remembered, by number and by what they hold as JSON."""


@dataclass(frozen=True)
class Event:
    """One thing that happened. Ids grow, also over a restart of the server."""

    id: int
    type: str
    job: str | None
    owner: str
    """Whose it is; empty for what concerns everybody."""
    time: float
    data: Json
    blob: bytes = b""
    """A preview, as JPEG."""

    @cached_property
    def text(self) -> str:
        """The event as JSON, made once for all watchers."""
        told = {"id": self.id, "type": self.type, "job": self.job, "time": self.time}
        return json.dumps(told | {"data": self.data}, separators=(",", ":"), ensure_ascii=False)

    @property
    def passing(self) -> bool:
        """Whether the next of its kind makes it worthless."""
        return self.type in PASSING


class Subscription:
    """One watcher's events, in order. A watcher that is too slow is `lagging` and gets no more.

    Of a node's progress only the latest waits, and the more watch, the more rarely each hears of it.
    """

    def __init__(self, hub: "Hub", wants: Callable[[Event], bool], most: int) -> None:
        self.hub, self.wants, self.most = hub, wants, most
        self.waiting: dict[object, Event] = {}
        self.arrived = asyncio.Event()
        self.lagging = False
        self.held = False
        """Whether progress waits for its turn."""
        self.turn = 0.0
        """When it is the turn of the next progress, on the monotonic clock."""

    def offer(self, event: Event) -> None:
        """Take an event in, if it is wanted."""
        if self.lagging or not self.wants(event):
            return
        key: object = event.id
        if event.passing:
            key = (event.job, event.data.get("node"))
            self.waiting.pop(key, None)
        elif len(self.waiting) >= self.most:
            self.lagging = True
        self.waiting[key] = event
        if not (event.passing and self.held):
            self.arrived.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while True:
            if not self.waiting and self.lagging:
                raise StopAsyncIteration
            if self.waiting and not await self._hold():
                event = self.waiting.pop(next(iter(self.waiting)))
                if event.passing:
                    self.turn = time.monotonic() + len(self.hub.subscriptions) / PROGRESS_RATE
                return event
            if not self.waiting:
                self.arrived.clear()
                await self.arrived.wait()

    async def _hold(self) -> bool:
        """Wait for the turn of what is mere progress; whether anything was waited for."""
        pause = self.turn - time.monotonic()
        if pause <= 0 or not all(event.passing for event in self.waiting.values()):
            return False
        self.held = True
        self.arrived.clear()
        try:
            async with asyncio.timeout(pause):
                await self.arrived.wait()
        except TimeoutError:
            pass
        finally:
            self.held = False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.hub.subscriptions.discard(self)

    @override
    def __hash__(self) -> int:
        return id(self)

    @override
    def __eq__(self, other: object) -> bool:
        return self is other


class Hub:
    """Numbers events, hands them to watchers, and remembers the latest for those who return."""

    def __init__(self, first: int = 1, keep: int = KEPT, most_bytes: int = KEPT_BYTES) -> None:
        self.next = first
        self.keep, self.most_bytes, self.bytes = keep, most_bytes, 0
        self.kept: deque[Event] = deque()
        self.subscriptions: set[Subscription] = set()

    def publish(
        self,
        type: str,  # noqa: A002 - the word on the wire
        *,
        owner: str = "",
        job: str | None = None,
        data: Json | None = None,
        blob: bytes = b"",
    ) -> Event:
        """Tell every watcher who wants it; returns the event with its id."""
        event = Event(self.next, type, job, owner, time.time(), data or {}, blob)
        self.next += 1
        if not event.passing:
            self._keep(event)
        for subscription in tuple(self.subscriptions):
            subscription.offer(event)
        return event

    def _keep(self, event: Event) -> None:
        """Remember an event, and let the oldest go that are too many or too large together."""
        self.kept.append(event)
        self.bytes += len(event.text)
        while len(self.kept) > self.keep or (self.bytes > self.most_bytes and self.kept):
            self.bytes -= len(self.kept.popleft().text)

    def subscribe(self, wants: Callable[[Event], bool], most: int = 2_000) -> Subscription:
        """A watcher's events from now on; use it in a `with`."""
        subscription = Subscription(self, wants, most)
        self.subscriptions.add(subscription)
        return subscription

    def since(self, last: int) -> Iterator[Event] | None:
        """The events after `last`; None if some of them are no longer remembered here."""
        if last + 1 >= self.next:
            return iter(())
        if not self.kept or self.kept[0].id > last + 1:
            return None
        return (event for event in tuple(self.kept) if event.id > last)
