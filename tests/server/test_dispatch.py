import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from server.database.faults import DatabaseBusy, DatabaseFull
from server.dispatch import MOST_ATTEMPTS, PATIENCE, Policy
from server.jobs.model import Job
from server.workers.messages import Happened
from server.workers.spec import NotTaken, WorkerLost
from tests.server.dispatching import Office, Opened, fresh_database, open_office

__all__ = ["fresh_database", "open_office"]


@pytest.fixture
async def office(open_office: Opened) -> Office:
    return await open_office()


async def test_jobs_run_one_after_another_on_one_worker(office: Office) -> None:
    first, second = await office.submit("first", "second")
    given = await office.crew.next()
    assert given.run.document == {"n": "first"}
    await asyncio.sleep(0.05)
    assert office.crew.given.empty()
    given.succeed(sum=3)
    ended = await office.ended(first)
    assert (ended.state, ended.outputs) == ("succeeded", {"sum": {"value": 3}})
    assert [record.node for record in await office.jobs.nodes(first.id)] == ["a"]
    (await office.crew.next()).succeed()
    assert (await office.ended(second)).state == "succeeded"
    assert office.told(first) == ["job.queued", "job.started", "job.succeeded"]


async def test_several_workers_run_several_jobs(open_office: Opened) -> None:
    office = await open_office(ids=("one", "two"))
    jobs = await office.submit("a", "b")
    both = [await office.crew.next() for _ in jobs]
    assert {given.worker for given in both} == {"one", "two"}
    for given in both:
        given.succeed()
    assert [(await office.ended(job)).state for job in jobs] == ["succeeded"] * 2


async def test_a_job_goes_where_its_models_are(open_office: Opened) -> None:
    office = await open_office(ids=("cold", "warm"), warm={"warm": ("xl.safetensors",)})
    await office.submit("draw", wants=("xl.safetensors",))
    assert (await office.crew.next()).worker == "warm"


async def test_warmth_goes_before_order_but_not_before_priority(open_office: Opened) -> None:
    office = await open_office(warm={"one": ("xl",)})
    await office.dispatcher.pause(True)
    await office.submit("other", wants=("small",))
    await office.submit("warm", wants=("xl",))
    await office.submit("urgent", priority=5)
    await office.dispatcher.pause(False)
    order = []
    for _ in range(3):
        given = await office.crew.next()
        order.append(given.run.document["n"])
        given.succeed()
    assert order == ["urgent", "warm", "other"]


async def test_a_cold_job_is_passed_over_only_so_often(open_office: Opened) -> None:
    office = await open_office(warm={"one": ("xl",)})
    await office.dispatcher.pause(True)
    await office.submit("cold", wants=("small",))
    await office.submit(*(f"warm {n}" for n in range(PATIENCE + 2)), wants=("xl",))
    await office.dispatcher.pause(False)
    order = []
    for _ in range(PATIENCE + 1):
        given = await office.crew.next()
        order.append(given.run.document["n"])
        given.succeed()
    assert order[-1] == "cold"


async def test_a_run_gets_its_owners_folders(open_office: Opened, tmp_path: Path) -> None:
    office = await open_office(policy=Policy(private_results=True, stop_grace=0.1))
    await office.submit("draw", owner="ada")
    run = (await office.crew.next()).run
    own = tmp_path / "users" / "ada"
    assert (run.inputs, run.outputs) == (str(own / "inputs"), str(own / "outputs"))
    assert run.namespace == "ada"


async def test_a_pause_starts_nothing_and_touches_nothing(office: Office) -> None:
    (running,) = await office.submit("running")
    given = await office.crew.next()
    await office.dispatcher.pause(True)
    (waiting,) = await office.submit("waiting")
    given.succeed()
    assert (await office.ended(running)).state == "succeeded"
    await asyncio.sleep(0.1)
    assert (await office.state(waiting)).state == "queued"
    await office.dispatcher.pause(False)
    await office.crew.next()


