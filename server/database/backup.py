"""Copies of a SQLite database: made while a server writes to it, and brought back while none does."""

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from engine.errors import InputError, os_reason
from server.database.engines import BUSY_SECONDS, read_url, shown
from server.database.ownership import FileOwnership
from server.database.schema import known_revisions

_BESIDE = ("-wal", "-shm", "-journal")


def backup(url: str, target: Path) -> int:
    """Copy the database into one file, in one state of it; returns the file's size.

    Works while a server has the database. A file that is there is replaced when the copy is whole.

    Raises:
        InputError: There is no such database, it is damaged, or it is PostgreSQL, which has its
            own means.
        OSError: The file cannot be written.
    """
    source = _file_of(url, "pg_dump --format=custom --file=FILE")
    if not source.is_file():
        raise InputError(f"there is no database {source}", code="no_database")
    if target.exists() and target.samefile(source):
        raise InputError(f"{target} is the database itself: name another file", code="bad_target")
    part = _beside(target)
    try:
        with _refused_if_damaged(source), _opened(source, "ro") as original:
            with _opened(part, "rwc") as copy:
                original.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
                _check(copy)
            _sync(part)
        part.replace(target)
        _sync(target.parent)
    finally:
        part.unlink(missing_ok=True)
    return target.stat().st_size


def restore(url: str, source: Path) -> None:
    """Make the database what a backup says; what it held is lost.

    A damaged database is moved aside, its name with `.damaged` behind.

    Raises:
        InputError: A server uses the database, the backup is none, or the database is PostgreSQL.
        OSError: The database cannot be written.
    """
    target = _file_of(url, "pg_restore --clean --dbname=URL FILE")
    if not source.is_file():
        raise InputError(f"there is no backup {source}", code="no_backup")
    _check_backup(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    lock = FileOwnership(target.resolve())
    try:
        with contextlib.suppress(FileNotFoundError):
            if target.samefile(source):
                raise InputError(f"{source} is the database itself", code="no_backup")
        if target.exists() and not _sound(target):
            for ending in ("", *_BESIDE):
                with contextlib.suppress(FileNotFoundError):
                    Path(f"{target}{ending}").replace(f"{target}.damaged{ending}")
        if not target.exists():
            os.close(os.open(target, os.O_RDWR | os.O_CREAT, 0o600))
        # SQLite's own transaction: a crash meanwhile leaves what was there.
        with _opened(source, "ro") as original, _opened(target, "rw") as copy:
            original.backup(copy)
        _sync(target)
    finally:
        lock.release()


def _file_of(url: str, instead: str) -> Path:
    found = read_url(url)
    if found.drivername != "sqlite":
        raise InputError(
            f"{shown(found)} is PostgreSQL, which copies itself", code="not_sqlite", hint=instead
        )
    return Path(str(found.database))


@contextlib.contextmanager
def _opened(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        yield connection
    finally:
        connection.close()


@contextlib.contextmanager
def _refused_if_damaged(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise InputError(f"the database {path} failed ({error})", code="database_fault") from error
    except sqlite3.DatabaseError as error:
        raise InputError(
            f"the database {path} is damaged ({error}): bring an earlier backup back with "
            "`darkroom jobs restore FILE`",
            code="database_damaged",
        ) from error


def _check(connection: sqlite3.Connection) -> None:
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise sqlite3.DatabaseError(str(found))


def _check_backup(source: Path) -> None:
    try:
        with _opened(source, "ro") as connection:
            _check(connection)
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise InputError(
            f"{source} is no backup of Darkroom's jobs ({error}): name another file",
            code="no_backup",
        ) from error
    if row is None or row[0] not in known_revisions():
        raise InputError(
            f"the backup {source} was made by a newer Darkroom: install that version",
            code="database_newer",
        )


def _sound(path: Path) -> bool:
    try:
        with _opened(path, "rw") as connection:
            _check(connection)
            connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.DatabaseError:
        return False
    return True


def _beside(target: Path) -> Path:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        file, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise InputError(
            f"the backup {target} cannot be written ({os_reason(error)})", code="bad_target"
        ) from error
    os.close(file)
    return Path(name)


def _sync(path: Path) -> None:
    """Have a file or folder on the disk."""
    if os.name == "nt" and path.is_dir():
        return
    file = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(file)
    finally:
        os.close(file)
