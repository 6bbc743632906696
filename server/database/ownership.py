"""One server for each database: a lock that the system frees when its holder dies.

No clock takes part: times are only shown.
"""

import contextlib
import json
import os
import socket
import sys
import time
from pathlib import Path

from sqlalchemy import Connection, text

from engine.errors import InputError

_POSTGRES_KEY = 0x6461726B726F6F6D  # "darkroom"
_HOLDER = text(
    "SELECT application_name, pid FROM pg_stat_activity JOIN pg_locks USING (pid) "
    "WHERE locktype = 'advisory' AND granted AND objsubid = 1 "
    "AND classid = :high AND objid = :low"
)
_REMEDY = "stop that server first, or give this one another database"


class FileOwnership:
    """The lock beside a SQLite file, held from its making to `release` or the process's end."""

    def __init__(self, database: Path) -> None:
        """Take the lock.

        Raises:
            InputError: Another server has it.
        """
        self.path = database.with_name(database.name + ".lock")
        self.file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        if not _locked(self.file):
            holder = _holder(self.path)
            os.close(self.file)
            raise InputError(
                f"the database {database} is in use by {holder}",
                code="database_in_use",
                hint=_REMEDY,
            )
        holder = json.dumps(
            {
                "pid": os.getpid(),
                "host": socket.gethostname(),
                "since": time.strftime("%Y-%m-%d %H:%M:%S"),
            }
        )
        os.ftruncate(self.file, 0)
        os.write(self.file, holder.encode())

    def release(self) -> None:
        """Let another server have the database. The file stays: removing it would be a race."""
        os.close(self.file)


_TRY = text("SELECT pg_try_advisory_lock(:key)")
_PATIENCE = 2.0
"""Seconds in which PostgreSQL may notice that the last owner is gone."""


def own_postgres(connection: Connection, name: str) -> None:
    """Take the lock of a PostgreSQL database for as long as this connection lives.

    Raises:
        InputError: Another server has it.
    """
    until = time.monotonic() + _PATIENCE
    with connection.begin():
        while not connection.scalar(_TRY, {"key": _POSTGRES_KEY}):
            if time.monotonic() > until:
                break
            time.sleep(0.05)
        else:
            return
        key = {"high": _POSTGRES_KEY >> 32, "low": _POSTGRES_KEY & 0xFFFFFFFF}
        row = connection.execute(_HOLDER, key).first()
    holder = f"{row[0] or 'a program'} (session {row[1]} of the database)" if row else "a server"
    raise InputError(
        f"the database {name} is in use by {holder}", code="database_in_use", hint=_REMEDY
    )


def _holder(path: Path) -> str:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        told = json.loads(path.read_text(encoding="utf-8"))
        return f"process {told['pid']} on {told['host']}, since {told['since']}"
    return "another process"


if sys.platform == "win32":
    import msvcrt

    def _locked(file: int) -> bool:
        # Far beyond the text, which others have to be able to read.
        os.lseek(file, 2**30, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        os.lseek(file, 0, os.SEEK_SET)
        return True
else:
    import fcntl

    def _locked(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
