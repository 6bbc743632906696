"""Whether memory stays flat over 10,000 small jobs, in the server and in its worker."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp

from tests.serving import Served

from .server import graph, rss_mb, run, socket, submit, until_end

JOBS = 10_000
BATCH = 50
BOUNDS = {"server_growth_mb": 30.0, "worker_growth_mb": 30.0}


def measure() -> dict[str, float]:
    """Growth of resident memory from the job in the middle to the last, in MiB."""
    with TemporaryDirectory() as folder, Served(Path(folder) / "data") as served:
        return asyncio.run(_measure(served))


async def _measure(served: Served) -> dict[str, float]:
    assert served.process is not None
    pid = served.process.pid
    async with aiohttp.ClientSession(served.url) as session:
        await run(session, graph(-1))
        async with session.get("/api/v1/workers") as answer:
            (worker,) = [each["pid"] for each in (await answer.json())["workers"]]
        sizes = []
        async with socket(session) as opened:
            for start in range(0, JOBS, BATCH):
                jobs = await asyncio.gather(
                    *(submit(session, graph(start + index)) for index in range(BATCH))
                )
                await until_end(opened, jobs[-1]["id"])
                sizes.append((rss_mb(pid), rss_mb(worker)))
    middle, last = sizes[len(sizes) // 2], sizes[-1]
    return {
        "server_growth_mb": last[0] - middle[0],
        "worker_growth_mb": last[1] - middle[1],
        "server_mb": last[0],
        "worker_mb": last[1],
    }
