import asyncio
from pathlib import Path

import pytest

from server.access import Principal
from server.service import Service
from tests.server.api.conftest import PICTURE, Bench, Caller, Client, Json
from tests.server.api.test_jobs import submit

AT = "/api/v1/gallery"


async def made(client: Client, graph: Json, name: str = "one") -> Json:
    job = await submit(client, graph | {"name": name})
    told: Json = await (await client.get(job["links"]["self"], params={"wait": "10"})).json()
    assert told["state"] == "succeeded"
    return told


async def listed(client: Client, **query: str) -> Json:
    answer = await client.get(AT, params=query)
    assert answer.status == 200, await answer.text()
    told: Json = await answer.json()
    # Each job of the bench also delivers a page.
    told["files"] = [file for file in told["files"] if file["media_type"] == "image/png"]
    return told


def url(job: Json) -> str:
    found: str = job["outputs"]["file"]["files"][0]["url"]
    return found


@pytest.fixture(autouse=True)
def quick(bench: Bench) -> None:
    bench.held.set()


async def test_files_of_all_jobs_are_listed_the_newest_first(client: Client, graph: Json) -> None:
    jobs = [await made(client, graph, name) for name in ("one", "two", "three")]
    told = await listed(client)
    assert [file["job"] for file in told["files"]] == [job["id"] for job in reversed(jobs)]
    assert told["next"] is None
    first = told["files"][0]
    assert (first["name"], first["output"], first["starred"]) == ("three", "file", False)
    assert first["url"] == url(jobs[2])
    assert (await client.get(first["url"])).status == 200
    assert [file["name"] for file in (await listed(client, text="tw"))["files"]] == ["two"]


async def test_pages_go_on_where_the_last_ended(client: Client, graph: Json) -> None:
    for number in range(5):
        await made(client, graph, str(number))
    seen: list[list[str]] = []
    after: dict[str, str] = {}
    while True:
        told = await listed(client, limit="2", **after)
        seen.append([file["name"] for file in told["files"]])
        if told["next"] is None:
            break
        after = {"after": told["next"]}
    assert seen == [["4", "3"], ["2", "1"], ["0"]]


async def test_a_star_stays_until_it_is_taken_away(client: Client, graph: Json) -> None:
    jobs = [await made(client, graph, name) for name in ("one", "two", "three")]
    for _ in range(2):
        assert (await client.patch(url(jobs[1]), json={"starred": True})).status == 204
    told = await listed(client, starred="true", limit="1")
    assert [(file["name"], file["starred"]) for file in told["files"]] == [("two", True)]
    await client.patch(url(jobs[1]), json={"starred": False})
    assert (await listed(client, starred="true"))["files"] == []


async def test_a_deleted_file_is_gone_and_its_job_is_not(
    client: Client, graph: Json, service: Service
) -> None:
    job = await made(client, graph)
    await client.patch(url(job), json={"starred": True})
    assert (await client.delete(url(job))).status == 204
    assert (await listed(client))["files"] == []
    assert (await client.get(url(job))).status == 410
    assert (await client.delete(url(job))).status == 410
    assert (await client.get(job["links"]["self"])).status == 200
    left = {path.name for path in (service.settings.data / "outputs").rglob("*") if path.is_file()}
    assert left == {"page.html"}
    again = await made(client, graph)  # under the same name, and without the star
    shown = (await listed(client))["files"]
    assert {(file["job"], file["starred"]) for file in shown} == {
        (job["id"], False),
        (again["id"], False),
    }


async def test_a_forgotten_job_takes_its_stars_along(client: Client, graph: Json) -> None:
    job = await made(client, graph)
    await client.patch(url(job), json={"starred": True})
    assert (await client.delete(job["links"]["self"])).status == 204
    assert (await listed(client, starred="true"))["files"] == []


async def test_other_windows_hear_of_it(client: Client, graph: Json, service: Service) -> None:
    job = await made(client, graph)
    with service.hub.subscribe(lambda event: event.type == "outputs.changed") as changes:
        await client.patch(url(job), json={"starred": True})
        event = await asyncio.wait_for(anext(changes), 5)
    assert event.job == job["id"]


async def test_nobody_touches_what_is_anothers(
    client: Client, graph: Json, caller: Caller, service: Service
) -> None:
    job = await made(client, graph)
    caller.principal = Principal("eve", frozenset({"read", "write"}))
    assert (await listed(client))["files"] == []
    assert (await client.patch(url(job), json={"starred": True})).status == 404
    assert (await client.delete(url(job))).status == 404


async def test_only_what_the_job_lists_can_be_deleted(
    client: Client, graph: Json, service: Service
) -> None:
    job = await made(client, graph)
    secret: Path = service.settings.data / "secret"
    secret.write_bytes(PICTURE)
    for path in ("..%2Fsecret", "secret", "..%2F..%2Fsecret"):
        answer = await client.delete(f"{job['links']['outputs']}/{path}")
        assert answer.status in {404, 422}
    assert secret.exists()
