"""What became of prompts: the history, and the newer list of jobs."""

import asyncio
import json
from typing import Any

from aiohttp import web

from server.jobs.model import FINAL, Filter, Job, JobState

from .call import Call, Route, answer, done, refused
from .graph import Json
from .history import failure, history_entry, node_outputs
from .posted import Origin
from .prompts import origins_of, own_jobs

MOST = 1_000
"""Entries of the history that are told at once; ComfyUI keeps up to 10 000."""
_PAGE = 500
_ENDED: tuple[JobState, ...] = ("cancelled", "failed", "succeeded")
_STATES: dict[str, JobState] = {
    "pending": "queued", "in_progress": "running", "completed": "succeeded", "failed": "failed",
    "cancelled": "cancelled",
}  # fmt: skip
_WORDS = {ours: theirs for theirs, ours in _STATES.items()}


async def read_history(call: Call) -> web.Response:
    """The prompts that have ended, the oldest first."""
    most, offset = call.count("max_items"), call.count("offset", -1)
    if most is not None and most <= 0:
        return answer({})
    wanted = Filter(owner=call.user, states=_ENDED)
    limit = MOST if most is None else min(most, MOST)
    skip = 0
    if offset is not None and offset >= 0:
        total = (await call.service.jobs.find(wanted, 1)).total
        skip = max(0, total - offset - limit)
        limit = max(0, min(limit, total - offset))
    jobs = await _newest(call, wanted, skip, limit)
    origins = await origins_of(call, jobs)

    def written() -> str:
        entries = {job.id: history_entry(job, origins[job.id]) for job in reversed(jobs)}
        return json.dumps(entries)

    return web.Response(text=await asyncio.to_thread(written), content_type="application/json")


async def read_entry(call: Call) -> web.Response:
    """One prompt that has ended; nothing if there is none, or it has not."""
    found = await own_jobs(call, [call.named("prompt_id")])
    if not found or found[0].state not in FINAL:
        return answer({})
    job = found[0]
    origin = (await origins_of(call, (job,)))[job.id]
    stored = [node.node for node in await call.service.jobs.nodes(job.id) if node.state == "stored"]
    cached = dict.fromkeys(filter(None, map(origin.node, stored)))
    return answer({job.id: history_entry(job, origin, cached)})


async def change_history(call: Call) -> web.Response:
    """Forget all prompts that have ended, or some; their files stay."""
    told = await call.told()
    given = told.get("delete")
    ids = [each for each in given if isinstance(each, str)] if isinstance(given, list) else []
    if told.get("clear"):
        wanted = Filter(owner=call.user, states=_ENDED)
        while page := (await call.service.jobs.find(wanted, _PAGE)).jobs:
            if not await _forget(call, [job.id for job in page]):
                break
    await _forget(call, ids)
    return done()


async def list_jobs(call: Call) -> web.Response:
    """Jobs in all states, a page at a time."""
    asked = [word.strip() for word in call.query.get("status", "").split(",") if word.strip()]
    unknown = [word for word in asked if word not in _STATES]
    if unknown:
        return refused(400, f"Invalid status value(s): {', '.join(unknown)}")
    limit, offset = call.count("limit", 100) or 100, max(0, call.count("offset", 0) or 0)
    limit = min(max(limit, 1), MOST)
    wanted = Filter(owner=call.user, states=tuple(_STATES[word] for word in asked))
    total = (await call.service.jobs.find(wanted, 1)).total
    if call.query.get("sort_order") == "asc":
        skip = max(0, total - offset - limit)
        jobs = tuple(
            reversed(await _newest(call, wanted, skip, max(0, min(limit, total - offset))))
        )
    else:
        jobs = await _newest(call, wanted, offset, limit)
    origins = await origins_of(call, jobs)
    return answer(
        {
            "jobs": [_shown(job, origins[job.id]) for job in jobs],
            "pagination": {
                "offset": offset,
                "limit": limit,
                "total": total,
                "has_more": offset + len(jobs) < total,
            },
        }
    )


async def read_job(call: Call) -> web.Response:
    """One job with all that is known of it."""
    found = await own_jobs(call, [call.named("job_id")])
    if not found:
        return refused(404, "Job not found")
    job = found[0]
    origin = (await origins_of(call, (job,)))[job.id]
    shown = _shown(job, origin) | {"outputs": node_outputs(job.outputs)}
    if job.state in FINAL:
        shown["execution_status"] = history_entry(job, origin)["status"]
    shown["workflow"] = {"prompt": origin.prompt, "extra_data": origin.extra}
    return answer(shown)


async def _newest(call: Call, wanted: Filter, skip: int, limit: int) -> tuple[Job, ...]:
    """The newest jobs after some that are skipped, the newest first."""
    found: list[Job] = []
    after: str | None = None
    while limit > 0:
        page = await call.service.jobs.find(wanted, min(_PAGE, skip + limit - len(found)), after)
        found += page.jobs[skip:]  # the others are let go of, so that only a page is in memory
        skip = max(0, skip - len(page.jobs))
        after = page.next
        if after is None or len(found) >= limit:
            break
    return tuple(found)


async def _forget(call: Call, ids: list[str]) -> int:
    gone = await call.service.jobs.delete(ids, call.user)
    for job in gone:
        call.service.dispatcher.tell("job.deleted", job)
    return len(gone)


def _shown(job: Job, origin: Origin) -> Json:
    outputs = node_outputs(job.outputs)
    files = [
        {**file, "nodeId": node, "mediaType": kind}
        for node, told in outputs.items()
        for kind, listed in told.items()
        for file in listed
    ]
    shown: dict[str, Any] = {
        "id": job.id,
        "status": _WORDS[job.state],
        "priority": origin.place(job.number),
        "create_time": int(job.created * 1000),
        "outputs_count": len(files),
    }
    if job.started is not None:
        shown["execution_start_time"] = int(job.started * 1000)
    if job.finished is not None:
        shown["execution_end_time"] = int(job.finished * 1000)
    if files:
        kept = [file for file in files if file["type"] == "output"]
        shown["preview_output"] = (kept or files)[-1]
    if job.state == "failed":
        shown["execution_error"] = failure(job, origin)
    told = origin.extra.get("extra_pnginfo")
    workflow = told.get("workflow") if isinstance(told, dict) else None
    if isinstance(workflow, dict) and isinstance(workflow.get("id"), str):
        shown["workflow_id"] = workflow["id"]
    return shown


ROUTES = (
    Route("GET", "/history", read_history),
    Route("GET", "/history/{prompt_id}", read_entry),
    Route("POST", "/history", change_history, "run"),
)
ONLY_UNDER_API = (
    Route("GET", "/jobs", list_jobs),
    Route("GET", "/jobs/{job_id}", read_job),
)
