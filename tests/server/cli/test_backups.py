import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from server.cli.backups import backups as jobs
from server.database.database import Database
from server.jobs.model import Filter, NewJob
from server.jobs.queue import Jobs


def said(folder: Path, *arguments: str, answer: str = "") -> tuple[int, str]:
    environment = {"DARKROOM_DATA": str(folder), "DARKROOM_DATABASE": ""}
    result = CliRunner().invoke(jobs, arguments, env=environment, input=answer)
    return result.exit_code, result.stdout + result.stderr


@pytest.fixture
def one_job(tmp_path: Path) -> Path:
    database = Database.open(str(tmp_path / "darkroom.db"))
    asyncio.run(Jobs(database).submit([NewJob("local", {}, name="kept")]))
    database.close()
    return tmp_path


def test_jobs_are_copied_and_brought_back(one_job: Path) -> None:
    copy = one_job / "copy.db"
    status, told = said(one_job, "backup", str(copy), "--json")
    assert (status, json.loads(told)["bytes"]) == (0, copy.stat().st_size)
    assert said(one_job, "backup", str(copy), answer="n\n")[0] == 1
    assert said(one_job, "backup", str(copy), "--yes")[0] == 0
    (one_job / "darkroom.db").unlink()
    assert said(one_job, "restore", str(copy), answer="n\n")[0] == 1
    assert not (one_job / "darkroom.db").exists()
    assert said(one_job, "restore", str(copy), "--yes")[0] == 0
    database = Database.open(str(one_job / "darkroom.db"))
    page = asyncio.run(Jobs(database).find(Filter()))
    assert [job.name for job in page.jobs] == ["kept"]
    status, told = said(one_job, "restore", str(copy), "--yes")
    database.close()
    assert status == 1
    assert "in use" in told


def test_a_wrong_file_is_said_plainly(one_job: Path) -> None:
    status, told = said(one_job, "restore", str(one_job / "none.db"), "--yes")
    assert status == 1
    assert "there is no backup" in told
