import asyncio
import hashlib
from pathlib import Path

import pytest
from aiohttp import web

from engine.errors import InputError
from server.client import ApiError, AsyncClient, AsyncOutput
from server.client.models import Json

from .faking import Handler, faking, job, streamed, told

CONTENT = bytes(range(256)) * 40


def file(path: str = "a_1.png", content: bytes = CONTENT) -> Json:
    return {
        "path": path,
        "url": f"/api/v1/jobs/j1/outputs/{path}",
        "media_type": "image/png",
        "size": len(content),
        "digest": hashlib.sha256(content).hexdigest(),
    }


def done(*files: Json) -> Handler:
    return told(job("succeeded", outputs={"image": {"files": list(files)}}))


async def names(folder: Path) -> list[str]:
    return await asyncio.to_thread(lambda: [path.name for path in folder.iterdir()])


async def output(client: AsyncClient) -> AsyncOutput:
    return (await (await client.job("j1")).result())["image"]


async def test_bytes_are_those_that_were_delivered() -> None:
    async with faking(done(file()), streamed(CONTENT)) as fake, AsyncClient(fake.url) as client:
        assert await (await output(client)).bytes() == CONTENT


async def test_a_lost_connection_is_taken_up_where_it_was_lost(folder: Path) -> None:
    async def rest(request: web.Request) -> web.StreamResponse:
        first = int(request.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        return web.Response(body=CONTENT[first:], status=206)

    async with (
        faking(done(file()), streamed(CONTENT[:5000], cut_off=True), rest) as fake,
        AsyncClient(fake.url) as client,
    ):
        (path,) = await (await output(client)).save(folder)

    assert path.read_bytes() == CONTENT
    assert await names(folder) == [path.name]


async def test_a_damaged_file_is_not_kept(folder: Path) -> None:
    async with (
        faking(done(file()), streamed(CONTENT[:-1] + b"x")) as fake,
        AsyncClient(fake.url) as client,
    ):
        with pytest.raises(ApiError, match="did not arrive"):
            await (await output(client)).save(folder)

    assert await names(folder) == []


async def test_a_file_that_is_there_is_neither_fetched_nor_doubled(folder: Path) -> None:
    async with faking(done(file()), streamed(CONTENT)) as fake, AsyncClient(fake.url) as client:
        given = await output(client)
        once = await given.save(folder)
        again = await given.save(folder)

    assert once == again
    assert len([r for r in fake.seen if "/outputs/" in r.path]) == 1


async def test_another_file_of_the_name_stays(folder: Path) -> None:
    await asyncio.to_thread(folder.mkdir)
    (folder / "a_1.png").write_bytes(b"mine")

    async with faking(done(file()), streamed(CONTENT)) as fake, AsyncClient(fake.url) as client:
        (path,) = await (await output(client)).save(folder)

    assert path == folder / "a_1-2.png"
    assert (folder / "a_1.png").read_bytes() == b"mine"


@pytest.mark.parametrize("path", ["../out.png", "/etc/out.png", "a/../../out.png"])
async def test_a_name_that_leads_out_of_the_folder_is_refused(folder: Path, path: str) -> None:
    async with faking(done(file(path)), streamed(CONTENT)) as fake, AsyncClient(fake.url) as client:
        with pytest.raises(InputError, match="leads out"):
            await (await output(client)).save(folder)


async def test_an_address_of_another_server_is_not_followed(folder: Path) -> None:
    elsewhere = file() | {"url": "@evil.example/x"}

    async with faking(done(elsewhere), streamed(CONTENT)) as fake, AsyncClient(fake.url) as client:
        with pytest.raises(ApiError, match="address"):
            await (await output(client)).save(folder)

    assert len(fake.seen) == 1
