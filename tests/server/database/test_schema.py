import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from engine.errors import InputError
from server.database.database import Database
from server.database.schema import known_revisions
from server.database.tables import REVISION, metadata


async def test_the_migrations_make_the_tables_that_the_program_knows(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        return list(compare_metadata(context, metadata))

    assert await database.write(differences) == []


def test_the_newest_migration_is_the_one_that_is_asked_for() -> None:
    assert known_revisions()[0] == REVISION


async def test_a_newer_database_is_refused(database_url: str) -> None:
    database = Database.open(database_url)
    await database.write(
        lambda c: c.execute(text("UPDATE alembic_version SET version_num = '9999'")).rowcount
    )
    database.close()
    with pytest.raises(InputError, match="newer Darkroom") as refused:
        Database.open(database_url)
    assert refused.value.code == "database_newer"


async def test_tables_of_somebody_else_are_not_touched(database_url: str) -> None:
    database = Database.open(database_url)
    await database.write(lambda c: c.execute(text("DROP TABLE alembic_version")).rowcount)
    database.close()
    with pytest.raises(InputError, match="not Darkroom's") as refused:
        Database.open(database_url)
    assert refused.value.code == "foreign_database"


async def test_references_hold(database: Database) -> None:
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        await database.write(
            lambda c: c.execute(text("INSERT INTO sessions VALUES ('d', 'nobody', 0, 0)")).rowcount
        )


def test_an_opened_database_needs_no_alembic(tmp_path: Path) -> None:
    path = str(tmp_path / "jobs.db")
    Database.open(path).close()
    program = (
        "import sys; from server.database.database import Database; "
        f"Database.open({path!r}).close(); print('alembic' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert said.stdout == "False\n"
