import asyncio
import time
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select

from engine.errors import InputError
from server.database.database import Database
from server.database.tables import jobs as table, metadata
from server.jobs.model import Filter, Job, NewJob, NodeRecord
from server.jobs.order import Beside
from server.jobs.past import Retention
from server.jobs.queue import Jobs
from server.jobs.submission import IdempotencyConflict
from server.live import Event

DOCUMENT = {"darkroom": 1, "nodes": {"b": {"type": "Add"}, "a": {"type": "Add"}}}


def new(name: str = "sum", **values: Any) -> NewJob:
    return NewJob(**{"owner": "ada", "document": DOCUMENT, "name": name} | values)


async def submitted(jobs: Jobs, *names: str, **values: Any) -> list[Job]:
    return await jobs.submit([new(name, **values) for name in names])


async def ended(jobs: Jobs, name: str = "sum", **values: Any) -> Job:
    (job,) = await submitted(jobs, name, **values)
    await jobs.claim(job.id, "worker")
    finished = await jobs.finish(job.id, 1, "succeeded", {"value": 1})
    assert finished is not None
    return finished


async def names(jobs: Jobs) -> list[str]:
    return [job.name for job in await jobs.upcoming(100)]


async def test_an_accepted_job_is_there_after_the_server_is_gone(database_url: str) -> None:
    database = Database.open(database_url)
    asked = new(webhook="http://x", wants=("a.safetensors",), origin={"prompt": {"1": "ü\0"}})
    (job,) = await Jobs(database).submit([asked])
    database.close()
    database = Database.open(database_url)
    try:
        again = Jobs(database)
        assert await again.get(job.id) == job
        assert await again.origin(job.id) == asked.origin
        kept = await again.document(job.id)
        assert kept == DOCUMENT
        assert list(kept["nodes"]) == ["b", "a"]
    finally:
        database.close()


async def test_what_jobs_came_from_is_told_for_many_at_once(jobs: Jobs) -> None:
    many = await jobs.submit([new(origin={"n": n % 3}) for n in range(6)])
    (bare,) = await submitted(jobs, "bare")
    told = await jobs.origins([bare.id, "unknown", *(job.id for job in many)])
    assert told == {job.id: {"n": n % 3} for n, job in enumerate(many)}
    assert await jobs.origins([]) == {}


async def test_a_job_runs_once_and_ends_once(jobs: Jobs) -> None:
    (job,) = await submitted(jobs, "sum")
    assert (job.state, job.attempt) == ("queued", 0)
    claims = await asyncio.gather(*[jobs.claim(job.id, f"w{n}") for n in range(5)])
    (running,) = [claim for claim in claims if claim]
    assert (running.state, running.attempt) == ("running", 1)
    record = NodeRecord("a", "Add", "ran", 0.5, 2**40)
    ends = await asyncio.gather(
        *[jobs.finish(job.id, 1, "failed", {}, error={"title": "x"}, nodes=[record]) for _ in "123"]
    )
    (end,) = [end for end in ends if end]
    assert (end.state, end.error, end.outputs) == ("failed", {"title": "x"}, {})
    assert await jobs.get(job.id) == end
    assert await jobs.nodes(job.id) == (record,)
    assert await jobs.claim(job.id, "w") is None
    assert await jobs.cancel(job.id) is None


async def test_an_attempt_that_was_given_up_cannot_end_the_job(jobs: Jobs) -> None:
    (job,) = await submitted(jobs, "sum")
    await jobs.claim(job.id, "w1")
    queued = await jobs.requeue(job.id, 1)
    assert queued is not None
    assert (queued.state, queued.started) == ("queued", None)
    assert await jobs.finish(job.id, 1, "succeeded") is None
    await jobs.claim(job.id, "w2")
    assert await jobs.finish(job.id, 1, "succeeded") is None
    assert await jobs.requeue(job.id, 1) is None
    finished = await jobs.finish(job.id, 2, "succeeded", {"value": 3})
    assert finished is not None
    assert finished.outputs == {"value": 3}


async def test_only_a_final_state_ends_a_job(jobs: Jobs) -> None:
    with pytest.raises(ValueError, match="no final state"):
        await jobs.finish("x", 1, "queued")


