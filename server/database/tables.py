"""The tables, the same in SQLite and PostgreSQL."""

import re

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text as LongText,
    TypeDecorator,
    UniqueConstraint,
    false,
)
from typing_extensions import override

REVISION = "0002"
"""The migration that makes what stands here; each change of a table is a new one."""

UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""What one of the databases refuses in a text: the null, and half of a surrogate pair."""


class Text(TypeDecorator[str]):
    """Text in which `UNSTORABLE` is replaced, also where it is only compared: then nothing equals it."""

    impl = LongText
    cache_ok = True

    @override
    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else UNSTORABLE.sub("\ufffd", value)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
# SQLite numbers rows by itself only where the column is exactly an INTEGER.
Number = BigInteger().with_variant(Integer, "sqlite")

documents = Table(
    "documents",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False, comment="JSON, compressed by zlib"),
)

# What is searched and sorted by stands first: SQLite reads a long row only as far as it has to.
jobs = Table(
    "jobs",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("state", Text, nullable=False),
    # The priority with its sign changed: one index then has the order in which jobs run.
    Column("precedence", Integer, nullable=False),
    Column("rank", Float(53), nullable=False),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("created", Float(53), nullable=False),
    Column("started", Float(53)),
    Column("finished", Float(53)),
    Column("name", Text, nullable=False),
    Column("worker", Text),
    Column("retry_of", Text),
    Column("idempotency_key", Text),
    Column("fingerprint", Text, nullable=False),
    Column("document", Text, ForeignKey("documents.digest"), nullable=False),
    Column("origin", Text, ForeignKey("documents.digest")),
    Column("webhook", Text),
    Column("wants", JSON, nullable=False),
    Column("error", JSON(none_as_null=True)),
    Column("outputs", JSON, nullable=False),
    UniqueConstraint("id"),
    UniqueConstraint("owner", "idempotency_key", name="uq_jobs_idempotency_key"),
    Index("ix_jobs_order", "state", "precedence", "rank", "number"),
    Index("ix_jobs_state", "state", "number"),
    Index("ix_jobs_owner", "owner", "state", "number"),
    Index("ix_jobs_name", "name", "state", "number"),
    Index("ix_jobs_document", "document"),
    Index("ix_jobs_origin", "origin"),
    sqlite_autoincrement=True,  # the number of a deleted job is never given again
)

job_nodes = Table(
    "job_nodes",
    metadata,
    Column("job", Number, ForeignKey("jobs.number", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("node", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("seconds", Float(53), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

stars = Table(
    "stars",
    metadata,
    Column("job", Number, ForeignKey("jobs.number", ondelete="CASCADE"), primary_key=True),
    Column("path", Text, primary_key=True, comment="the file's, as the job names it"),
    sqlite_with_rowid=False,
)

events = Table(
    "events",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=False),
    Column("type", Text, nullable=False),
    Column("job", Text, comment="its id; the job itself may be deleted"),
    Column("owner", Text, nullable=False),
    Column("time", Float(53), nullable=False),
    Column("data", JSON, nullable=False),
    Index("ix_events_job", "job", "id"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("job", Number, ForeignKey("jobs.number", ondelete="CASCADE"), nullable=False),
    Column("url", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("reason", Text),
    Index("ix_deliveries_state", "state", "id"),
    Index("ix_deliveries_job", "job"),
    sqlite_autoincrement=True,
)

settings = Table(
    "settings",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", JSON, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("name", Text, primary_key=True),
    Column("password", Text, comment="an argon2 hash; none for a user of tokens only"),
    Column("scopes", JSON, nullable=False),
    Column("created", Float(53), nullable=False),
    Column("disabled", Boolean, nullable=False, server_default=false()),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user", Text, ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
    Column("digest", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("created", Float(53), nullable=False),
    Column("expires", Float(53)),
    Column("last_used", Float(53)),
    UniqueConstraint("digest"),
    Index("ix_tokens_user", "user"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("user", Text, ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
    Column("created", Float(53), nullable=False),
    Column("expires", Float(53), nullable=False),
    Index("ix_sessions_user", "user"),
)
