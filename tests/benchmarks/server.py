"""What the server costs: durable submits, events, listings, watchers; over nodes that do nothing."""

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

from tests.serving import Served

Json = dict[str, Any]
BOUNDS = {
    "start_seconds": 1.0,
    "submit_ms": 2.0,
    "submit_p99_ms": 100.0,
    "submit_by_tens_ms": 2.0,
    "listing_10000_ms": 50.0,
    "rss_growth_10000_mb": 200.0,
    "event_p50_ms": 10.0,
    "stored_graph_ms": 20.0,
    "watched_by_200_ratio": 1.02,
}
STARTS = 5
CLIENTS = 8
JOBS = 10_000
WATCHERS = 200


def measure() -> dict[str, float]:
    """Each figure from one server on an empty data folder."""
    values: dict[str, float] = {}
    with TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with Served(data) as served:  # the first start learns the node types
            asyncio.run(_known(served.url))
        values["start_seconds"] = statistics.median(_start(data) for _ in range(STARTS))
        with Served(data) as served:
            values |= asyncio.run(_measure(served))
    return values


def _start(data: Path) -> float:
    """Seconds from the command to the first answer."""
    started = time.perf_counter()
    with Served(data) as served:
        served.call("GET", "/api/v1/health")
        return time.perf_counter() - started


async def _measure(served: Served) -> dict[str, float]:
    url = served.url
    values: dict[str, float] = {}
    async with aiohttp.ClientSession(url) as session:
        await _known(url)
        values["stored_graph_ms"] = await _stored_graph(session)
        values["event_p50_ms"] = await _event_latency(session)
        values["watched_by_200_ratio"] = await _watched(session)
        assert served.process is not None
        before = rss_mb(served.process.pid)
        await _post(session, "/api/v1/queue/pause")
        values |= await _submits(session)
        values["listing_10000_ms"] = await _listing(session)
        values["rss_growth_10000_mb"] = rss_mb(served.process.pid) - before
    return values


