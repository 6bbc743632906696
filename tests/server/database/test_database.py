import asyncio
import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from engine.errors import InputError
from server.database.database import Database
from server.database.faults import DatabaseBusy, DatabaseDamaged, DatabaseFault, DatabaseFull
from server.database.remembered import recall, remember
from tests.server.databases import Postgres


def putting(name: str, value: object = 1) -> Callable[[Connection], None]:
    return lambda connection: remember(connection, name, value)


def getting(name: str) -> Callable[[Connection], object]:
    return lambda connection: recall(connection, name)


async def test_what_was_written_is_read(database: Database) -> None:
    await database.write(putting("a", {"x": [1, "ü\0", None]}))
    assert await database.read(getting("a")) == {"x": [1, "ü\0", None]}
    await database.write(putting("a", 2))
    assert await database.read(getting("a")) == 2


async def test_a_work_that_fails_leaves_nothing_and_spoils_no_other(database: Database) -> None:
    def fails(connection: Connection) -> None:
        remember(connection, "bad", 1)
        raise KeyError("mine")

    def wrong(connection: Connection) -> None:
        remember(connection, "wrong", 1)
        connection.execute(text("SELECT nothing FROM nowhere"))

    works = [putting("a"), fails, putting("b"), wrong, putting("c")]
    results = await asyncio.gather(*map(database.write, works), return_exceptions=True)
    assert [type(result).__name__ for result in results][::2] == ["NoneType"] * 3
    assert isinstance(results[1], KeyError)
    assert isinstance(results[3], Exception)
    assert not isinstance(results[3], DatabaseFault)
    found = [await database.read(getting(name)) for name in ("a", "b", "c", "bad", "wrong")]
    assert found == [1, 1, 1, None, None]


async def test_works_that_wait_share_a_transaction(database: Database) -> None:
    transactions = 0
    commit = database.writer.connection.dialect.do_commit

    def counted(connection: object) -> None:
        nonlocal transactions
        transactions += 1
        commit(connection)  # type: ignore[arg-type]

    database.writer.connection.dialect.do_commit = counted  # type: ignore[assignment]
    await asyncio.gather(*[database.write(putting(str(n))) for n in range(200)])
    assert transactions < 50


def waits_for_the_disk(connection: Connection) -> bool:
    if connection.dialect.name == "sqlite":
        return connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    return connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"


async def test_only_a_durable_work_waits_for_the_disk(database: Database) -> None:
    waited = [
        await database.write(waits_for_the_disk, durable=durable)
        for durable in (True, False, False, True)
    ]
    assert waited == [True, False, False, True]


async def test_what_shares_a_transaction_with_a_durable_work_is_durable(database: Database) -> None:
    held, entered = threading.Event(), threading.Event()

    def hold(_: Connection) -> None:
        entered.set()
        held.wait(10)

    first = asyncio.create_task(database.write(hold, durable=False))
    await asyncio.to_thread(entered.wait, 10)
    others = [
        asyncio.create_task(database.write(waits_for_the_disk, durable=durable))
        for durable in (False, True, False)
    ]
    await asyncio.sleep(0)  # the three wait behind the first, and go together
    held.set()
    await first
    assert await asyncio.gather(*others) == [True] * 3


async def test_readers_cannot_write(database: Database) -> None:
    with pytest.raises(Exception, match=r"read-?\s?only"):
        await database.read(putting("a"))


async def test_a_reader_sees_one_state(database: Database) -> None:
    await database.write(putting("a", 1))
    loop = asyncio.get_running_loop()

    def work(connection: Connection) -> tuple[object, object]:
        before = recall(connection, "a")
        asyncio.run_coroutine_threadsafe(database.write(putting("a", 2)), loop).result(10)
        return before, recall(connection, "a")

    assert await database.read(work) == (1, 1)


async def test_a_caller_that_left_hinders_nobody(database: Database) -> None:
    waiting = asyncio.create_task(database.write(putting("a")))
    await asyncio.sleep(0)
    waiting.cancel()
    await database.write(putting("b"))
    assert await database.read(getting("b")) == 1