async def test_the_same_request_gives_the_same_job(jobs: Jobs) -> None:
    tries = [jobs.submit([new(idempotency_key="k", fingerprint="f")]) for _ in range(50)]
    made = await asyncio.gather(*tries)
    assert len({job.id for (job,) in made}) == 1
    assert (await jobs.find(Filter())).total == 1
    (other,) = await jobs.submit([new(owner="bob", idempotency_key="k", fingerprint="g")])
    assert other.id != made[0][0].id


async def test_a_key_stands_for_one_request(jobs: Jobs) -> None:
    await jobs.submit([new(idempotency_key="k", fingerprint="f")])
    with pytest.raises(
        IdempotencyConflict, match="the idempotency key was used for another request"
    ):
        await jobs.submit([new("first"), new(idempotency_key="k", fingerprint="g")])
    assert (await jobs.find(Filter(name="first"))).total == 0


async def test_a_client_may_choose_the_id(jobs: Jobs) -> None:
    (job,) = await jobs.submit([new(id="mine")])
    assert job.id == "mine"
    assert await jobs.submit([new(id="mine")]) == [job]
    for another in (new(id="mine", owner="bob"), new(id="mine", document={"darkroom": 1})):
        with pytest.raises(IdempotencyConflict, match="taken"):
            await jobs.submit([another])