def rss_mb(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 2**20


async def _known(url: str) -> None:
    """Wait until a worker runs jobs."""
    async with aiohttp.ClientSession(url) as session:
        await run(session, graph(-1))


def graph(number: float) -> Json:
    """Seven nodes in a line, which depend on `number`."""
    nodes: Json = {"n0": {"type": "Add", "version": 1, "inputs": {"a": number}}}
    for index in range(1, 6):
        link = {"$link": [f"n{index - 1}", "value"]}
        nodes[f"n{index}"] = {"type": "Add", "version": 1, "inputs": {"a": link, "b": 1.0}}
    link = {"$link": ["n5", "value"]}
    nodes["n6"] = {"type": "Anything", "version": 1, "inputs": {"value": link}}
    outputs = {"end": {"node": "n6", "output": "value"}}
    return {"darkroom": 1, "name": "seven", "outputs": outputs, "nodes": nodes}


async def _post(session: aiohttp.ClientSession, path: str, body: object = None) -> Json:
    async with session.post(path, json=body) as answer:
        told: Json = await answer.json()
        assert answer.status < 300, told
        return told


async def submit(session: aiohttp.ClientSession, document: Json) -> Json:
    """The job that a document became."""
    return await _post(session, "/api/v1/jobs", {"document": document})


@asynccontextmanager
async def socket(session: aiohttp.ClientSession) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A websocket that hears everything."""
    async with session.ws_connect("/api/v1/socket", max_msg_size=0) as opened:
        yield opened


async def until_end(opened: aiohttp.ClientWebSocketResponse, job: str) -> Json:
    """The event by which a job ended well."""
    async for message in opened:
        if message.type is not aiohttp.WSMsgType.TEXT:
            continue
        event: Json = json.loads(message.data)
        if event.get("job") == job and event["type"] in {"job.succeeded", "job.failed"}:
            assert event["type"] == "job.succeeded", event
            return event
    raise AssertionError("the socket was closed")


async def run(session: aiohttp.ClientSession, document: Json) -> float:
    """Milliseconds from the request to the news that the job has ended."""
    async with socket(session) as opened:
        started = time.perf_counter()
        job = await submit(session, document)
        await until_end(opened, job["id"])
        return (time.perf_counter() - started) * 1000


async def _stored_graph(session: aiohttp.ClientSession) -> float:
    return statistics.median([await run(session, graph(-1)) for _ in range(30)])


async def _event_latency(session: aiohttp.ClientSession) -> float:
    """The nodes count microseconds of the clock as their progress; ours says how old they are."""
    document = {
        "darkroom": 1,
        "outputs": {"end": {"node": "clock", "output": "value"}},
        "nodes": {"clock": {"type": "Clock", "version": 1, "inputs": {"ticks": 100}}},
    }
    ages: list[float] = []
    async with socket(session) as opened:
        job = (await submit(session, document))["id"]
        async for message in opened:
            event = json.loads(message.data)
            if event["type"] == "node.progressed":
                ages.append(time.time() * 1e3 - event["data"]["done"] / 1e3)
            if event.get("job") == job and event["type"].startswith("job.succeeded"):
                break
    return statistics.median(ages)


async def _watched(session: aiohttp.ClientSession) -> float:
    """Seconds of a job that 200 clients watch, by those of one that nobody watches."""

    async def seconds() -> float:
        document = {
            "darkroom": 1,
            "outputs": {"end": {"node": "work", "output": "value"}},
            "nodes": {"work": {"type": "Busy", "version": 1, "inputs": {"steps": 100}}},
        }
        job = await submit(session, document)
        while True:
            async with session.get(f"/api/v1/jobs/{job['id']}") as answer:
                told = await answer.json()
            if told["state"] == "succeeded":
                async with session.get(f"/api/v1/jobs/{job['id']}/nodes") as answer:
                    (node,) = (await answer.json())["nodes"]
                return float(node["seconds"])
            await asyncio.sleep(0.05)

    async def listen(opened: aiohttp.ClientWebSocketResponse) -> None:
        async for _ in opened:
            pass

    alone = [await seconds() for _ in range(3)]
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(str(session._base_url), connector=connector) as many:
        opened = [await many.ws_connect("/api/v1/socket") for _ in range(WATCHERS)]
        listeners = [asyncio.create_task(listen(each)) for each in opened]
        watched = [await seconds() for _ in range(3)]
        for listener in listeners:
            listener.cancel()
    return statistics.median(watched) / statistics.median(alone)


async def _submits(session: aiohttp.ClientSession) -> dict[str, float]:
    times: list[float] = []
    numbers = iter(range(JOBS))

    async def client() -> None:
        for number in numbers:
            started = time.perf_counter()
            await submit(session, graph(number))
            times.append(time.perf_counter() - started)

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    total = time.perf_counter() - started
    return {
        "submit_ms": total / JOBS * 1000,
        "submit_p99_ms": statistics.quantiles(times, n=100)[98] * 1000,
        "submit_by_tens_ms": await _batches(session),
    }


async def _batches(session: aiohttp.ClientSession) -> float:
    """Milliseconds for each job when a request brings ten."""
    starts = iter(range(JOBS, JOBS + 2000, 10))

    async def client() -> None:
        for start in starts:
            jobs = [{"document": graph(start + index)} for index in range(10)]
            await _post(session, "/api/v1/jobs/batch", {"jobs": jobs})

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return (time.perf_counter() - started) / 2000 * 1000


async def _listing(session: aiohttp.ClientSession) -> float:
    async def once() -> None:
        async with session.get("/api/v1/jobs?queue=true&limit=100") as answer:
            told = await answer.json()
            assert told["total"] >= JOBS, told["total"]

    return await _median_ms(once)


async def _median_ms(action: Callable[[], Awaitable[None]], repeats: int = 20) -> float:
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        await action()
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000
