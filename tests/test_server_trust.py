"""What was accepted ends once, with its file, whatever is killed meanwhile."""

import json
import os
import random
import signal
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from .serving import Served

Json = dict[str, Any]
FINAL = {"succeeded", "failed", "cancelled"}
JOBS = 50
KILLS = 3


def slow_graph(number: int) -> Json:
    """A twentieth of a second of work, and a file whose text is the job's number."""
    nodes = {
        "slow": {"type": "Slow", "version": 1, "inputs": {"number": number, "steps": 1}},
        "text": {
            "type": "Describe",
            "version": 1,
            "inputs": {"cloth": {"$link": ["dye", "value"]}, "words": f"job {number}"},
        },
        "dye": {"type": "Dye", "version": 1, "inputs": {}},
        "write": {
            "type": "Write",
            "version": 1,
            "inputs": {"text": {"$link": ["text", "value"]}, "name": f"job-{number}"},
        },
    }
    outputs = {
        "file": {"node": "write", "output": "value"},
        "number": {"node": "slow", "output": "value"},
    }
    return {"darkroom": 1, "name": "slow", "outputs": outputs, "nodes": nodes}


@pytest.mark.slow
def test_every_acknowledged_job_ends_once_under_kills(tmp_path: Path) -> None:
    chance = random.Random(1)
    served = Served(tmp_path / "data", options=("--workers", "2"))
    acknowledged: dict[str, int] = {}
    with served:
        feeding = threading.Thread(target=_feed, args=(served, acknowledged))
        feeding.start()
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.2, 1.0))
            _kill_a_worker(served, chance)
            time.sleep(chance.uniform(0.0, 0.5))
            _kill_a_worker(served, chance)
            served.kill()
            served.start()
        feeding.join(60)
        assert len(acknowledged) == JOBS
        ended = {job: served.finished(job, 90) for job in acknowledged}
        status, listed = served.call("GET", "/api/v1/jobs?limit=500")
        assert status == 200
        for job, number in acknowledged.items():
            assert ended[job]["state"] == "succeeded", ended[job]
            assert ended[job]["outputs"]["number"]["value"] == number
            (file,) = ended[job]["outputs"]["file"]["files"]
            assert (served.data / "outputs" / file["path"]).read_text().startswith(f"job {number} ")
            status, _ = served.call("HEAD", file["url"])
            assert status == 200
        repeated = {_submit(served, number)[1]["id"] for number in range(JOBS)}
        assert repeated == set(acknowledged)
    ids = [job["id"] for job in listed["jobs"]]
    assert len(ids) == len(set(ids))
    assert sorted(ids) == sorted(acknowledged)
    _check_history(tmp_path / "data", acknowledged)


def _feed(served: Served, acknowledged: dict[str, int]) -> None:
    """Submit until all are acknowledged; an answer that was lost is asked for again by its key."""
    for number in range(JOBS):
        while True:
            try:
                status, told = _submit(served, number)
            except (OSError, json.JSONDecodeError):
                time.sleep(0.05)
                continue
            if status in {200, 201}:
                acknowledged[told["id"]] = number
                break
            assert status == 503, told
            time.sleep(0.05)


def _submit(served: Served, number: int) -> tuple[int, Any]:
    key = {"Idempotency-Key": f"job-{number}"}
    return served.call("POST", "/api/v1/jobs", {"document": slow_graph(number)}, key)


def _kill_a_worker(served: Served, chance: random.Random) -> None:
    try:
        _, told = served.call("GET", "/api/v1/workers")
    except OSError:
        return
    pids = [each["pid"] for each in told["workers"] if each["pid"]]
    if pids:
        try:
            os.kill(chance.choice(pids), signal.SIGKILL)
        except ProcessLookupError:
            return


def _check_history(data: Path, acknowledged: dict[str, int]) -> None:
    """Each job has ended once in the events that were written down."""
    connection = sqlite3.connect(data / "darkroom.db")
    try:
        rows = connection.execute(
            "select job, count(*) from events where type in"
            " ('job.succeeded', 'job.failed', 'job.cancelled') group by job"
        ).fetchall()
        states = dict(connection.execute("select id, state from jobs").fetchall())
    finally:
        connection.close()
    assert set(states) == set(acknowledged)
    assert all(count == 1 for _, count in rows)
