"""Logins of browsers: what is behind the cookie."""

import secrets
import time

from sqlalchemy import Connection, delete, insert, select

from server.database.tables import sessions

from .tokens import DAY, digest_of


def begin_session(connection: Connection, user: str, days: float) -> str:
    """Begin a login; returns what the cookie holds. Logins that are over are forgotten."""
    now = time.time()
    text = secrets.token_hex(32)
    connection.execute(delete(sessions).where(sessions.c.expires <= now))
    connection.execute(
        insert(sessions).values(
            digest=digest_of(text), user=user, created=now, expires=now + days * DAY
        )
    )
    return text


def find_session(connection: Connection, digest: str) -> tuple[str, float] | None:
    """Whose login it is and when it ends, if it has not."""
    row = connection.execute(
        select(sessions.c.user, sessions.c.expires).where(sessions.c.digest == digest)
    ).first()
    return None if row is None or row.expires <= time.time() else (row.user, row.expires)


def end_session(connection: Connection, digest: str) -> None:
    """End a login."""
    connection.execute(delete(sessions).where(sessions.c.digest == digest))
