import asyncio
import time

import pytest

from server.live import Event, Hub


def everything(_: Event) -> bool:
    return True


async def test_a_watcher_hears_what_it_wants_in_order() -> None:
    hub = Hub(first=7)
    with hub.subscribe(lambda event: event.owner in {"", "ada"}) as mine:
        hub.publish("job.queued", owner="ada", job="1")
        hub.publish("job.queued", owner="bob", job="2")
        hub.publish("workers.changed")
        heard = [await anext(mine), await anext(mine)]
    assert [(event.id, event.type) for event in heard] == [
        (7, "job.queued"),
        (9, "workers.changed"),
    ]


async def test_of_progress_only_the_latest_waits() -> None:
    hub = Hub()
    with hub.subscribe(everything) as watcher:
        for step in range(10_000):
            hub.publish("node.progressed", job="1", data={"node": "a", "done": step})
        hub.publish("node.finished", job="1", data={"node": "a"})
        assert len(watcher.waiting) == 2
        assert (await anext(watcher)).data["done"] == 9_999
        assert (await anext(watcher)).type == "node.finished"
    assert len(hub.kept) == 1


async def test_a_watcher_that_reads_nothing_is_left_behind() -> None:
    hub = Hub()
    with hub.subscribe(everything, most=100) as deaf, hub.subscribe(everything) as other:
        for _ in range(1_000):
            hub.publish("job.queued")
        assert deaf.lagging
        assert len(deaf.waiting) <= 101
        assert not other.lagging
        heard = [event.id async for event in deaf]
        assert heard == list(range(1, len(heard) + 1))
        assert len(other.waiting) == 1_000


async def test_a_watcher_that_left_hears_no_more() -> None:
    hub = Hub()
    with hub.subscribe(everything) as gone:
        pass
    hub.publish("job.queued")
    assert not gone.waiting
    assert not hub.subscriptions


async def test_a_watcher_waits_for_what_comes() -> None:
    hub = Hub()
    with hub.subscribe(everything) as watcher:
        waiting = asyncio.ensure_future(anext(watcher))
        await asyncio.sleep(0)
        hub.publish("job.queued")
        assert (await asyncio.wait_for(waiting, 5)).type == "job.queued"


def test_what_was_missed_is_told_while_it_is_remembered() -> None:
    hub = Hub(first=100, keep=10)
    assert list(hub.since(99) or ()) == []
    for _ in range(20):
        hub.publish("job.queued")
    found = hub.since(115)
    assert found is not None
    assert [event.id for event in found] == [116, 117, 118, 119]
    assert hub.since(105) is None
    assert list(hub.since(119) or ()) == []
    assert list(hub.since(10**12) or ()) == []


def test_an_event_is_told_as_json() -> None:
    event = Hub().publish("warned", owner="ada", job="1", data={"message": "größer"})
    assert '"größer"' in event.text
    assert "ada" not in event.text


async def test_many_watchers_hear_of_progress_more_rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.live.PROGRESS_RATE", 10.0)
    hub = Hub()
    with hub.subscribe(lambda _: True) as watcher:
        hub.publish("node.progressed", job="j", data={"node": "n", "done": 1})
        assert (await anext(watcher)).data["done"] == 1
        for done in (2, 3):
            hub.publish("node.progressed", job="j", data={"node": "n", "done": done})
        started = time.monotonic()
        assert (await anext(watcher)).data["done"] == 3
        assert time.monotonic() - started > 0.05


async def test_the_end_of_a_job_does_not_wait_for_the_turn_of_progress(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("server.live.PROGRESS_RATE", 0.001)
    hub = Hub()
    with hub.subscribe(lambda _: True) as watcher:
        hub.publish("node.progressed", job="j", data={"node": "n"})
        await anext(watcher)
        hub.publish("node.progressed", job="j", data={"node": "n"})
        waiting = asyncio.create_task(anext(watcher))
        await asyncio.sleep(0.01)
        hub.publish("job.succeeded", job="j")
        async with asyncio.timeout(1):
            assert (await waiting).type == "node.progressed"
            assert (await anext(watcher)).type == "job.succeeded"


def test_what_is_remembered_is_bounded_in_bytes() -> None:
    hub = Hub(most_bytes=10_000)
    for _ in range(100):
        hub.publish("job.succeeded", data={"outputs": "x" * 1_000})
    assert 5 < len(hub.kept) < 10
    assert hub.since(hub.next - 3) is not None
    assert hub.since(1) is None
    hub.publish("job.succeeded", data={"outputs": "x" * 20_000})
    assert (len(hub.kept), hub.bytes) == (0, 0)
