"""What goes wrong in a database while it is used, told by what can be done about it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, OperationalError

from engine.errors import EngineError


class DatabaseFault(EngineError):  # noqa: N818 - one word per idea: a fault
    """The database did not do what it was asked for; what was acknowledged before is safe."""

    code = "database_fault"


class DatabaseBusy(DatabaseFault):
    """Another program holds the database's lock. The same request may succeed later."""

    code = "database_busy"


class DatabaseFull(DatabaseFault):
    """There is no room for what was to be written."""

    code = "database_full"


class DatabaseDamaged(DatabaseFault):
    """The database's file is not what was written."""

    code = "database_damaged"


_SQLITE: dict[str, type[DatabaseFault]] = {
    "SQLITE_BUSY": DatabaseBusy,
    "SQLITE_LOCKED": DatabaseBusy,
    "SQLITE_FULL": DatabaseFull,
    "SQLITE_CORRUPT": DatabaseDamaged,
    "SQLITE_NOTADB": DatabaseDamaged,
    "SQLITE_IOERR": DatabaseFault,
    "SQLITE_CANTOPEN": DatabaseFault,
    "SQLITE_READONLY": DatabaseFault,
}
_POSTGRES: dict[str, type[DatabaseFault]] = {
    "40": DatabaseBusy,  # deadlock, serialization
    "55": DatabaseBusy,  # lock not available
    "53": DatabaseFull,  # disk full, out of memory, too many connections
    "XX": DatabaseDamaged,
    "08": DatabaseFault,  # connection lost
    "57": DatabaseFault,  # shutting down
    "58": DatabaseFault,  # the system's own error
}
_REMEDIES: dict[type[DatabaseFault], str] = {
    DatabaseBusy: "another program holds its lock: end what else has it open, then ask again",
    DatabaseFull: "there is no room left: free some space, then ask again",
    DatabaseDamaged: "it is damaged: stop the server and bring a backup back with "
    "`darkroom jobs restore FILE`",
    DatabaseFault: "see that the database can be reached and written, then ask again",
}


def fault_of(error: BaseException, name: str) -> DatabaseFault | None:
    """The fault behind an exception of the driver; None if it is the asker's own mistake."""
    if not isinstance(error, DBAPIError):
        return None
    kind = _kind(error)
    if kind is None:
        return None
    reason = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else "no reason"
    fault = kind(f"the database {name} failed ({reason}): {_REMEDIES[kind]}")
    fault.__cause__ = error
    return fault


@contextmanager
def told_as_faults(name: str) -> Iterator[None]:
    """Raise the driver's errors as faults of the database called `name`."""
    try:
        yield
    except DBAPIError as error:
        fault = fault_of(error, name)
        if fault is None:
            raise
        raise fault from error


def _kind(error: DBAPIError) -> type[DatabaseFault] | None:
    sqlite = getattr(error.orig, "sqlite_errorname", None)
    if sqlite is not None:
        return _SQLITE.get("_".join(sqlite.split("_")[:2]))
    state = getattr(error.orig, "sqlstate", None)
    if state is not None and state[:2] in _POSTGRES:
        return _POSTGRES[state[:2]]
    unreachable = state is None and isinstance(error, OperationalError)
    return DatabaseFault if unreachable or error.connection_invalidated else None
