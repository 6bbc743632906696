"""The database's revision, and bringing it to the one that this program knows.

Alembic is imported only if there is something to do. To change a table: change `tables.py`, add
`migrations/versions/NAME.py` with the next revision, and put that into `tables.REVISION`.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from engine.errors import InputError
from server.database.tables import REVISION, metadata

MIGRATIONS = Path(__file__).parent / "migrations"
_CHECKED_BYTES = 32 * 2**20


def revision_of(connection: Connection) -> str | None:
    """The revision of a database; None if it has none of Darkroom's tables.

    Raises:
        InputError: It has tables of the same names from somewhere else.
    """
    with connection.begin():
        names = set(inspect(connection).get_table_names())
        if "alembic_version" in names:
            found = connection.scalar(text("SELECT version_num FROM alembic_version"))
            if found is not None:
                return str(found)
        foreign = sorted(names & set(metadata.tables))
    if foreign:
        raise InputError(
            f"the database has tables that are not Darkroom's ({', '.join(foreign)}): give another",
            code="foreign_database",
        )
    return None


def bring_up_to_date(connection: Connection, name: str) -> None:
    """Make the tables, or change them to the form that this program knows.

    Raises:
        InputError: The database is damaged, newer, or not Darkroom's.
    """
    if connection.dialect.name == "sqlite":
        _check(connection, name)
    found = revision_of(connection)
    if found != REVISION:
        _upgrade(connection, found, name)


def known_revisions() -> list[str]:
    """Every revision that this program can bring up to date."""
    from alembic.script import ScriptDirectory

    return [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]


def _upgrade(connection: Connection, found: str | None, name: str) -> None:
    from alembic import command
    from alembic.config import Config

    if found is not None and found not in known_revisions():
        raise InputError(
            f"the database {name} was made by a newer Darkroom (revision {found}; this one knows "
            f"{REVISION}): install that version, or bring back a backup of this one",
            code="database_newer",
        )
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        # Changing a table there means a copy in its place; the references to it must bear that.
        _pragma(connection, "foreign_keys = OFF")
    try:
        with connection.begin():
            command.upgrade(config, "head")
    finally:
        if sqlite:
            _pragma(connection, "foreign_keys = ON")


def _check(connection: Connection, name: str) -> None:
    with connection.begin():
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        size = connection.exec_driver_sql("PRAGMA page_size").scalar_one() * pages
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
        faults = "ok"
        if size <= _CHECKED_BYTES:  # within 50 ms; a larger one shows its faults when read
            faults = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
    if faults != "ok":
        raise InputError(
            f"the database {name} is damaged ({faults}): bring a backup back with "
            "`darkroom jobs restore FILE`, or move the file away to begin anew",
            code="database_damaged",
        )
    if mode != "wal":
        raise InputError(
            f"the database {name} lies where SQLite cannot keep its log: put it on a local disk",
            code="bad_database",
        )


def _pragma(connection: Connection, pragma: str) -> None:
    # Within a transaction it would have no effect, and SQLAlchemy would begin one.
    driver = connection.connection.dbapi_connection
    if driver is not None:
        driver.cursor().execute(f"PRAGMA {pragma}")
