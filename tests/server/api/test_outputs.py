import hashlib
from typing import Any

import pytest

from server.service import Service
from server.workers.messages import Answer
from tests.server.api.conftest import PICTURE, Bench, Client
from tests.server.api.test_jobs import submit

Json = dict[str, Any]
DIGEST = hashlib.sha256(PICTURE).hexdigest()


@pytest.fixture
async def job(client: Client, bench: Bench, graph: Json) -> Json:
    bench.held.set()
    made = await submit(client, graph)
    told: Json = await (await client.get(made["links"]["self"], params={"wait": "10"})).json()
    return told


@pytest.fixture
def url(job: Json) -> str:
    found: str = job["outputs"]["file"]["files"][0]["url"]
    return found


async def test_a_file_is_sent_under_its_digest(client: Client, url: str) -> None:
    answer = await client.get(url)
    assert (answer.status, await answer.read()) == (200, PICTURE)
    assert answer.headers["ETag"] == f'"{DIGEST}"'
    assert answer.content_type == "image/png"
    assert answer.headers["Content-Disposition"].startswith("inline")
    assert (await client.get(url, headers={"If-None-Match": f'"{DIGEST}"'})).status == 304
    since = {"If-Modified-Since": answer.headers["Last-Modified"]}
    assert (await client.get(url, headers=since)).status == 304
    head = await client.head(url)
    assert (head.headers["Content-Length"], await head.read()) == (str(len(PICTURE)), b"")


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=2000-", 2000, None),
        ("bytes=-5", -5, None),
        ("bytes=5-99999", 5, None),
    ],
)
async def test_parts_of_a_file_are_sent(
    client: Client, url: str, asked: str, first: int, end: int | None
) -> None:
    answer = await client.get(url, headers={"Range": asked})
    assert answer.status == 206
    assert await answer.read() == PICTURE[first:end]
    assert answer.headers["Content-Range"].endswith(f"/{len(PICTURE)}")


async def test_a_part_that_is_not_there_is_refused(client: Client, url: str) -> None:
    answer = await client.get(url, headers={"Range": "bytes=99999-"})
    assert answer.status == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(PICTURE)}"


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=0-1,4-5"},
        {"Range": "lines=1-2"},
        {"Range": "bytes=9-1"},
        {"Range": "bytes=0-9", "If-Range": '"another"'},
        {"Range": "bytes=0-9", "If-Range": "Mon, 01 Jan 2001 00:00:00 GMT"},
    ],
)
async def test_all_is_sent_where_a_part_makes_no_sense(
    client: Client, url: str, headers: dict[str, str]
) -> None:
    answer = await client.get(url, headers=headers)
    assert (answer.status, await answer.read()) == (200, PICTURE)


async def test_a_page_among_the_outputs_is_never_shown_as_one(client: Client, job: Json) -> None:
    page = job["outputs"]["file"]["files"][1]
    answer = await client.get(page["url"])
    assert answer.content_type == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_outputs_are_listed_with_their_addresses(client: Client, job: Json) -> None:
    told = await (await client.get(job["links"]["outputs"])).json()
    assert told["outputs"]["sum"] == {"value": 3}
    assert [(each["output"], each["path"]) for each in told["files"]] == [
        ("file", "a picture.png"),
        ("file", "page.html"),
    ]


async def test_only_files_that_the_job_delivered_are_sent(
    client: Client, service: Service, job: Json
) -> None:
    (service.settings.data / "outputs" / "other.png").write_bytes(b"other")
    for path in ("other.png", "../darkroom.db", "..%2Fdarkroom.db", "%2Fetc%2Fpasswd"):
        answer = await client.get(f"{job['links']['outputs']}/{path}")
        assert answer.status == 404, path


async def test_a_file_that_was_removed_is_gone(client: Client, service: Service, url: str) -> None:
    (service.settings.data / "outputs" / "a picture.png").unlink()
    assert (await client.get(url)).status == 410


async def test_a_file_of_another_size_is_gone(client: Client, service: Service, url: str) -> None:
    (service.settings.data / "outputs" / "a picture.png").write_bytes(PICTURE + b"more")
    assert (await client.get(url)).status == 410


async def test_a_thumbnail_is_made_by_the_desk(client: Client, bench: Bench, url: str) -> None:
    bench.answers["thumbnail"] = Answer(0, blob=b"\xff\xd8\xff small")
    answer = await client.get(url, params={"thumbnail": "256"})
    assert (answer.content_type, await answer.read()) == ("image/jpeg", b"\xff\xd8\xff small")
    ((question, arguments),) = bench.questions
    assert (question, arguments["size"]) == ("thumbnail", 256)
    again = await client.get(
        url, params={"thumbnail": "256"}, headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert (again.status, len(bench.questions)) == (304, 1)
    assert (await client.get(url, params={"thumbnail": "100000"})).status == 422
    since = {"If-Modified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}
    old = await client.get(url, params={"thumbnail": "256"}, headers=since)
    assert (old.status, len(bench.questions)) == (200, 2)


async def test_what_is_embedded_is_told(client: Client, bench: Bench, url: str) -> None:
    bench.answers["metadata"] = Answer(0, {"workflow": {"darkroom": 1}})
    assert await (await client.get(f"{url}/metadata")).json() == {"workflow": {"darkroom": 1}}
