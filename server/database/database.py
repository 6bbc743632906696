"""The opened database."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL

from engine.errors import InputError, os_reason
from server.database.engines import make_engine, read_url, shown
from server.database.faults import DatabaseFault, told_as_faults
from server.database.ownership import FileOwnership, own_postgres
from server.database.schema import bring_up_to_date
from server.database.writer import Writer

T = TypeVar("T")
READERS = 3


class Database:
    """What a server remembers. `write` and `read` take functions over a SQLAlchemy connection."""

    def __init__(
        self, url: URL, engines: tuple[Engine, Engine], writer: Writer, lock: FileOwnership | None
    ) -> None:
        self.url = url
        self.name = shown(url)
        self.writing, self.reading = engines
        self.writer = writer
        self.lock = lock
        self.readers = ThreadPoolExecutor(READERS, thread_name_prefix="database-reader")

    @classmethod
    def open(cls, url: str) -> "Database":
        """The database, owned by this server and brought up to date.

        Args:
            url: A path, `sqlite:///…` or `postgresql://…`.

        Raises:
            InputError: Another server uses it, it is damaged, newer than this program, or cannot
                be opened at all.
        """
        found = read_url(url)
        with contextlib.ExitStack() as undo:
            lock = None
            if found.drivername == "sqlite":
                lock = _own_file(Path(str(found.database)))
                undo.callback(lock.release)
            engines = (
                make_engine(found, writes=True),
                make_engine(found, writes=False, connections=READERS),
            )
            for engine in engines:
                undo.callback(engine.dispose)

            def connect() -> Connection:
                connection = engines[0].connect()
                try:
                    if lock is None:
                        own_postgres(connection, shown(found))
                except BaseException:
                    connection.invalidate()
                    connection.close()
                    raise
                return connection

            try:
                with told_as_faults(shown(found)):
                    writer = Writer(shown(found), connect)
                    undo.callback(writer.close)
                    bring_up_to_date(writer.connection, shown(found))
            except DatabaseFault as fault:
                raise InputError(str(fault), code=fault.code) from fault
            undo.pop_all()
            return cls(found, engines, writer, lock)

    async def write(self, work: Callable[[Connection], T], *, durable: bool = True) -> T:
        """What `work` returns, once what it wrote is durable.

        It runs in a transaction of its own in effect: if it raises, nothing of it stays. It may
        be run twice, so it must change nothing but the database.

        Args:
            work: What to do.
            durable: Whether it must outlive a loss of power. What need not still outlives the
                program, is on the disk with the next that must, and spares the wait for the disk.

        Raises:
            DatabaseFault: The database could not do it.
        """
        result: T = await self.writer.write(work, durable=durable)
        return result

    async def read(self, work: Callable[[Connection], T]) -> T:
        """What `work` finds in one state of the database.

        Raises:
            DatabaseFault: The database could not be read.
        """
        if self.writer.closed:
            raise DatabaseFault(f"the database {self.name} is closed: the server is stopping")
        return await asyncio.get_running_loop().run_in_executor(self.readers, self._read, work)

    @property
    def fault(self) -> DatabaseFault | None:
        """Why the last writing failed; None if it did not."""
        return self.writer.fault

    def close(self) -> None:
        """Write what waits, and give the database up."""
        self.writer.close()
        self.readers.shutdown()
        self.reading.dispose()
        self.writing.dispose()
        if self.lock is not None:
            self.lock.release()
            self.lock = None

    def _read(self, work: Callable[[Connection], T]) -> T:
        with told_as_faults(self.name), self.reading.connect() as connection, connection.begin():
            return work(connection)


def _own_file(path: Path) -> FileOwnership:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileOwnership(path.resolve())
        try:
            # It holds the digests of passwords: nobody else may read it.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError:
            lock.release()
            raise
    except OSError as error:
        raise InputError(
            f"the database {path} cannot be opened ({os_reason(error)}): allow reading and writing "
            "there, or name another",
            code="bad_database",
        ) from error
    return lock
