"""The database of users for a command, also while a server has it."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from engine.errors import InputError
from server.database.database import Database
from server.database.engines import make_engine, read_url

T = TypeVar("T")


def change_beside(url: str, work: Callable[[Connection], T]) -> T:
    """What `work` returns, once what it wrote is durable. A server sees it within seconds.

    Raises:
        InputError: The database cannot be used, or `work` says so.
    """
    try:
        database = Database.open(url)
    except InputError as error:
        if error.code != "database_in_use":
            raise
    else:
        try:
            return asyncio.run(database.write(work))
        finally:
            database.close()
    # A server has it, and has made its tables. Users are not what it keeps in memory.
    engine = make_engine(read_url(url), writes=True)
    try:
        with engine.begin() as connection:
            return work(connection)
    finally:
        engine.dispose()