async def test_a_lost_worker_costs_one_repetition(office: Office) -> None:
    (job,) = await office.submit("draw")
    (await office.crew.next()).lose(WorkerLost("it ended with signal 11", "died"))
    (await office.crew.next()).lose(WorkerLost("it ended with signal 11", "died"))
    ended = await office.ended(job)
    assert (ended.state, ended.attempt) == ("failed", 2)
    assert ended.error is not None
    assert (ended.error["kind"], ended.error["code"]) == ("worker_lost", "worker_died")
    assert "signal 11" in ended.error["detail"]
    assert office.told(job)[1:] == ["job.started", "job.requeued", "job.started", "job.failed"]
    assert not office.dispatcher.losses


async def test_a_worker_that_did_not_take_the_job_is_no_loss(office: Office) -> None:
    office.crew.refuses = [NotTaken("it is starting")] * 4
    (job,) = await office.submit("draw")
    (await office.crew.next()).succeed()
    assert (await office.ended(job)).state == "succeeded"


async def test_a_job_that_ends_every_server_is_given_up(office: Office) -> None:
    await office.dispatcher.pause(True)
    (job,) = await office.submit("bomb")
    for attempt in range(1, MOST_ATTEMPTS + 1):
        await office.jobs.claim(job.id, "one")
        await office.jobs.requeue(job.id, attempt)
    await office.dispatcher.pause(False)
    ended = await office.ended(job)
    assert ended.state == "failed"
    assert ended.error is not None
    assert ended.error["code"] == "too_many_attempts"
    assert office.crew.given.empty()


# Cancelling


async def test_a_running_job_is_cancelled_when_it_yields(office: Office) -> None:
    (job,) = await office.submit("draw")
    await office.crew.next()
    assert await office.dispatcher.cancel(job.id) is not None
    assert (await office.ended(job)).state == "cancelled"
    assert await office.dispatcher.cancel(job.id) is None
    assert office.told(job).count("job.cancelled") == 1


async def test_a_job_is_cancelled_before_its_worker_has_heard_of_it(office: Office) -> None:
    gate = office.jobs.gates["document"] = asyncio.Event()
    (job,) = await office.submit("draw")
    await office.jobs.until("document")
    assert await office.dispatcher.cancel(job.id) is not None
    gate.set()
    assert (await office.ended(job)).state == "cancelled"
    assert office.crew.given.empty()


async def test_a_job_is_cancelled_on_its_way_back_into_the_queue(office: Office) -> None:
    gate = office.jobs.gates["requeue"] = asyncio.Event()
    (job,) = await office.submit("draw")
    (await office.crew.next()).lose(WorkerLost("killed"))
    await office.jobs.until("requeue")
    assert await office.dispatcher.cancel(job.id) is not None
    gate.set()
    assert (await office.ended(job)).state == "cancelled"
    await asyncio.sleep(0.05)
    assert office.crew.given.empty()
    assert office.told(job)[-2:] == ["job.requeued", "job.cancelled"]


