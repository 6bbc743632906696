import pytest

from engine.errors import InputError
from server.jobs.model import Filter, Job, JobState, NewJob
from server.jobs.queue import Jobs


async def submitted(jobs: Jobs, *names: str, owner: str = "ada", priority: int = 0) -> list[Job]:
    return await jobs.submit(
        [NewJob(owner, {"name": name}, name=name, priority=priority) for name in names]
    )


async def found(jobs: Jobs, wanted: Filter, limit: int = 100) -> list[str]:
    """The names on all pages, one after the other."""
    names: list[str] = []
    after = None
    while True:
        page = await jobs.find(wanted, limit, after)
        names += [job.name for job in page.jobs]
        after = page.next
        if after is None:
            assert page.total == len(names)
            return names


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_pages_hold_each_job_once(jobs: Jobs, limit: int) -> None:
    a, b, *_ = await submitted(jobs, "a", "b", "c", "d")
    await submitted(jobs, "e", priority=2)
    await jobs.cancel(b.id)
    await jobs.claim(a.id, "w")
    assert await found(jobs, Filter(), limit) == ["e", "d", "c", "b", "a"]
    assert await found(jobs, Filter(queue=True), limit) == ["e", "c", "d"]
    both: tuple[JobState, ...] = ("queued", "running", "cancelled")
    assert await found(jobs, Filter(queue=True, states=both), limit) == ["a", "e", "c", "d"]
    assert await found(jobs, Filter(states=both), limit) == ["e", "d", "c", "b", "a"]


async def test_filters_narrow(jobs: Jobs) -> None:
    await submitted(jobs, "Red house", "100%", "a_b")
    await submitted(jobs, "axb", owner="bob")
    assert await found(jobs, Filter(owner="bob")) == ["axb"]
    assert await found(jobs, Filter(name="100%")) == ["100%"]
    assert await found(jobs, Filter(text="HOUSE")) == ["Red house"]
    assert await found(jobs, Filter(text="a_")) == ["a_b"]
    assert await found(jobs, Filter(text="%")) == ["100%"]
    assert await found(jobs, Filter(states=("failed",))) == []
    assert await found(jobs, Filter(queue=True, states=("failed",))) == []


async def test_text_is_found_in_ids(jobs: Jobs) -> None:
    await submitted(jobs, "other")
    await jobs.submit([NewJob("ada", {}, id="comfy-77", name="x")])
    assert await found(jobs, Filter(text="fy-7")) == ["x"]


async def test_times_bound_a_search(jobs: Jobs) -> None:
    for now, name in enumerate("abc"):
        jobs.clock = lambda now=float(now): now  # type: ignore[misc]
        await submitted(jobs, name)
    assert await found(jobs, Filter(since=1.0)) == ["c", "b"]
    assert await found(jobs, Filter(until=1.0)) == ["a"]


async def test_a_new_job_does_not_shift_the_next_page(jobs: Jobs) -> None:
    await submitted(jobs, "a", "b", "c")
    first = await jobs.find(Filter(), 2)
    await submitted(jobs, "d")
    second = await jobs.find(Filter(), 2, first.next)
    assert [job.name for job in first.jobs + second.jobs] == ["c", "b", "a"]


@pytest.mark.parametrize(
    "after", ["", "x", "!!!", "W10", "WyJhIl0", "bnVsbA", "W05hTl0", "ü", "WzFdWzFd"]
)
async def test_a_place_that_nobody_gave_is_refused(jobs: Jobs, after: str) -> None:
    for wanted in (Filter(), Filter(queue=True)):
        with pytest.raises(InputError, match="not known"):
            await jobs.find(wanted, 10, after)


@pytest.mark.parametrize("text", ["\0", "\ud800"])
async def test_text_that_no_job_can_have_finds_none(jobs: Jobs, text: str) -> None:
    await submitted(jobs, "a")
    for wanted in (Filter(text=text), Filter(name=text), Filter(owner=text)):
        assert await found(jobs, wanted) == []
    assert await jobs.get(text) is None
