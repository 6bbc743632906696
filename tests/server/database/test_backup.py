import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from engine.errors import InputError
from server.database.backup import backup, restore
from server.database.database import Database
from server.jobs.model import Filter, NewJob
from server.jobs.queue import Jobs


async def names(path: Path) -> list[str]:
    database = Database.open(str(path))
    try:
        return [job.name for job in (await Jobs(database).find(Filter(), 1000)).jobs]
    finally:
        database.close()


async def test_a_backup_made_while_jobs_arrive_can_be_brought_back(tmp_path: Path) -> None:
    path, copy = tmp_path / "jobs.db", tmp_path / "backups" / "copy.db"
    database = Database.open(str(path))
    jobs = Jobs(database)
    arriving = asyncio.gather(
        *[jobs.submit([NewJob("ada", {"n": n}, name=str(n))]) for n in range(300)]
    )
    await asyncio.sleep(0.05)
    acknowledged = (await jobs.find(Filter())).total
    size = await asyncio.to_thread(backup, str(path), copy)
    await arriving
    with pytest.raises(InputError) as refused:
        restore(str(path), copy)
    assert refused.value.code == "database_in_use"
    database.close()
    assert size == copy.stat().st_size
    assert [file.name for file in copy.parent.iterdir()] == ["copy.db"]
    restore(str(path), copy)
    found = await names(path)
    assert acknowledged <= len(found) <= 300
    assert found == [str(n) for n in reversed(range(len(found)))]


async def test_a_damaged_database_is_replaced_and_kept_aside(tmp_path: Path) -> None:
    path, copy = tmp_path / "jobs.db", tmp_path / "copy.db"
    database = Database.open(str(path))
    await Jobs(database).submit([NewJob("ada", {}, name="kept")])
    database.close()
    backup(f"sqlite:///{path}", copy)
    path.write_bytes(b"ruin" * 5000)
    with pytest.raises(InputError, match="is damaged"):
        backup(str(path), copy)
    restore(str(path), copy)
    assert await names(path) == ["kept"]
    assert (tmp_path / "jobs.db.damaged").read_bytes() == b"ruin" * 5000


async def test_a_backup_is_brought_where_nothing_is(tmp_path: Path) -> None:
    Database.open(str(tmp_path / "jobs.db")).close()
    backup(str(tmp_path / "jobs.db"), tmp_path / "copy.db")
    restore(str(tmp_path / "elsewhere" / "new.db"), tmp_path / "copy.db")
    assert await names(tmp_path / "elsewhere" / "new.db") == []


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    Database.open(str(path)).close()
    before = path.read_bytes()
    (tmp_path / "text").write_text("no database")
    (tmp_path / "empty").write_text("")
    for name in ("text", "empty", "none"):
        with pytest.raises(InputError) as refused:
            restore(str(path), tmp_path / name)
        assert refused.value.code == "no_backup"
    assert path.read_bytes() == before


async def test_a_newer_backup_is_refused(tmp_path: Path) -> None:
    database = Database.open(str(tmp_path / "newer.db"))
    await database.write(
        lambda c: c.execute(text("UPDATE alembic_version SET version_num = '9999'")).rowcount
    )
    database.close()
    with pytest.raises(InputError, match="newer"):
        restore(str(tmp_path / "jobs.db"), tmp_path / "newer.db")
    assert not (tmp_path / "jobs.db").exists()


def test_postgres_is_copied_by_its_own_programs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="PostgreSQL") as refused:
        backup("postgresql://ada:secret@host/jobs", tmp_path / "copy.db")
    assert refused.value.hint is not None
    assert refused.value.hint.startswith("pg_dump")
    with pytest.raises(InputError, match="PostgreSQL"):
        restore("postgresql://host/jobs", tmp_path / "copy.db")


def test_the_database_is_not_its_own_backup(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    with pytest.raises(InputError, match="no database"):
        backup(str(path), path)
    Database.open(str(path)).close()
    with pytest.raises(InputError, match="itself"):
        backup(str(path), path)
    with pytest.raises(InputError, match="itself"):
        restore(str(path), path)
