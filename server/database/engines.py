"""SQLAlchemy engines for a database's URL."""

import importlib.util
import json
import os
import socket
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool

from engine.errors import InputError

BUSY_SECONDS = 5.0
"""How long a statement waits for the lock of another program."""
DURABLE = "durable"
"""In a connection's `info`: whether its next transactions wait for the disk; they do if it is not there."""
_SYNCED = "synced"
_PRAGMAS = ("foreign_keys = ON", "synchronous = FULL", "temp_store = MEMORY")
_WAL_BYTES = 64 * 2**20
# The other side is found dead within a minute, so that its lock does not outlive it.
_KEEP_ALIVE = "-c tcp_keepalives_idle=20 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=4"


def read_url(text: str) -> URL:
    """The URL of a database: a path, `sqlite:///…` or `postgresql://…`.

    Raises:
        InputError: It is of another kind, names no file, or its driver is not installed.
    """
    if "://" not in text:
        return URL.create("sqlite", database=str(Path(text).expanduser().absolute()))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise InputError(
            "the database's URL cannot be read: give sqlite:///FILE or postgresql://USER@HOST/NAME",
            code="bad_database",
        ) from None
    if url.drivername == "sqlite":
        if url.database in (None, "", ":memory:"):
            raise InputError(
                f"{text} names no file: jobs are kept, give sqlite:///FILE", code="bad_database"
            )
        return url.set(database=str(Path(str(url.database)).expanduser().absolute()))
    if url.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        if importlib.util.find_spec("psycopg") is None:
            raise InputError(
                "PostgreSQL needs a driver that is not installed",
                code="no_driver",
                hint='install it: pip install "darkroom[postgres]"',
            )
        return url.set(drivername="postgresql+psycopg")
    raise InputError(
        f"{url.drivername}:// is no database that is known: give sqlite:///FILE or postgresql://…",
        code="bad_database",
    )


def shown(url: URL) -> str:
    """The database's name for messages: its file, or its URL without the password."""
    if url.drivername == "sqlite":
        return str(url.database)
    return url.set(password=None, query={}).render_as_string().replace("+psycopg", "")


def make_engine(url: URL, *, writes: bool, connections: int = 1) -> Engine:
    """An engine whose transactions may write, or see one state of the database and only read."""
    options: dict[str, Any] = {
        "poolclass": QueuePool,
        "pool_size": connections,
        "max_overflow": 0,
        "json_serializer": partial(json.dumps, separators=(",", ":"), allow_nan=False),
    }
    if url.drivername == "sqlite":
        arguments = {"check_same_thread": False, "timeout": BUSY_SECONDS}
        engine = create_engine(url, connect_args=arguments, **options)
        event.listen(engine, "connect", partial(_set_up_sqlite, writes=writes))
        event.listen(engine, "begin", _begin_writing_sqlite if writes else _begin_reading_sqlite)
        return engine
    isolation = "READ COMMITTED" if writes else "REPEATABLE READ"
    engine = create_engine(
        url,
        connect_args={"application_name": _myself(), "options": _KEEP_ALIVE, "connect_timeout": 10},
        isolation_level=isolation,
        pool_pre_ping=not writes,
        execution_options={} if writes else {"postgresql_readonly": True},
        **options,
    )
    if writes:
        event.listen(engine, "begin", _begin_writing_postgres)
    return engine


def _set_up_sqlite(connection: Any, _: object, *, writes: bool) -> None:
    # The driver's own idea of transactions breaks savepoints: it is switched off,
    # and `begin` opens them in plain words.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    if writes:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
    else:
        connection.execute("PRAGMA query_only = ON")


def _begin_reading_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_writing_sqlite(connection: Connection) -> None:
    durable = connection.info.get(DURABLE, True)
    if connection.info.get(_SYNCED, True) != durable:  # outside of transactions only it has effect
        connection.exec_driver_sql(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        connection.info[_SYNCED] = durable
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_writing_postgres(connection: Connection) -> None:
    if not connection.info.get(DURABLE, True):
        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")


def _myself() -> str:
    return f"darkroom {os.getpid()} on {socket.gethostname()}"[:63]