async def test_closing_writes_what_waits(database_url: str) -> None:
    database = Database.open(database_url)
    waiting = [asyncio.create_task(database.write(putting(str(n)))) for n in range(300)]
    await asyncio.sleep(0)
    await asyncio.to_thread(database.close)
    await asyncio.gather(*waiting)
    with pytest.raises(DatabaseFault, match="closed"):
        await database.write(putting("late"))
    database.close()
    database = Database.open(database_url)
    assert await database.read(getting("299")) == 1
    database.close()


async def test_a_second_server_is_refused(database: Database, database_url: str) -> None:
    with pytest.raises(InputError) as refused:
        Database.open(database_url)
    assert refused.value.code == "database_in_use"
    assert str(os.getpid()) in str(refused.value)
    await database.write(putting("a"))


HOLDER = """
import sys, time
from server.database.database import Database
Database.open(sys.argv[1])
print("open", flush=True)
time.sleep(60)
"""


def test_a_killed_server_gives_the_database_up(database_url: str) -> None:
    command = [sys.executable, "-c", HOLDER, database_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(InputError, match=str(holder.pid)):
            Database.open(database_url)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        until = time.monotonic() + 10
        while True:
            try:
                Database.open(database_url).close()
                break
            except InputError:
                assert database_url.startswith("postgresql")  # it notices within moments
                assert time.monotonic() < until
                time.sleep(0.02)


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    Database.open(str(tmp_path / "new" / "jobs.db")).close()
    assert (tmp_path / "new" / "jobs.db").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("mysql://x/y", "bad_database"),
        ("sqlite://", "bad_database"),
        ("sqlite:///:memory:", "bad_database"),
        ("://", "bad_database"),
        ("postgresql://nobody:secret@127.0.0.1:1/x", "database_fault"),
    ],
)
def test_a_database_that_cannot_be_is_refused(url: str, code: str) -> None:
    with pytest.raises(InputError) as refused:
        Database.open(url)
    assert refused.value.code == code
    assert "secret" not in str(refused.value)


def test_postgres_without_its_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.database.engines.importlib.util.find_spec", lambda _: None)
    with pytest.raises(InputError) as refused:
        Database.open("postgresql://x/y")
    assert refused.value.hint == 'install it: pip install "darkroom[postgres]"'


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be opened"):
        Database.open(str(tmp_path))
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be opened"):
        Database.open(str(tmp_path / "file" / "jobs.db"))


@pytest.mark.parametrize("whole", [False, True])
def test_a_damaged_file_is_refused_with_the_remedy(tmp_path: Path, whole: bool) -> None:
    path = tmp_path / "jobs.db"
    Database.open(str(path)).close()
    made = path.read_bytes()
    damaged = b"ruin" * 4096 if whole else made[:4096] + os.urandom(8192) + made[12288:]
    path.write_bytes(damaged)
    with pytest.raises(InputError, match="darkroom jobs restore") as refused:
        Database.open(str(path))
    assert refused.value.code == "database_damaged"
    assert str(path) in str(refused.value)
    assert path.read_bytes() == damaged


async def test_damage_met_while_running_is_told(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    database = Database.open(str(path))
    try:
        await database.write(putting("a", "x" * 100_000))
        await database.write(lambda c: c.execute(text("SELECT 1")).scalar())
        with sqlite3.connect(path) as checkpoint:
            checkpoint.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        checkpoint.close()
        path.write_bytes(path.read_bytes()[:4096] + os.urandom(path.stat().st_size - 4096))
        with pytest.raises(DatabaseDamaged, match="restore"):
            await database.read(getting("a"))
    finally:
        database.close()


async def test_a_lock_held_elsewhere_fails_the_write_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.database.engines.BUSY_SECONDS", 0.1)
    database = Database.open(str(tmp_path / "jobs.db"))
    foreign = sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)
    try:
        await database.write(putting("before"))
        foreign.execute("BEGIN IMMEDIATE")
        tries = [database.write(putting(str(n))) for n in range(3)]
        failed = await asyncio.gather(*tries, return_exceptions=True)
        assert [type(error) for error in failed] == [DatabaseBusy] * 3
        assert await database.read(getting("before")) == 1
        foreign.execute("ROLLBACK")
        await database.write(putting("after"))
        assert await database.read(getting("0")) is None
    finally:
        foreign.close()
        database.close()


