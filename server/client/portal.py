"""An event loop in a thread of its own, for programs that have none."""

import asyncio
import threading
import weakref
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

T = TypeVar("T")
LONGEST_END = 5.0
"""Seconds that closing may take."""


class Portal:
    """Runs coroutines in a thread, and hands their results to the calling one.

    What interrupts the caller, such as Ctrl-C, cancels the coroutine. When nobody holds the portal
    any more it closes itself.

    Args:
        last: What to do at the end, if anything was done.
    """

    def __init__(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._worker = _Worker()
        self._closing = weakref.finalize(self, self._worker.close, last)

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine."""
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._worker.running())
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def iterate(self, source: AsyncGenerator[T, None]) -> Generator[T, None, None]:
        """The values of an asynchronous generator, one at a time."""
        steps = _Steps(source)
        try:
            while (values := self.call(steps.next())) is not None:
                yield values[0]
        finally:
            if self._worker.loop is not None:
                self.call(steps.close())

    def close(self) -> None:
        """End the thread."""
        self._closing()


class _Worker:
    """The thread, which begins with the first use."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.turn = threading.Lock()

    def running(self) -> asyncio.AbstractEventLoop:
        """Its loop."""
        with self.turn:
            if self.loop is None:
                self.loop = asyncio.new_event_loop()
                self.thread = threading.Thread(
                    target=_run, args=(self.loop,), name="darkroom-client", daemon=True
                )
                self.thread.start()
            return self.loop

    def close(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do something last, if anything was done, and end."""
        with self.turn:
            loop, self.loop = self.loop, None
        if loop is None:
            return
        loop.call_soon_threadsafe(_leave, loop, last)
        if threading.current_thread() is not self.thread:  # as it may be when it is collected
            self.thread.join(LONGEST_END)


def _leave(loop: asyncio.AbstractEventLoop, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
    loop.create_task(last()).add_done_callback(lambda _: loop.stop())


def _run(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
        loop.run_until_complete(_cancelled(asyncio.all_tasks(loop)))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


async def _cancelled(tasks: "set[asyncio.Task[Any]]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class _Steps(Generic[T]):
    """An asynchronous generator that is closed only when the last step has ended."""

    def __init__(self, source: AsyncGenerator[T, None]) -> None:
        self.source = source
        self.turn = asyncio.Lock()

    async def next(self) -> tuple[T] | None:
        """The next value in a tuple; none if that was the last."""
        async with self.turn:
            async for value in self.source:
                return (value,)
            return None

    async def close(self) -> None:
        """End it."""
        async with self.turn:
            await self.source.aclose()
