"""The client against the server as it is."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from server.client import (
    ApiError,
    AsyncClient,
    Client,
    JobCancelled,
    JobFailed,
    Order,
)
from tests.serving import Served

CLOTH: dict[str, Any] = {
    "darkroom": 1,
    "name": "Cloth",
    "nodes": {
        "slow": {"type": "Slow", "inputs": {"steps": 2}},
        "dye": {"type": "Dye"},
        "describe": {"type": "Describe", "inputs": {"cloth": {"$link": ["dye", "value"]}}},
        "write": {"type": "Write", "inputs": {"text": {"$link": ["describe", "value"]}}},
    },
    "inputs": {"words": {"node": "describe", "input": "words"}},
    "outputs": {
        "number": {"node": "slow", "output": "value"},
        "file": {"node": "write", "output": "value"},
    },
}


def slow(number: float, steps: int = 100) -> dict[str, Any]:
    return {
        "darkroom": 1,
        "nodes": {"slow": {"type": "Slow", "inputs": {"number": number, "steps": steps}}},
        "outputs": {"n": {"node": "slow", "output": "value"}},
    }


FAIL: dict[str, Any] = {
    "darkroom": 1,
    "nodes": {"fail": {"type": "Fail", "inputs": {"how": "input"}}},
    "outputs": {"n": {"node": "fail", "output": "value"}},
}


def test_a_run_from_its_order_to_its_file(client: Client, folder: Path) -> None:
    job = client.run(CLOTH, words="some")
    types = [event.type for event in job.events()]

    assert types[0] == "job.queued"
    assert types[-1] == "job.succeeded"
    assert types.count("node.finished") == 4
    (path,) = job.result()["file"].save(folder)
    assert path.read_text() == "some red cloth"
    assert job.outputs["file"].bytes() == b"some red cloth"
    assert job.outputs["number"].value == 0.0
    assert {record.node: record.state for record in job.nodes()}["write"] == "ran"
    assert job.document()["nodes"]["describe"]["inputs"]["words"] == "some"


def test_the_same_key_gives_the_same_job(client: Client) -> None:
    first = client.run(CLOTH, words="key", key="one")

    assert client.run(CLOTH, words="key", key="one").id == first.id
    with pytest.raises(ApiError) as raised:
        client.run(CLOTH, words="other", key="one")
    assert raised.value.status == 409


def test_a_failure_has_its_place_and_remedy(client: Client) -> None:
    job = client.run(FAIL)

    with pytest.raises(JobFailed, match="the number is odd") as raised:
        job.result(timeout=20)

    (problem,) = raised.value.problems
    assert (problem.code, problem.node, problem.hint) == ("odd", "fail", "give 2")
    assert job.state == "failed"
    assert job.wait().problems == (problem,)


def test_a_job_is_cancelled_while_it_runs(client: Client) -> None:
    job = client.run(slow(1.5))
    for event in job.events():
        if event.type == "node.progressed":
            job.cancel()

    with pytest.raises(JobCancelled):
        job.result()
    with pytest.raises(ApiError):
        client.run(FAIL).wait().cancel()


def test_waiting_has_an_end(client: Client) -> None:
    job = client.run(slow(2.5))

    with pytest.raises(TimeoutError, match=r"is (queued|running) after 0\.2 seconds"):
        job.wait(0.2)

    job.cancel().wait()


def test_the_queue_is_paused_and_its_order_changed(client: Client) -> None:
    assert client.pause().paused
    try:
        first, second = client.submit([Order(slow(3.5, 1)), Order(slow(4.5, 1))])
        second.move("front")
        assert [job.id for job in client.jobs("queued", queue=True)] == [second.id, first.id]
        assert first.refresh().snapshot.position == 2
        first.cancel()
        assert first.state == "cancelled"
        first.cancel()
    finally:
        assert not client.resume().paused
    assert second.wait(20).state == "succeeded"


def test_jobs_are_listed_over_pages_retried_and_deleted(client: Client) -> None:
    made = client.submit([Order(slow(5.5, 1)) for _ in range(105)])
    for job in made:
        job.wait(30)

    found = list(client.jobs("succeeded"))
    assert len(found) >= 105
    assert len({job.id for job in found}) == len(found)
    again = made[0].retry()
    assert again.wait(20).snapshot.retry_of == made[0].id
    assert set(client.delete(*(job.id for job in made))) == {job.id for job in made}
    again.delete()
    with pytest.raises(ApiError) as raised:
        client.job(again.id)
    assert raised.value.status == 404


def test_questions_are_answered(client: Client) -> None:
    problems = client.validate(CLOTH, words=3)
    assert [(each.node, each.input) for each in problems] == [("describe", "words")]
    assert client.validate(CLOTH) == ()
    plan = client.plan(CLOTH, words="never before")
    assert plan.nodes["describe"].state == "run"
    assert plan.nodes["describe"].type == "Describe"
    assert list(client.explain(CLOTH, node="slow").nodes) == ["slow"]
    with pytest.raises(ApiError, match="no node 'gone'"):
        client.explain(CLOTH, node="gone")
    assert client.nodes()["Dye"]["category"] == "cloth"
    assert client.models() == []
    assert client.health().workers == 1
    assert client.queue().running == 0
    assert client.system()["nodes"] == "tests.toys"


def test_workflows_are_saved_with_their_revisions(client: Client) -> None:
    first = client.workflows.save("mine", CLOTH)
    with pytest.raises(ApiError) as raised:
        client.workflows.save("mine", CLOTH)
    assert raised.value.status == 412
    client.workflows.save("mine", CLOTH | {"name": "Other"}, revision=first.revision)

    assert client.workflows.read("mine").name == "Other"
    assert "mine" in {entry.name for entry in client.workflows.all()}
    assert "words" in client.workflows.signature("mine")["inputs"]["properties"]
    assert len(client.workflows.versions("mine")) == 2
    assert client.run("mine", words="saved").result()["file"].bytes() == b"saved red cloth"
    client.workflows.delete("mine")
    with pytest.raises(ApiError, match="no workflow 'mine'"):
        client.run("mine")


def test_a_sweep_gives_cells_with_their_labels(client: Client, folder: Path) -> None:
    job = client.run(CLOTH, axes={"dye.colour": ["red", "blue"]}, words="swept")
    output = job.result()["file"]

    assert [cell.labels for cell in output.cells] == [{"dye.colour": "red"}, {"dye.colour": "blue"}]
    assert {path.read_text() for path in output.save(folder)} == {
        "swept red cloth",
        "swept blue cloth",
    }


def test_events_of_the_server_reach_who_watches(client: Client) -> None:
    events = client.events("job")
    threading.Timer(0.3, lambda: client.run(CLOTH, words="watched")).start()

    assert next(events).type == "job.queued"
    events.close()


async def test_the_other_client_does_the_same(served: Served) -> None:
    async with AsyncClient(served.url) as client:
        jobs = await asyncio.gather(*(client.run(CLOTH, words=f"n{i}") for i in range(5)))
        outputs = [await job.result() for job in jobs]
        texts = [await each["file"].bytes() for each in outputs]

    assert texts == [f"n{i} red cloth".encode() for i in range(5)]


def test_a_restart_of_the_server_is_survived(tmp_path: Path) -> None:
    with Served(tmp_path / "data") as served, Client(served.url) as client:
        port = served.url.rpartition(":")[2]
        job = client.run(slow(9.5, 20))
        seen = []
        for event in job.events():
            seen.append(event)
            if len(seen) == 5:
                served.kill()
                served.options = ("--port", port)
                threading.Thread(target=served.start).start()

        assert job.result()["n"].value == 9.5
        ids = [event.id for event in seen]
        assert ids == sorted(set(ids))
        assert "job.requeued" in {event.type for event in seen}
