from typing import Any

import pytest

from server.comfy.telling import Telling, status
from server.jobs.model import Job
from server.live import Event

from .told import CANCELLED, ENDED, FAILED, ORIGIN

Json = dict[str, Any]


def event(kind: str, blob: bytes = b"", **data: Any) -> Event:
    return Event(1, kind, "mine", "local", 5.0, data, blob)


@pytest.fixture
def telling() -> Telling:
    return Telling("mine", ORIGIN)


def kinds(telling: Telling, *events: Event, job: Job | None = None) -> list[str]:
    return [
        "binary" if isinstance(message, bytes) else message["type"]
        for each in events
        for message in telling.of(each, job)
    ]


def test_a_job_is_told_in_comfyuis_order(telling: Telling) -> None:
    events = [
        event("job.started"),
        event("node.started", node="sampler"),
        event("node.progressed", node="sampler", done=1, total=2),
        event("node.finished", node="sampler", state="ran"),
        event("job.succeeded"),
    ]
    assert kinds(telling, *events, job=ENDED) == [
        "execution_start", "execution_cached", "executing", "progress_state", "progress_state", "progress",
        "progress_state", "executed", "execution_success", "executing",
    ]  # fmt: skip


def test_the_parts_of_a_node_are_one_node(telling: Telling) -> None:
    events = [event("node.started", node="start"), event("node.started", node="sampler")]
    messages = [m for each in events for m in telling.of(each)]
    executing = [
        m["data"] for m in messages if not isinstance(m, bytes) and m["type"] == "executing"
    ]
    assert executing == [{"node": "3", "display_node": "3", "prompt_id": "mine"}]


def test_progress_comes_with_a_preview_if_there_is_one(telling: Telling) -> None:
    told = event("node.progressed", b"jpeg", node="sampler", done=3, total=20)
    *_, progress, picture = telling.of(told)
    assert progress == {
        "type": "progress",
        "data": {"value": 3, "max": 20, "prompt_id": "mine", "node": "3"},
    }
    assert picture == b"\0\0\0\1\0\0\0\1jpeg"


def test_a_stored_result_is_cached_and_told_once(telling: Telling) -> None:
    stored = event("node.finished", node="decode", state="stored")
    (first,) = telling.of(stored)
    assert not isinstance(first, bytes)
    assert (first["type"], first["data"]["nodes"]) == ("execution_cached", ["8"])
    assert list(telling.of(stored)) == []


def test_files_are_told_before_the_end(telling: Telling) -> None:
    executed, success, last = telling.of(event("job.succeeded"), ENDED)
    assert not isinstance(executed, bytes)
    assert executed["data"]["node"] == "9"
    assert executed["data"]["output"]["images"][0]["filename"] == "a_00001.png"
    assert not isinstance(success, bytes)
    assert success["data"] == {"prompt_id": "mine", "timestamp": 5000}
    assert last == {"type": "executing", "data": {"node": None, "prompt_id": "mine"}}


@pytest.mark.parametrize(
    ("kind", "job", "told"),
    [
        ("job.failed", FAILED, "execution_error"),
        ("job.cancelled", CANCELLED, "execution_interrupted"),
    ],
)
def test_other_ends_have_types_of_their_own(
    kind: str, job: Job, told: str, telling: Telling
) -> None:
    list(telling.of(event("node.finished", node="checkpoint", state="ran")))
    list(telling.of(event("node.started", node="sampler")))
    first, last = telling.of(event(kind), job)
    assert not isinstance(first, bytes)
    assert (first["type"], first["data"]["executed"]) == (told, ["4"])
    assert first["data"]["node_id"] == "3"
    assert not isinstance(last, bytes)
    assert last["data"]["node"] is None


def test_a_job_that_begins_again_is_told_anew(telling: Telling) -> None:
    list(telling.of(event("node.finished", node="decode", state="ran")))
    assert kinds(telling, event("job.started")) == ["execution_start", "execution_cached"]
    assert telling.executed == []


def test_nodes_that_are_no_part_of_the_prompt_are_not_told(telling: Telling) -> None:
    events = [
        event("node.started", node="other"),
        event("node.progressed", node="other", done=1, total=2),
        event("node.finished", node="other", state="ran"),
        event("warned", message="x"),
        event("job.queued"),
    ]
    assert kinds(telling, *events, job=ENDED) == []


def test_a_status_counts_and_greets() -> None:
    assert status(2)["data"] == {"status": {"exec_info": {"queue_remaining": 2}}}
    assert status(0, "me")["data"]["sid"] == "me"
