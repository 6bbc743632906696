"""Single values that outlive the server, by name."""

from typing import Any

from sqlalchemy import Connection, insert, select, update

from server.database.tables import settings


def recall(connection: Connection, name: str, default: Any = None) -> Any:
    """The JSON value of that name, or the default."""
    found = connection.execute(select(settings.c.value).where(settings.c.name == name)).first()
    return default if found is None else found[0]


def remember(connection: Connection, name: str, value: Any) -> None:
    """Keep a JSON value under a name."""
    changed = connection.execute(
        update(settings).where(settings.c.name == name).values(value=value)
    )
    if not changed.rowcount:
        connection.execute(insert(settings).values(name=name, value=value))
