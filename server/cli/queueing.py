"""What the commands about a server's jobs answer."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any

from engine.errors import InputError
from server.client import ApiError, Client, Job, Snapshot

from .answer import Answer
from .console import say, say_problems, say_table, seconds
from .remote import Remote, faults, problem_of

Json = dict[str, Any]
SHORT = 8
"""Characters of an id that tables show: its end, for ids of one minute begin alike."""


def list_jobs(url: str, states: tuple[str, ...], text: str | None, limit: int) -> Answer:
    """The newest jobs."""
    with _client(url) as client:
        found = list(islice(client.jobs(*states, text=text), limit))

    def show() -> None:
        if not found:
            say("no jobs")
            return
        rows = [_row(job.snapshot) for job in found]
        say_table(("id", "state", "name", "created", "time"), rows)

    return Answer({"jobs": [_json(job) for job in found]}, show)


def show_job(url: str, job_id: str) -> Answer:
    """One job, its nodes and outputs."""
    with _client(url) as client:
        job = _found(client, job_id)
        records = job.nodes()
    told = job.snapshot

    def show() -> None:
        say(f"{told.id}: {told.state}")
        for name, value in _facts(told):
            say(f"  {name}: {value}")
        if records:
            say("")
            rows = [(each.node, each.type, each.state, seconds(each.seconds)) for each in records]
            say_table(("node", "type", "", "time"), rows)
        for name, output in job.outputs.items():
            for file in output.files:
                say(f"{name}: {file.path}")
            if not output.files:
                say(f"{name}: {output.value}")
        if told.error is not None:
            problems = [problem_of(each) for each in told.error.problems]
            if problems:
                say_problems(problems, "problem")
            else:
                say(f"problem: {told.error.detail}")

    nodes = [each.model_dump(mode="json") for each in records]
    return Answer({"job": _json(job), "nodes": nodes}, show)


def cancel_jobs(url: str, ids: Sequence[str]) -> Answer:
    """Cancel each."""

    def cancel(job: Job) -> Json:
        job.cancel()
        return _json(job)

    def told(job: Json) -> str:
        done = job["state"] == "cancelled"
        return f"{job['id']}: cancelled" if done else f"{job['id']}: ends when its node yields"

    return _each(url, ids, cancel, told)


def retry_jobs(url: str, ids: Sequence[str]) -> Answer:
    """Queue each once more."""
    return _each(
        url, ids, lambda job: _json(job.retry()), lambda job: f"{job['retry_of']}: now {job['id']}"
    )


def delete_jobs(url: str, ids: Sequence[str]) -> Answer:
    """Have each forgotten."""

    def delete(job: Job) -> Json:
        job.delete()
        return _json(job)

    return _each(url, ids, delete, lambda job: f"{job['id']}: deleted")


def _each(
    url: str, ids: Sequence[str], do: Callable[[Job], Json], told: Callable[[Json], str]
) -> Answer:
    """Do something with every job, once all of them are found."""
    with _client(url) as client:
        done = [do(job) for job in [_found(client, job_id) for job_id in ids]]

    def show() -> None:
        for job in done:
            say(told(job))

    return Answer({"jobs": done}, show)


def _found(client: Client, job_id: str) -> Job:
    """A job by its id, or by how its id ends.

    Raises:
        InputError: There is none, or several ids end so.
    """
    try:
        return client.job(job_id)
    except ApiError as error:
        if error.status != 404:
            raise
        hint = "`darkroom jobs` lists those that there are"
        missing = InputError(f"there is no job {job_id!r}", code="not_found", hint=hint)
        missing.__cause__ = error
    found = [job for job in client.jobs(text=job_id) if job.id.endswith(job_id)]
    if not found:
        raise missing
    if len(found) > 1:
        ids = ", ".join(job.id for job in found[:5])
        raise InputError(f"{len(found)} ids end with {job_id!r}: {ids}", code="ambiguous")
    return found[0]


@contextmanager
def _client(url: str) -> Iterator[Client]:
    with faults(url), Remote(url) as remote:
        yield remote.client


def _row(job: Snapshot) -> tuple[str, ...]:
    taken = "" if job.seconds is None else seconds(job.seconds)
    return job.id[-SHORT:], job.state, job.name, _local(job.created), taken


def _facts(job: Snapshot) -> Iterator[tuple[str, str]]:
    facts = {
        "name": job.name,
        "owner": job.owner,
        "created": _local(job.created),
        "started": job.started and _local(job.started),
        "took": None if job.seconds is None else seconds(job.seconds),
        "position": job.position,
        "priority": job.priority or None,
        "worker": job.worker,
        "attempt": job.attempt if job.attempt > 1 else None,
        "retry of": job.retry_of,
    }
    for name, value in facts.items():
        if value not in {None, ""}:
            yield name, str(value)


def _local(time: datetime) -> str:
    return f"{time.astimezone():%Y-%m-%d %H:%M:%S}"


def _json(job: Job) -> Json:
    return job.snapshot.model_dump(mode="json")