async def test_a_full_disk_fails_what_does_not_fit(tmp_path: Path) -> None:
    database = Database.open(str(tmp_path / "jobs.db"))
    try:
        await database.write(putting("before"))

        def limit(connection: Connection) -> None:
            pages = connection.execute(text("PRAGMA page_count")).scalar_one()
            connection.execute(text(f"PRAGMA max_page_count = {pages + 5}"))

        await database.write(limit)
        works = [putting("a"), putting("big", "x" * 10**6), putting("b")]
        results = await asyncio.gather(*map(database.write, works), return_exceptions=True)
        assert results[::2] == [None, None]
        assert isinstance(results[1], DatabaseFull)
        assert "free some space" in str(results[1])
        assert [await database.read(getting(n)) for n in ("before", "a", "b", "big")] == [
            1,
            1,
            1,
            None,
        ]
        await database.write(lambda c: c.execute(text("PRAGMA max_page_count = 100000")).scalar())
        await database.write(works[1])
    finally:
        database.close()


async def test_a_commit_that_fails_spoils_nothing_after_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialect = database.writer.connection.dialect

    def full(connection: object) -> None:
        monkeypatch.undo()
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(dialect, "do_commit", full)
    with pytest.raises(Exception, match="disk is full"):
        await database.write(putting("a"))
    await database.write(putting("b"))
    assert await database.read(getting("a")) is None
    assert await database.read(getting("b")) == 1


async def test_a_transaction_that_the_database_ended_is_repeated_work_by_work(
    database: Database,
) -> None:
    if database.lock is None:
        pytest.skip("only SQLite ends a transaction by itself")

    def ends(connection: Connection) -> None:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        driver.rollback()
        raise DatabaseFull("full")

    works = [putting("a"), ends, putting("b")]
    results = await asyncio.gather(*map(database.write, works), return_exceptions=True)
    assert results[::2] == [None, None]
    assert isinstance(results[1], DatabaseFull)
    assert await database.read(getting("a")) == await database.read(getting("b")) == 1


async def test_a_lost_connection_is_made_again(postgres: Postgres) -> None:
    import psycopg

    database = Database.open(postgres.make())
    try:
        await database.write(putting("before"))
        with psycopg.connect(postgres.url("postgres"), autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name LIKE 'darkroom%'"
            )
        until = time.monotonic() + 10
        while True:
            try:
                await database.write(putting("after"))
                break
            except DatabaseFault:
                assert time.monotonic() < until
        assert await database.read(getting("before")) == 1
        with pytest.raises(InputError, match="in use"):
            Database.open(str(database.url))
    finally:
        database.close()


def test_the_lock_is_the_systems(tmp_path: Path) -> None:
    database = Database.open(str(tmp_path / "jobs.db"))
    with (tmp_path / "jobs.db.lock").open("r+") as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        database.close()
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with pytest.raises(InputError, match="in use"):
            Database.open(str(tmp_path / "jobs.db"))


async def test_a_commit_that_fails_spoils_no_later_one(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialect = database.writing.dialect
    commit, fails = dialect.do_commit, [True]

    def do_commit(connection: object) -> None:
        if fails:
            fails.pop()
            raise dialect.loaded_dbapi.OperationalError("disk I/O error")
        commit(connection)  # type: ignore[arg-type]

    monkeypatch.setattr(dialect, "do_commit", do_commit)
    with pytest.raises(DatabaseFault):
        await database.write(putting("lost"))
    assert isinstance(database.fault, DatabaseFault)
    await database.write(putting("kept"))
    assert database.fault is None
    assert await database.read(getting("lost")) is None
    assert await database.read(getting("kept")) == 1


async def test_a_closed_database_says_so(database_url: str) -> None:
    opened = Database.open(database_url)
    opened.close()
    with pytest.raises(DatabaseFault, match="stopping"):
        await opened.read(getting("a"))
