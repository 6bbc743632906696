"""Tokens that programs show: kept as digests, so that the database gives none away."""

import hashlib
import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Row, delete, insert, select, update

from engine.errors import InputError
from server.database.tables import tokens

from .principal import Scope, in_order, read_scopes
from .users import known

DAY = 86_400.0
FORM = re.compile(r"dr_([0-9a-f]{12})_[0-9a-f]{64}", re.ASCII)
"""`dr_`, the token's id, and its secret."""


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token."""

    id: str
    user: str
    label: str
    scopes: frozenset[Scope]
    created: float
    expires: float | None
    last_used: float | None
    digest: str

    def expired(self, now: float) -> bool:
        """Whether its time is over."""
        return self.expires is not None and now >= self.expires


def add_token(
    connection: Connection,
    user: str,
    *,
    label: str = "",
    scopes: Iterable[str] | None = None,
    days: float | None = None,
    until: float | None = None,
) -> tuple[Token, str]:
    """Make a token for a user; its text is told this once and kept nowhere.

    Args:
        connection: To the database.
        user: Whose programs are to show it.
        label: What it is for.
        scopes: What it may do; if left out, all that the user may.
        days: How long it lasts; if left out, for ever.
        until: When it ends at the latest, whatever `days` say.

    Raises:
        InputError: There is no such user, or the token would be allowed more than the user.
    """
    owner = known(connection, user)
    chosen = owner.scopes if scopes is None else read_scopes(scopes)
    beyond = in_order(chosen - owner.scopes)
    if beyond:
        raise InputError(
            f"{user!r} has no scope {beyond[0]!r}, and a token has none but its user's: leave it out",
            code="bad_scope",
            input="scopes",
        )
    if days is not None and not 0 < days <= 36_500:
        raise InputError("a token lasts more than 0 days", code="bad_value", input="days")
    now = time.time()
    ends = [end for end in (None if days is None else now + days * DAY, until) if end is not None]
    number = secrets.token_hex(6)
    text = f"dr_{number}_{secrets.token_hex(32)}"
    made = Token(
        number,
        user,
        label[:200],
        chosen,
        now,
        min(ends, default=None),
        None,
        digest_of(text),
    )
    connection.execute(
        insert(tokens).values(
            id=number,
            user=user,
            digest=made.digest,
            label=made.label,
            scopes=in_order(chosen),
            created=now,
            expires=made.expires,
        )
    )
    return made, text


def find_token(connection: Connection, id: str) -> Token | None:
    """The token of that id, if there is one, expired or not."""
    row = connection.execute(select(tokens).where(tokens.c.id == id)).first()
    return None if row is None else _token(row)


def list_tokens(connection: Connection, user: str | None = None) -> list[Token]:
    """The tokens of a user, or of all, the oldest first."""
    query = select(tokens).order_by(tokens.c.created, tokens.c.id)
    if user is not None:
        query = query.where(tokens.c.user == user)
    return [_token(row) for row in connection.execute(query)]


def remove_token(connection: Connection, id: str, user: str | None = None) -> None:
    """Remove a token, if given only one of that user.

    Raises:
        InputError: There is no such token.
    """
    found = find_token(connection, id)
    if found is None or user not in {None, found.user}:
        raise InputError(f"there is no token {id[:64]!r}", code="no_token", input="id")
    connection.execute(delete(tokens).where(tokens.c.id == id))


def note_use(connection: Connection, id: str, when: float) -> None:
    """Write down that a token was used."""
    connection.execute(update(tokens).where(tokens.c.id == id).values(last_used=when))


def digest_of(text: str) -> str:
    """What is kept of a secret. It is random and long, so that no slow hash is needed."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _token(row: Row[tuple[object, ...]]) -> Token:
    return Token(
        row.id,
        row.user,
        row.label,
        frozenset(row.scopes),
        row.created,
        row.expires,
        row.last_used,
        row.digest,
    )
