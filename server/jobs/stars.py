"""The delivered files that somebody marked with a star."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from server.database.tables import stars

Star = tuple[int, str]
"""The number of a job, and the path of a file of it."""


def starred(connection: Connection, numbers: Sequence[int]) -> set[Star]:
    """The stars of these jobs."""
    found = select(stars.c.job, stars.c.path).where(stars.c.job.in_(numbers))
    return {(row.job, row.path) for row in connection.execute(found)}


def mark(connection: Connection, job: int, path: str, *, starred: bool) -> None:
    """Give a file a star, or take it away; it may have been so before."""
    connection.execute(delete(stars).where(stars.c.job == job, stars.c.path == path))
    if starred:
        connection.execute(insert(stars).values(job=job, path=path))
