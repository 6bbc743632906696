"""Users, in the database."""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from engine.errors import InputError
from server.database.tables import sessions, tokens, users
from server.homes import LOCAL

from .principal import Scope, in_order, read_scopes

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,30}[a-z0-9])?", re.ASCII)
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{kind}{n}" for kind in ("com", "lpt") for n in range(10))]
)
"""What Windows takes for devices, whatever follows the first dot."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may come in."""

    name: str
    scopes: frozenset[Scope]
    created: float
    disabled: bool = False
    password: str | None = None
    """Its hash; none for a user of tokens only."""


def check_name(name: str) -> str:
    """The name, if it can be a user's: it becomes the name of a folder.

    Raises:
        InputError: It cannot.
    """
    taken = name == LOCAL or name.split(".", 1)[0] in _DEVICES or ".." in name
    if taken or _NAME.fullmatch(name) is None:
        raise InputError(
            f"{name[:64]!r} cannot be a user's name: give up to 32 small letters, digits and "
            f"._- between them, and not {LOCAL!r} or a device's name",
            code="bad_user",
            input="user",
        )
    return name


def add_user(
    connection: Connection, name: str, scopes: Iterable[str], password: str | None = None
) -> User:
    """Add a user; `password` is a hash.

    Raises:
        InputError: The name will not do or is taken, or a scope is not known.
    """
    check_name(name)
    if find_user(connection, name) is not None:
        raise InputError(f"there is a user {name!r} already", code="user_exists")
    user = User(name, read_scopes(scopes), time.time(), password=password)
    connection.execute(
        insert(users).values(
            name=name,
            password=password,
            scopes=in_order(user.scopes),
            created=user.created,
            disabled=False,
        )
    )
    return user


def find_user(connection: Connection, name: str) -> User | None:
    """The user of that name, if there is one."""
    row = connection.execute(select(users).where(users.c.name == name)).first()
    return None if row is None else _user(row)


def list_users(connection: Connection) -> list[User]:
    """All users by name."""
    return [_user(row) for row in connection.execute(select(users).order_by(users.c.name))]


def count_users(connection: Connection) -> int:
    """How many users there are."""
    return connection.scalar(select(func.count()).select_from(users)) or 0


def change_user(
    connection: Connection,
    name: str,
    *,
    password: str | None = None,
    scopes: Iterable[str] | None = None,
    disabled: bool | None = None,
) -> User:
    """Change a user. A new password, and being disabled, end the user's logins.

    Raises:
        InputError: There is no such user, or a scope is not known.
    """
    known(connection, name)
    values: dict[str, object] = {}
    if password is not None:
        values["password"] = password
    if scopes is not None:
        values["scopes"] = in_order(read_scopes(scopes))
    if disabled is not None:
        values["disabled"] = disabled
    if values:
        connection.execute(update(users).where(users.c.name == name).values(**values))
    if password is not None or disabled:
        connection.execute(delete(sessions).where(sessions.c.user == name))
    return known(connection, name)


def remove_user(connection: Connection, name: str) -> None:
    """Remove a user with their tokens and logins. Their files and jobs stay.

    Raises:
        InputError: There is no such user.
    """
    known(connection, name)
    for table in (sessions, tokens):
        connection.execute(delete(table).where(table.c.user == name))
    connection.execute(delete(users).where(users.c.name == name))


def known(connection: Connection, name: str) -> User:
    """The user of that name.

    Raises:
        InputError: There is none.
    """
    user = find_user(connection, name)
    if user is None:
        raise InputError(f"there is no user {name[:64]!r}", code="no_user", input="user")
    return user


def _user(row: Row[tuple[object, ...]]) -> User:
    return User(row.name, frozenset(row.scopes), row.created, bool(row.disabled), row.password)
