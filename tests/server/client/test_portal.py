import asyncio
import gc
import threading
import time
from collections.abc import AsyncGenerator

import pytest

from server.client import Client
from server.client.portal import Portal
from tests.serving import Served


async def nothing() -> None:
    await asyncio.sleep(0)


async def twice(number: int) -> int:
    await asyncio.sleep(0)
    return number * 2


async def fails() -> int:
    raise ValueError("no")


async def counting(ended: list[str]) -> AsyncGenerator[int, None]:
    try:
        for number in range(3):
            yield number
    finally:
        ended.append("ended")


def threads() -> int:
    return sum(thread.name == "darkroom-client" for thread in threading.enumerate())


def test_results_and_errors_come_back() -> None:
    portal = Portal(nothing)

    assert portal.call(twice(4)) == 8
    with pytest.raises(ValueError, match="no"):
        portal.call(fails())
    portal.close()


def test_a_generator_is_ended_when_its_reader_leaves() -> None:
    portal, ended = Portal(nothing), list[str]()

    assert list(portal.iterate(counting(ended))) == [0, 1, 2]
    some = portal.iterate(counting(ended))
    assert next(some) == 0
    some.close()

    assert ended == ["ended", "ended"]
    portal.close()


def test_calls_from_several_threads_do_not_mix() -> None:
    portal, found = Portal(nothing), dict[int, int]()
    work = [
        threading.Thread(target=lambda n=n: found.update({n: portal.call(twice(n))}))
        for n in range(20)
    ]

    for thread in work:
        thread.start()
    for thread in work:
        thread.join()

    assert found == {n: n * 2 for n in range(20)}
    portal.close()


def test_a_client_that_is_left_alone_closes_itself(served: Served) -> None:
    before = threads()
    workflows = Client(served.url).workflows

    assert workflows.all()
    assert threads() == before + 1

    del workflows
    gc.collect()
    until = time.monotonic() + 5
    while threads() > before and time.monotonic() < until:
        time.sleep(0.01)
    assert threads() == before
