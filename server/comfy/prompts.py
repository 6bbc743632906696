"""The queue: prompts that are sent, wait, run, and are stopped."""

import asyncio
import json

from aiohttp import web

from server.jobs.model import Filter, Job

from .call import Call, Route, answer, done
from .history import queue_entry
from .posted import Origin, Posted, RefusedError
from .submission import accept

MOST = 1_000
"""Jobs of the queue that are listed."""
OTHER = Origin({}, {}, (), {})
"""Stands for what a job came from that did not come by ComfyUI's API."""


async def send(call: Call) -> web.Response:
    """Queue a prompt."""
    try:
        posted = Posted.read(await call.json(), call.service.limits.nodes)
        accepted = await accept(call.service, call.user, posted)
    except RefusedError as error:
        return answer(error.answer, 400)
    job = accepted.job
    number = accepted.origin.place(job.number)
    return answer({"prompt_id": job.id, "number": number, "node_errors": accepted.node_errors})


async def remaining(call: Call) -> web.Response:
    """How many prompts wait or run."""
    count = await call.border.teller.remaining(call.user)
    return answer({"exec_info": {"queue_remaining": count}})


async def read_queue(call: Call) -> web.Response:
    """What runs, and what waits in the order in which it will run."""
    wanted = Filter(owner=call.user, states=("running", "queued"), queue=True)
    jobs = (await call.service.jobs.find(wanted, MOST)).jobs
    origins = await origins_of(call, jobs)

    def written() -> str:
        listed: dict[str, list[object]] = {"queue_running": [], "queue_pending": []}
        for job in jobs:
            kind = "queue_running" if job.state == "running" else "queue_pending"
            listed[kind].append(queue_entry(job, origins[job.id]))
        return json.dumps(listed)

    # Whole prompts are in it, which may be large, and many.
    return web.Response(text=await asyncio.to_thread(written), content_type="application/json")


async def change_queue(call: Call) -> web.Response:
    """Take all waiting prompts, or some, out of the queue."""
    told = await call.told()
    service = call.service
    if told.get("clear"):
        for job in await service.jobs.cancel_all(call.user):
            service.dispatcher.tell("job.cancelled", job)
    for job in await own_jobs(call, told.get("delete")):
        if job.state == "queued":
            cancelled = await service.jobs.cancel(job.id)
            if cancelled is not None:
                service.dispatcher.tell("job.cancelled", cancelled)
    return done()


async def interrupt(call: Call) -> web.Response:
    """Stop what runs: one prompt, or all of the one who asks."""
    told = await call.told()
    given = told.get("prompt_id")
    dispatcher = call.service.dispatcher
    for run in tuple(dispatcher.running.values()):
        if run.job.owner == call.user and given in {None, "", run.job.id}:
            await dispatcher.cancel(run.job.id)
    return done()


async def free(call: Call) -> web.Response:
    """Let go of loaded models and of results in memory."""
    told = await call.told()
    if told.get("unload_models") or told.get("free_memory"):
        await call.service.pool.free()
    return done()


async def own_jobs(call: Call, ids: object) -> list[Job]:
    """Those of the jobs that there are, and that are the caller's."""
    found = []
    for given in ids if isinstance(ids, list) else ():
        if isinstance(given, str):
            job = await call.service.jobs.get(given)
            if job is not None and job.owner == call.user:
                found.append(job)
    return found


async def origins_of(call: Call, jobs: tuple[Job, ...]) -> dict[str, Origin]:
    """What each of these jobs came from."""
    kept = await call.service.jobs.origins([job.id for job in jobs])
    return {job.id: Origin.read(kept.get(job.id) or {}) or OTHER for job in jobs}


ROUTES = (
    Route("POST", "/prompt", send, "run"),
    Route("GET", "/prompt", remaining),
    Route("GET", "/queue", read_queue),
    Route("POST", "/queue", change_queue, "run"),
    Route("POST", "/interrupt", interrupt, "run"),
    Route("POST", "/free", free, "run"),
)
