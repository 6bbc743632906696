"""Waiting for the end of a job."""

import asyncio
from typing import Annotated

from pydantic import Field

from server.jobs.model import ENDS, FINAL, Job
from server.service import Service

Wait = Annotated[
    float, Field(ge=0, le=60, description="Seconds to wait for the job's end before answering.")
]


async def ended(service: Service, job: Job, seconds: float) -> Job:
    """The job once it has ended, or as it is after so many seconds."""
    if not seconds or job.state in FINAL:
        return job
    with service.hub.subscribe(lambda e: e.job == job.id and e.type in ENDS) as ends:
        now = await service.jobs.get(job.id)
        if now is None or now.state in FINAL:
            return now or job
        try:
            async with asyncio.timeout(seconds):
                await anext(aiter(ends))
        except (TimeoutError, StopAsyncIteration):
            pass
    return await service.jobs.get(job.id) or job
