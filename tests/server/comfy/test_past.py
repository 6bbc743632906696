"""The history, and the list of jobs."""

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from .graphs import text_to_image
from .studio import Studio
from .test_prompts import history, send

Json = dict[str, Any]
Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def ended(client: Client, studio: Studio) -> list[str]:
    """Five prompts that ran, the oldest first."""
    studio.held.set()
    ids = [f"job-{number}" for number in range(5)]
    for number, prompt_id in enumerate(ids):
        extra = {"extra_pnginfo": {"workflow": {"id": f"w{number % 2}"}}}
        await send(client, text_to_image(seed=number), prompt_id=prompt_id, extra_data=extra)
        await history(client, prompt_id)
    return ids


async def listed(client: Client, query: str = "") -> list[str]:
    return list(await (await client.get(f"/history{query}")).json())


PARTS = {
    "": slice(None),
    "?max_items=2": slice(3, 5),
    "?max_items=2&offset=0": slice(0, 2),
    "?max_items=2&offset=1": slice(1, 3),
    "?max_items=9&offset=3": slice(3, 5),
    "?offset=4": slice(4, 5),
    "?offset=9": slice(0, 0),
    "?max_items=0": slice(0, 0),
    "?max_items=many": slice(None),
}


async def test_the_history_is_told_in_parts(client: Client, ended: list[str]) -> None:
    assert {query: await listed(client, query) for query in PARTS} == {
        query: ended[chosen] for query, chosen in PARTS.items()
    }


async def test_an_entry_tells_what_was_stored(client: Client, studio: Studio) -> None:
    studio.stored = ("LoadCheckpoint",)
    studio.held.set()
    await send(client, text_to_image(), prompt_id="mine")
    entry = await history(client, "mine")
    assert entry["status"]["messages"][1][1]["nodes"] == ["4"]
    assert entry["meta"]["9"]["real_node_id"] == "9"
    assert (await (await client.get("/history/unknown")).json()) == {}


async def test_what_still_runs_is_no_history(client: Client, studio: Studio) -> None:
    await send(client, text_to_image(), prompt_id="mine")
    await studio.began.wait()
    assert await (await client.get("/history/mine")).json() == {}
    assert await listed(client) == []
    job = await (await client.get("/api/jobs/mine")).json()
    assert (job["status"], job["outputs_count"]) == ("in_progress", 0)


async def test_entries_are_forgotten(client: Client, ended: list[str]) -> None:
    answer = await client.post("/history", json={"delete": [ended[1], "unknown"]})
    assert (answer.status, await answer.text()) == (200, "")
    assert await listed(client) == [ended[0], *ended[2:]]
    await client.post("/history", json={"clear": True})
    assert await listed(client) == []


async def test_jobs_are_listed_in_pages(client: Client, ended: list[str]) -> None:
    told = await (await client.get("/api/jobs?limit=2&offset=1&status=completed")).json()
    assert [job["id"] for job in told["jobs"]] == [ended[3], ended[2]]
    assert told["pagination"] == {"offset": 1, "limit": 2, "total": 5, "has_more": True}
    first = told["jobs"][0]
    assert (first["status"], first["outputs_count"], first["workflow_id"]) == ("completed", 1, "w1")
    assert first["preview_output"]["filename"] == "house_00001.png"
    told = await (await client.get("/api/jobs?limit=3&offset=4&sort_order=asc")).json()
    assert [job["id"] for job in told["jobs"]] == [ended[4]]
    assert told["pagination"]["has_more"] is False
    told = await (await client.get("/api/jobs?status=pending,failed")).json()
    assert told["jobs"] == []
    assert (await client.get("/api/jobs?status=strange")).status == 400


async def test_one_job_tells_all(client: Client, ended: list[str]) -> None:
    told = await (await client.get(f"/api/jobs/{ended[0]}")).json()
    assert told["outputs"]["9"]["images"][0]["type"] == "output"
    assert told["execution_status"]["completed"] is True
    assert told["workflow"]["prompt"] == text_to_image(seed=0)
    answer = await client.get("/api/jobs/unknown")
    assert (answer.status, await answer.json()) == (404, {"error": "Job not found"})
