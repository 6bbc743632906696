from server.database.database import Database
from server.jobs.deliveries import Deliveries
from server.jobs.model import NewJob
from server.jobs.queue import Jobs


async def ended(jobs: Jobs, webhook: str | None = "http://hook") -> str:
    (job,) = await jobs.submit([NewJob("ada", {}, webhook=webhook)])
    await jobs.claim(job.id, "w")
    await jobs.finish(job.id, 1, "succeeded")
    return job.id


async def test_the_end_of_a_job_is_to_be_told(jobs: Jobs, database: Database) -> None:
    deliveries = Deliveries(database)
    await ended(jobs, None)
    finished = await ended(jobs)
    (cancelled,) = await jobs.submit([NewJob("ada", {}, webhook="http://other")])
    assert [delivery.job for delivery in await deliveries.due()] == [finished]
    await jobs.cancel(cancelled.id)
    due = await deliveries.due()
    assert [(one.job, one.url) for one in due] == [
        (finished, "http://hook"),
        (cancelled.id, "http://other"),
    ]
    for one in due:
        await deliveries.delivered(one.id)
    assert await deliveries.due() == []


async def test_a_failed_attempt_is_made_again_later_and_later(
    jobs: Jobs, database: Database
) -> None:
    now = 0.0
    deliveries = Deliveries(database, most_attempts=3, monotonic=lambda: now)
    await ended(jobs)
    (one,) = await deliveries.due()
    assert deliveries.pause() is None
    pauses = []
    for _ in range(2):
        await deliveries.failed(one.id, "refused")
        assert await deliveries.due() == []
        pause = deliveries.pause()
        assert pause is not None
        pauses.append(pause)
        now += pause
        (one,) = await deliveries.due()
    assert 4 <= pauses[0] <= 6
    assert 8 <= pauses[1] <= 12
    last = await deliveries.failed(one.id, "still refused")
    assert last is not None
    assert (last.state, last.attempts, last.reason) == ("failed", 3, "still refused")
    now += 1e9
    assert await deliveries.due() == []
    assert await deliveries.of(one.job) == [last]
    assert await deliveries.failed(one.id, "again") is None


async def test_one_that_waits_does_not_hold_up_the_others(jobs: Jobs, database: Database) -> None:
    deliveries = Deliveries(database, monotonic=lambda: 0.0)
    await ended(jobs)
    second = await ended(jobs)
    (first,) = await deliveries.due(limit=1)
    await deliveries.failed(first.id, "x")
    assert [one.job for one in await deliveries.due(limit=1)] == [second]


async def test_attempts_are_counted_over_a_restart(jobs: Jobs, database: Database) -> None:
    await ended(jobs)
    before = Deliveries(database)
    (one,) = await before.due()
    await before.failed(one.id, "x")
    (again,) = await Deliveries(database).due()
    assert (again.id, again.attempts) == (one.id, 1)


async def test_a_webhook_that_must_not_be_told_is_given_up(jobs: Jobs, database: Database) -> None:
    deliveries = Deliveries(database)
    await ended(jobs)
    (one,) = await deliveries.due()
    given_up = await deliveries.failed(one.id, "private address", for_good=True)
    assert given_up is not None
    assert given_up.state == "failed"


async def test_a_deleted_job_is_not_told(jobs: Jobs, database: Database) -> None:
    await jobs.delete([await ended(jobs)], None)
    assert await Deliveries(database).due() == []