async def test_a_cancellation_is_not_waited_for(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()

    async def cancel(run: str, grace: float) -> None:
        await gate.wait()

    monkeypatch.setattr(office.crew, "cancel", cancel)
    (job,) = await office.submit("deaf")
    given = await office.crew.next()
    cancelled = await asyncio.wait_for(office.dispatcher.cancel(job.id), 2)
    assert cancelled is not None
    assert cancelled.state == "running"
    gate.set()
    given.lose(WorkerLost("its node did not yield", "stopped"))
    assert (await office.ended(job)).state == "cancelled"


async def test_a_job_whose_worker_had_to_be_ended_is_cancelled(office: Office) -> None:
    office.crew.yields = False
    (job,) = await office.submit("deaf")
    given = await office.crew.next()
    await office.dispatcher.cancel(job.id)
    given.lose(WorkerLost("its node did not yield", "stopped"))
    assert (await office.ended(job)).state == "cancelled"


async def test_a_job_that_ends_while_it_is_cancelled_keeps_what_it_made(office: Office) -> None:
    office.crew.yields = False
    (job,) = await office.submit("draw")
    given = await office.crew.next()
    await office.dispatcher.cancel(job.id)
    given.succeed(sum=1)
    assert (await office.ended(job)).state == "succeeded"


# A disk that is full


async def test_the_end_of_a_job_waits_for_room_on_the_disk(office: Office) -> None:
    (job,) = await office.submit("draw")
    given = await office.crew.next()
    office.jobs.full = True
    given.succeed(sum=3)
    await office.jobs.until("finish")
    await office.jobs.until("finish")
    assert (await office.state(job)).state == "running"
    office.jobs.full = False
    ended = await office.ended(job)
    assert (ended.state, ended.outputs) == ("succeeded", {"sum": {"value": 3}})


async def test_a_lost_worker_on_a_full_disk_loses_no_job(office: Office) -> None:
    (job,) = await office.submit("draw")
    given = await office.crew.next()
    office.jobs.full = True
    given.lose(WorkerLost("killed"))
    await office.jobs.until("requeue")
    office.jobs.full = False
    (await office.crew.next()).succeed()
    assert (await office.ended(job)).state == "succeeded"


async def test_each_job_is_tried_again_soon(office: Office) -> None:
    for number in range(6):
        office.jobs.faults["finish"] = [DatabaseBusy("locked")]
        (job,) = await office.submit(str(number))
        given = await office.crew.next()
        began = time.monotonic()
        given.succeed()
        await office.ended(job)
        assert time.monotonic() - began < 3


async def test_a_queue_that_cannot_be_read_is_read_again(office: Office) -> None:
    office.jobs.faults["upcoming"] = [DatabaseBusy("locked"), RuntimeError("a bug")]
    (job,) = await office.submit("draw")
    (await office.crew.next()).succeed()
    assert (await office.ended(job)).state == "succeeded"


async def test_an_end_that_cannot_be_written_at_all_fails_the_job(office: Office) -> None:
    office.jobs.faults["finish"] = [ValueError("no JSON: \0")]
    (job,) = await office.submit("draw")
    (await office.crew.next()).succeed()
    ended = await office.ended(job)
    assert ended.state == "failed"
    assert ended.error is not None
    assert ended.error["code"] == "internal"


async def test_events_wait_for_room_on_the_disk(office: Office) -> None:
    (job,) = await office.submit("draw")
    given = await office.crew.next()
    office.jobs.faults["record"] = [DatabaseFull("no room")] * 2
    given.heard(Happened(given.run.run, "node.finished", {"node": "a"}))
    given.succeed()
    for _ in range(3):
        await office.jobs.until("record")
    await office.dispatcher.stop()
    kept = await office.jobs.events_after(0, job=job.id)
    kinds = [event.type for event in kept]
    assert kinds == ["job.queued", "job.started", "node.finished", "job.succeeded"]


# Commits that were made although the connection was lost before it said so


async def test_an_end_that_was_written_unconfirmed_is_told_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish, lost = office.jobs.finish, [DatabaseBusy("the connection was lost")]

    async def unconfirmed(*arguments: Any, **rest: Any) -> Job | None:
        finished = await finish(*arguments, **rest)
        if lost:
            raise lost.pop()
        return finished

    monkeypatch.setattr(office.jobs, "finish", unconfirmed)
    (job,) = await office.submit("draw")
    (await office.crew.next()).succeed(sum=3)
    async with asyncio.timeout(5):
        while "job.succeeded" not in office.told(job):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert office.told(job).count("job.succeeded") == 1


async def test_a_job_that_was_claimed_unconfirmed_is_queued_again(office: Office) -> None:
    office.jobs.faults["claim"] = [DatabaseBusy("the connection was lost")]
    (job,) = await office.submit("draw")
    (await office.crew.next()).succeed(sum=3)
    ended = await office.ended(job)
    assert (ended.state, ended.attempt) == ("succeeded", 2)
    assert office.told(job) == ["job.queued", "job.requeued", "job.started", "job.succeeded"]


async def test_nobody_who_watches_leaves_nothing_behind(office: Office) -> None:
    for by in (1, 1, -1, -1):
        office.dispatcher.watch("job", by)
    assert office.dispatcher.watched == {}


# Stopping


async def test_stopping_queues_again_what_does_not_end(office: Office) -> None:
    (job,) = await office.submit("draw")
    await office.crew.next()
    with capture_logs() as logs:
        await office.dispatcher.stop()
    assert (await office.state(job)).state == "queued"
    kept = await office.jobs.events_after(0, job=job.id)
    assert kept[-1].type == "job.requeued"
    events = [each["event"] for each in logs]
    assert "requeued" in events
    assert "ended" not in events


async def test_stopping_lets_a_job_end(open_office: Opened) -> None:
    office = await open_office(policy=Policy(stop_grace=5))
    (job,) = await office.submit("draw")
    given = await office.crew.next()
    stopping = asyncio.create_task(office.dispatcher.stop())
    await asyncio.sleep(0.05)
    given.succeed()
    await stopping
    assert (await office.state(job)).state == "succeeded"
    kept = await office.jobs.events_after(0, job=job.id)
    assert kept[-1].type == "job.succeeded"


async def test_stopping_while_a_job_is_claimed_gives_it_back(office: Office) -> None:
    gate = office.jobs.gates["claim"] = asyncio.Event()
    (job,) = await office.submit("draw")
    await office.jobs.until("claim")
    assert (await office.state(job)).state == "running"
    stopping = asyncio.create_task(office.dispatcher.stop())
    await asyncio.sleep(0.05)
    gate.set()
    await stopping
    assert (await office.state(job)).state == "queued"
    assert office.crew.given.empty()


async def test_stopping_does_not_wait_for_room_and_the_next_start_goes_on(
    open_office: Opened,
) -> None:
    office = await open_office()
    (job,) = await office.submit("draw")
    given = await office.crew.next()
    office.jobs.full = True
    given.succeed()
    await office.jobs.until("finish")
    async with asyncio.timeout(5):
        await office.dispatcher.stop()
    office.jobs.full = False
    assert (await office.state(job)).state == "running"
    again = await open_office()
    (await again.crew.next()).succeed(sum=3)
    ended = await again.ended(job)
    assert (ended.state, ended.attempt) == ("succeeded", 2)


async def test_what_ran_when_the_server_was_killed_runs_first(open_office: Opened) -> None:
    office = await open_office(ids=())
    first, second = await office.submit("first", "second")
    await office.jobs.claim(second.id, "one")
    await office.dispatcher.stop()
    again = await open_office()
    assert (await again.crew.next()).run.document == {"n": "second"}
    assert (await again.state(first)).state == "queued"


async def test_an_end_that_a_kill_kept_from_being_told_is_told_at_the_next_start(
    open_office: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = await open_office()
    told, untold = await office.submit("told", "untold")
    (await office.crew.next()).succeed(sum=1)
    given = await office.crew.next()
    await office.jobs.until("record")
    await asyncio.sleep(0.1)
    monkeypatch.setattr(office.dispatcher.scribe, "remember", lambda _: None)
    given.succeed(sum=3)
    await office.ended(untold)
    await office.dispatcher.stop()
    again = await open_office()
    assert again.told(untold) == ["job.succeeded"]
    assert again.told(told) == []
    await again.dispatcher.stop()
    kept = await office.jobs.events_after(0, job=untold.id)
    assert kept[-1].type == "job.succeeded"
    once_more = await open_office()
    assert once_more.told(untold) == []
