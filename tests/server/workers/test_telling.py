import time
from typing import Any

import pytest

from engine.events import NodeFinished, NodeProgressed, Warned
from server.workers import telling as module
from server.workers.messages import FromWorker, Happened
from server.workers.telling import Telling


class Heard:
    def __init__(self) -> None:
        self.events: list[Happened] = []

    def __call__(self, message: FromWorker) -> None:
        assert isinstance(message, Happened)
        self.events.append(message)

    @property
    def blobs(self) -> list[bytes]:
        return [event.blob for event in self.events]


def picture(shown: Any) -> bytes:
    return f"picture of {shown}".encode()


def progress(done: int, total: int = 100, preview: Any = lambda: "it") -> NodeProgressed:
    return NodeProgressed("node", "Slow", done, total, preview)


def test_nobody_looks_and_no_preview_is_made() -> None:
    heard = Heard()

    def made() -> str:
        pytest.fail("nobody looks")

    Telling("run", heard, picture, watched=False)(progress(1, preview=made))
    assert heard.blobs == [b""]


def test_previews_come_not_more_often_than_eight_times_a_second() -> None:
    heard = Heard()
    telling = Telling("run", heard, picture, watched=True)
    until = time.monotonic() + 0.6
    done = 0
    while time.monotonic() < until:
        telling(progress(done := done + 1, 10**9))
        time.sleep(0.002)
    shown = [blob for blob in heard.blobs if blob]
    assert 3 <= len(shown) <= 6
    assert set(shown) == {b"picture of it"}


def test_a_costly_preview_takes_a_tenth_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PREVIEW_SECONDS", 0.0)
    heard = Heard()

    def slow(shown: Any) -> bytes:
        time.sleep(0.05)
        return b"x"

    telling = Telling("run", heard, slow, watched=True)
    until = time.monotonic() + 0.4
    while time.monotonic() < until:
        telling(progress(1))
        time.sleep(0.002)
    assert len([blob for blob in heard.blobs if blob]) == 1


def test_a_preview_that_fails_is_the_last_and_the_run_goes_on() -> None:
    calls = []

    def broken(shown: Any) -> bytes:
        calls.append(shown)
        raise RuntimeError("no")

    heard = Heard()
    telling = Telling("run", heard, broken, watched=True)
    for done in (1, 100, 100):
        telling(progress(done))
    assert len(calls) == 1
    assert [event.data["done"] for event in heard.events] == [1, 100, 100]


def test_watching_begins_and_ends_during_a_run() -> None:
    heard = Heard()
    telling = Telling("run", heard, picture, watched=False)
    telling.watched = True
    telling(progress(100))
    telling.watched = False
    telling(progress(100))
    assert heard.blobs == [b"picture of it", b""]


def test_bytes_and_warnings_are_told() -> None:
    heard = Heard()
    telling = Telling("run", heard, None, watched=True)
    telling(NodeFinished("node", "Add", "ran", 0.25, 12))
    telling(Warned("careful", "node"))
    assert [(event.type, event.data) for event in heard.events] == [
        (
            "node.finished",
            {"node": "node", "type": "Add", "state": "ran", "seconds": 0.25, "bytes": 12},
        ),
        ("warned", {"message": "careful", "node": "node"}),
    ]
    assert telling.bytes == {"node": 12}