@pytest.mark.parametrize(
    "values",
    [
        {"name": "a\0b"},
        {"name": "\ud800"},
        {"id": ""},
        {"id": "x" * 201},
        {"idempotency_key": "\0"},
        {"priority": 2**31},
    ],
)
async def test_what_cannot_be_kept_is_refused(jobs: Jobs, values: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        await jobs.submit([new(**values)])


async def test_jobs_run_by_priority_then_in_their_order(jobs: Jobs) -> None:
    await submitted(jobs, "a", "b")
    await submitted(jobs, "urgent", priority=5)
    await submitted(jobs, "first", front=True)
    await submitted(jobs, "later", priority=-1)
    assert await names(jobs) == ["urgent", "first", "a", "b", "later"]


async def test_a_batch_for_the_front_runs_in_its_own_order(jobs: Jobs) -> None:
    await submitted(jobs, "old")
    batch = [new("a", front=True), new("last"), new("b", front=True), new("c", front=True)]
    assert [job.name for job in await jobs.submit(batch)] == ["a", "last", "b", "c"]
    assert await names(jobs) == ["a", "b", "c", "old", "last"]


async def test_the_clock_does_not_order_the_queue(database: Database) -> None:
    times = iter([5e9, 100.0, -7.0, 3e9])
    jobs = Jobs(database, clock=lambda: next(times))
    made = await submitted(jobs, "a", "b", "c", "d")
    assert await names(jobs) == ["a", "b", "c", "d"]
    assert [job.number for job in made] == sorted(job.number for job in made)
    assert [job.name for job in (await jobs.find(Filter())).jobs] == ["d", "c", "b", "a"]


async def test_ids_grow_while_the_clock_goes_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    nanoseconds = iter([2 * 10**18, 10**18, 10**18, 2 * 10**18, 3 * 10**18])
    monkeypatch.setattr("server.jobs.ids.time.time_ns", lambda: next(nanoseconds))
    made = await submitted(Jobs(database), *"abcde")
    assert [job.id for job in made] == sorted({job.id for job in made})


async def test_a_job_moves(jobs: Jobs) -> None:
    a, b, c, d = await submitted(jobs, "a", "b", "c", "d")
    await jobs.move(d.id, to="front")
    assert await names(jobs) == ["d", "a", "b", "c"]
    await jobs.move(d.id, to="back")
    await jobs.move(c.id, to=Beside(a.id))
    assert await names(jobs) == ["c", "a", "b", "d"]
    await jobs.move(c.id, to=Beside(b.id, before=False))
    assert await names(jobs) == ["a", "b", "c", "d"]
    moved = await jobs.move(c.id, priority=3)
    assert moved is not None
    assert moved.priority == 3
    await jobs.move(d.id, to=Beside(c.id))
    assert await names(jobs) == ["d", "c", "a", "b"]
    assert await jobs.move(d.id) == await jobs.move(d.id, to=Beside(d.id)) == await jobs.get(d.id)


async def test_only_queued_jobs_move(jobs: Jobs) -> None:
    a, b = await submitted(jobs, "a", "b")
    await jobs.claim(a.id, "w")
    assert await jobs.move(a.id, to="front") is None
    assert await jobs.move("none", to="front") is None
    with pytest.raises(InputError, match="not queued"):
        await jobs.move(b.id, to=Beside(a.id))


async def test_a_closed_gap_is_opened_again(jobs: Jobs) -> None:
    _, b, c, d = await submitted(jobs, "a", "b", "c", "d")
    for _ in range(30):
        await jobs.move(d.id, to=Beside(b.id, before=False))
        await jobs.move(c.id, to=Beside(d.id))
    assert await names(jobs) == ["a", "b", "c", "d"]
    ranks = [job.rank for job in await jobs.upcoming(9)]
    assert ranks == sorted(set(ranks))


async def test_cancelling_takes_jobs_out_of_the_queue(jobs: Jobs) -> None:
    (a,) = await submitted(jobs, "a")
    await submitted(jobs, "b", "c")
    await submitted(jobs, "d", owner="bob")
    cancelled = await jobs.cancel(a.id)
    assert cancelled is not None
    assert cancelled.state == "cancelled"
    assert cancelled.finished is not None
    assert [job.name for job in await jobs.cancel_all("ada")] == ["b", "c"]
    assert await names(jobs) == ["d"]
    assert [job.name for job in await jobs.cancel_all(None)] == ["d"]


async def test_what_ran_when_the_server_ended_is_queued_at_the_front(jobs: Jobs) -> None:
    a, b, _ = await submitted(jobs, "a", "b", "c")
    for job in (a, b):
        await jobs.claim(job.id, "w")
    recovered = await jobs.recover()
    assert [(job.name, job.state, job.attempt) for job in recovered] == [
        ("a", "queued", 1),
        ("b", "queued", 1),
    ]
    assert await names(jobs) == ["a", "b", "c"]
    assert await jobs.recover() == []


async def test_a_retry_is_a_new_job_that_runs_the_same(jobs: Jobs) -> None:
    old = await ended(jobs, idempotency_key="k", origin={"a": 1}, wants=("w",), priority=4)
    again = await jobs.retry(old.id)
    assert (again.state, again.retry_of, again.priority) == ("queued", old.id, 4)
    assert again.wants == ("w",)
    assert await jobs.document(again.id) == DOCUMENT
    assert await jobs.origin(again.id) == {"a": 1}
    with pytest.raises(InputError, match="is queued"):
        await jobs.retry(again.id)
    with pytest.raises(InputError, match="no job"):
        await jobs.retry("none")


async def test_deleting_forgets_ended_jobs_of_the_owner(jobs: Jobs, database: Database) -> None:
    old, kept = await ended(jobs), await ended(jobs, origin={"a": 1})
    other = await ended(jobs, owner="bob")
    (queued,) = await submitted(jobs, "queued", document={"darkroom": 1})
    await jobs.record([Event(1, "job.succeeded", old.id, "ada", 1.0, {})])
    gone = await jobs.delete([old.id, other.id, queued.id, "none"], "ada")
    assert gone == [old]
    assert await jobs.get(old.id) is None
    assert await jobs.document(old.id) is None
    assert await jobs.events_after(0, job=old.id) == []
    assert await jobs.document(kept.id) == DOCUMENT
    assert await count(database, "documents") == 3
    await jobs.delete([kept.id, other.id], None)
    assert await count(database, "documents") == 1


async def count(database: Database, table: str) -> int:
    def work(connection: Any) -> int:
        return int(connection.scalar(select(func.count()).select_from(metadata.tables[table])))

    return await database.read(work)


async def test_equal_documents_are_kept_once(jobs: Jobs, database: Database) -> None:
    await submitted(jobs, *"abcde")
    assert await count(database, "documents") == 1


async def test_numbers_are_never_given_again(jobs: Jobs) -> None:
    last = await ended(jobs)
    await jobs.delete([last.id], None)
    (job,) = await submitted(jobs, "next")
    assert job.number > last.number


async def test_events_are_found_by_owner_and_job(jobs: Jobs) -> None:
    happened = [
        Event(3, "job.queued", "j", "ada", 1.0, {"a": "ü"}),
        Event(4, "workers.changed", None, "", 0.5, {}),
        Event(5, "job.queued", "k", "bob", -1.0, {}),
    ]
    await jobs.record(happened)
    await jobs.record([])
    assert await jobs.events_after(0) == happened
    assert await jobs.events_after(3, owner="ada") == happened[1:2]
    assert await jobs.events_after(0, job="k") == happened[2:]
    assert await jobs.events_after(0, limit=1) == happened[:1]


async def test_event_ids_grow_with_each_start(database: Database) -> None:
    first = await Jobs(database, clock=lambda: 9e9).first_event()
    second = await Jobs(database, clock=lambda: 0.0).first_event()
    assert (first, second) == ((1 << 32) + 1, (2 << 32) + 1)


async def test_a_pause_is_remembered(jobs: Jobs) -> None:
    assert await jobs.paused() is False
    await jobs.set_paused(True)
    assert await jobs.paused() is True
    await jobs.set_paused(False)
    assert await jobs.paused() is False


async def test_counts_are_by_state(jobs: Jobs) -> None:
    await ended(jobs)
    await submitted(jobs, "a", "b", owner="bob")
    counted = await jobs.counts()
    assert (counted["queued"], counted["succeeded"], counted["failed"]) == (2, 1, 0)
    assert (await jobs.counts("ada"))["queued"] == 0


async def test_old_jobs_expire_and_waiting_ones_stay(database: Database) -> None:
    now = 1e9
    jobs = Jobs(database, clock=lambda: now)
    old = await ended(jobs, "old")
    await submitted(jobs, "waits")
    (running,) = await submitted(jobs, "runs")
    await jobs.claim(running.id, "w")
    now += 10 * 86_400
    young = await ended(jobs, "young")
    assert await jobs.expire(Retention()) == []
    assert await jobs.expire(Retention(days=7)) == [old]
    assert await jobs.expire(Retention(most_jobs=1)) == []
    assert await jobs.expire(Retention(most_jobs=0)) == [young]
    assert (await jobs.counts())["queued"] == (await jobs.counts())["running"] == 1


async def test_the_newest_events_are_kept(jobs: Jobs) -> None:
    await jobs.record([Event(n, "warned", None, "", 0.0, {}) for n in range(1, 11)])
    await jobs.expire(Retention(most_events=3))
    assert [event.id for event in await jobs.events_after(0)] == [8, 9, 10]


def copied(connection: Connection, id: str, times: int) -> None:
    row = connection.execute(select(table).where(table.c.id == id)).one()._asdict()
    del row["number"]
    copies = [row | {"id": str(n), "precedence": n % 3, "rank": 1024.0 * n} for n in range(times)]
    connection.execute(insert(table), copies)


async def test_ten_thousand_queued_jobs_are_listed_at_once(tmp_path: Any) -> None:
    database = Database.open(str(tmp_path / "jobs.db"))
    try:
        jobs = Jobs(database)
        (job,) = await jobs.submit([new()])
        await database.write(lambda connection: copied(connection, job.id, 9_999))
        for wanted in (Filter(owner="ada"), Filter(), Filter(queue=True)):
            took = []
            for _ in range(5):
                start = time.perf_counter()
                page = await jobs.find(wanted, 100)
                took.append(time.perf_counter() - start)
                assert (page.total, len(page.jobs)) == (10_000, 100)
            assert min(took) < 0.05
    finally:
        database.close()


async def test_eight_clients_share_the_disks_syncs(tmp_path: Any) -> None:
    database = Database.open(str(tmp_path / "jobs.db"))
    jobs = Jobs(database)

    async def client(number: int) -> None:
        for n in range(40):
            await jobs.submit([new(document={"seed": number * 1000 + n})])

    try:
        start = time.perf_counter()
        await asyncio.gather(*[client(number) for number in range(8)])
        assert 320 / (time.perf_counter() - start) > 100  # a tenth of what an idle machine does
    finally:
        database.close()
