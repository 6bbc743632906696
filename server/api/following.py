"""Events for one watcher: what happened since the last one it saw, and then what happens."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from server.jobs.model import ENDS
from server.live import Event, Subscription
from server.service import Service
from server.streams import Streams

PAGE = 1_000
MOST = 2_000
"""Events that may wait for a watcher until it is too slow."""
LAST = frozenset({*ENDS, "job.deleted"})
"""After one of these nothing more is told of a job."""


@dataclass(frozen=True)
class Wish:
    """Which events a watcher may see and wants."""

    owner: str | None
    """Whose, besides those that concern everybody; None for all, which administrators may ask."""
    job: str | None = None
    types: frozenset[str] = frozenset()
    """Only these, or those that begin with one of them and a dot; empty for all."""

    def __call__(self, event: Event) -> bool:
        """Whether it is one."""
        if self.owner is not None and event.owner not in {"", self.owner}:
            return False
        if self.job is not None and event.job != self.job:
            return False
        return not self.types or bool({event.type, event.type.partition(".")[0]} & self.types)


class TooSlow(Exception):  # noqa: N818 - nothing went wrong here
    """The watcher did not take its events in time, and has to come again."""


class Watcher:
    """One watcher's events, from a place in the past on, without gap or repetition."""

    def __init__(
        self,
        service: Service,
        wish: Wish,
        subscription: Subscription,
        after: int | None,
        seen: Callable[[Event], None],
    ) -> None:
        self.service, self.wish, self.subscription, self.seen = service, wish, subscription, seen
        self.edge = service.hub.next - 1
        """The last event before the subscription."""
        self.last = self.edge if after is None else after
        """The last event that the watcher has seen."""

    async def past(self) -> AsyncIterator[Event]:
        """What happened between the place and the subscription.

        The hub remembers the latest events, the database those before. Written down is an event a
        moment after it happened, so that the hub is asked first.
        """
        while self.last < self.edge:
            kept = self.service.hub.since(self.last)
            if kept is not None:
                for event in kept:
                    if event.id <= self.edge and self.wish(event):
                        self.last = event.id
                        yield event
                self.last = self.edge
                return
            oldest = self._oldest()
            page = await self.service.jobs.events_after(
                self.last, owner=self.wish.owner, job=self.wish.job, limit=PAGE
            )
            for event in page:
                if event.id > min(oldest - 1, self.edge):
                    break
                self.last = event.id
                if self.wish(event):
                    yield event
            else:
                if len(page) == PAGE:
                    continue
            self.last = max(self.last, min(oldest - 1, self.edge))

    async def next(self, patience: float) -> Event | None:
        """The next event; None if nothing happens for so many seconds.

        Raises:
            TooSlow: The watcher was.
        """
        try:
            async with asyncio.timeout(patience):
                event = await anext(self.subscription)
        except TimeoutError:
            return None
        except StopAsyncIteration:
            raise TooSlow from None
        self.last = max(self.last, event.id)
        self.seen(event)
        return event

    def _oldest(self) -> int:
        kept = self.service.hub.kept
        return kept[0].id if kept else self.service.hub.next


@dataclass
class Watchers:
    """Everybody who watches, to be told when the server stops."""

    seen: Callable[[Event], None] = lambda _: None
    """Told of every event that goes out just after it happened."""
    streams: Streams = field(default_factory=Streams)


@contextmanager
def following(
    service: Service, watchers: "Watchers", wish: Wish, after: int | None
) -> Iterator[Watcher]:
    """A watcher. It is subscribed before the past is read, so that nothing falls between.

    Args:
        service: Whose events.
        watchers: All of them.
        wish: Which of them.
        after: The last event that was seen; None to begin now.
    """
    with service.hub.subscribe(wish, MOST) as subscription:
        yield Watcher(service, wish, subscription, after, watchers.seen)
