"""The one thread that writes: works that wait together share a transaction and its sync to disk."""

import asyncio
import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RootTransaction

from engine.errors import InputError
from server.database.engines import DURABLE
from server.database.faults import DatabaseFault, fault_of, told_as_faults

MOST_TOGETHER = 128


@dataclass(frozen=True, slots=True)
class Work:
    """Something to be written, and who waits for it."""

    act: Callable[[Connection], Any]
    durable: bool
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a work returned or raised."""

    value: Any = None
    error: Exception | None = None


class TransactionLost(Exception):  # noqa: N818 - never leaves the writer
    """A work failed, and took back what the others in its transaction had done."""


class Writer:
    """Runs works in their order; a durable work is on the disk when its caller hears of it.

    A work that fails leaves nothing behind and spoils no other: those that shared its transaction
    are run again, each by itself. So a work must change nothing but the database. (A savepoint for
    each work would spare the repetition, which is rare, and costs every work a tenth of a millisecond.)
    """

    def __init__(self, name: str, connect: Callable[[], Connection]) -> None:
        """Connect and start.

        Args:
            name: The database's, for messages.
            connect: Opens the connection, and again if it was lost.
        """
        self.name = name
        self.connect = connect
        self.connection = connect()
        self.waiting: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self.closed = False
        self.fault: DatabaseFault | None = None
        """Why the last works could not be written; None if they could."""
        self.thread = threading.Thread(target=self._write, name="database-writer", daemon=True)
        self.thread.start()

    async def write(self, act: Callable[[Connection], Any], *, durable: bool) -> Any:
        """What `act` returns, once it is written, or, if it is to be `durable`, on the disk.

        Raises:
            DatabaseFault: The database could not do it.
            Exception: What `act` raised.
        """
        if self.closed:
            raise DatabaseFault(f"the database {self.name} is closed: the server is stopping")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self.waiting.put(Work(act, durable, future, loop))
        return await future

    def close(self) -> None:
        """Write what waits, then end."""
        if self.closed:
            return
        self.closed = True
        self.waiting.put(None)
        self.thread.join()
        self.connection.close()

    def _write(self) -> None:
        while works := self._take():
            outcomes = self._outcomes(works)
            faults = (each.error for each in outcomes if isinstance(each.error, DatabaseFault))
            self.fault = next(faults, None)
            _tell(works, outcomes)

    def _take(self) -> list[Work]:
        works: list[Work] = []
        try:
            while len(works) < MOST_TOGETHER:
                work = self.waiting.get(block=not works)
                if work is None:
                    if works:
                        self.waiting.put(None)
                    break
                works.append(work)
        except queue.Empty:
            pass
        return works

    def _outcomes(self, works: Sequence[Work]) -> list[Outcome]:
        """What became of works: together if all go well, else each by itself."""
        try:
            return self._together(works)
        except TransactionLost as lost:
            if len(works) == 1:
                return [Outcome(error=_reason(lost))]
        except Exception as error:  # noqa: BLE001 - it goes to those who wait
            return [Outcome(error=error)] * len(works)
        return [outcome for work in works for outcome in self._outcomes([work])]

    def _together(self, works: Sequence[Work]) -> list[Outcome]:
        with told_as_faults(self.name):
            connection = self._connected()
            connection.info[DURABLE] = any(work.durable for work in works)
            transaction = connection.begin()
            try:
                outcomes = [Outcome(work.act(connection)) for work in works]
            except Exception as error:  # noqa: BLE001 - it goes to the one who waits
                _undo(connection, transaction)
                raise TransactionLost from (fault_of(error, self.name) or error)
            try:
                transaction.commit()
            except BaseException:
                _undo(connection, transaction)
                raise
            return outcomes

    def _connected(self) -> Connection:
        if self.connection.invalidated or self.connection.closed:
            self.connection.close()
            try:
                self.connection = self.connect()
            except InputError as error:
                raise DatabaseFault(f"the connection was lost: {error}") from error
        return self.connection


def _undo(connection: Connection, transaction: RootTransaction) -> None:
    """Have the connection ready for the next transaction, or replaced where that cannot be."""
    try:
        transaction.rollback()
        if not connection.invalidated:
            # After a commit that failed, SQLAlchemy takes it for over, and the database does not.
            connection.dialect.do_rollback(connection.connection)
    except Exception:  # noqa: BLE001 - what led here is what is told
        connection.invalidate()


def _reason(lost: TransactionLost) -> Exception:
    return lost.__cause__ if isinstance(lost.__cause__, Exception) else lost


def _tell(works: Sequence[Work], outcomes: Sequence[Outcome]) -> None:
    by_loop = defaultdict(list)
    for work, outcome in zip(works, outcomes, strict=True):
        by_loop[work.loop].append((work.future, outcome))
    for loop, told in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, told)
        except RuntimeError:  # the loop is closed: nobody waits any more
            continue


def _resolve(told: Sequence[tuple[asyncio.Future[Any], Outcome]]) -> None:
    for future, outcome in told:
        if future.done():
            continue
        if outcome.error is None:
            future.set_result(outcome.value)
        else:
            future.set_exception(outcome.error)
