import json
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import pytest

from server.workers.messages import (
    Answer,
    Ask,
    Beat,
    Cancel,
    Delivered,
    Done,
    FromWorker,
    Happened,
    Lent,
    Ready,
    Run,
    Stop,
    ToWorker,
)
from server.workers.outfit import Outfit
from server.workers.worker import Worker, size
from tests.toys.provenance import MAGIC

from .conftest import Json, graph

T = TypeVar("T", bound=FromWorker)


class Talk:
    """A worker in this process, and what it says."""

    def __init__(self, outfit: Outfit) -> None:
        self.outfit = outfit
        self.said: SimpleQueue[FromWorker] = SimpleQueue()
        self.events: list[Happened] = []
        self.worker = Worker(outfit, self.said.put)
        self.worker.start()
        self.number = 0

    def say(self, *messages: ToWorker) -> None:
        for message in messages:
            self.worker.hear(message)

    def hear(self, kind: type[T]) -> T:
        while True:
            try:
                message = self.said.get(timeout=10)
            except Empty:
                pytest.fail(f"no {kind.__name__} was said")
            if isinstance(message, Happened):
                self.events.append(message)
            if isinstance(message, kind):
                return message

    def order(self, document: Json, **rest: Any) -> Run:
        self.number += 1
        data = self.outfit.data
        folders = {name: str(data / name) for name in ("inputs", "outputs", "previews")}
        return Run(f"run-{self.number}", document, "local", **folders | rest)

    def run(self, document: Json, **rest: Any) -> Done:
        self.say(self.order(document, **rest))
        return self.hear(Done)

    def ask(self, question: str, **arguments: Any) -> Answer:
        self.number += 1
        self.say(Ask(self.number, question, arguments))
        answer = self.hear(Answer)
        assert answer.number == self.number
        return answer


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Talk]:
    talk = Talk(Outfit(data=tmp_path, nodes="tests.toys"))
    yield talk
    talk.say(Stop(hurry=True))
    assert talk.worker.ended.wait(10)


WRITE: Json = {
    "darkroom": 1,
    "nodes": {
        "words": {"type": "Anything", "inputs": {"value": "good day"}},
        "write": {
            "type": "Write",
            "inputs": {"text": {"$link": ["words", "value"]}, "name": "a/b"},
        },
    },
    "outputs": {"file": {"node": "write", "output": "value"}},
}
FAIL = {
    "darkroom": 1,
    "nodes": {
        "add": {"type": "Add", "inputs": {"a": 1.0, "b": 2.0}},
        "fail": {"type": "Fail", "inputs": {"number": {"$link": ["add", "value"]}, "how": "input"}},
    },
    "outputs": {"out": {"node": "fail", "output": "value"}},
}


def test_a_worker_says_what_it_is(talk: Talk) -> None:
    ready = talk.hear(Ready)
    assert ready.device == "cpu"
    assert ready.catalogue == talk.ask("catalogue").value["digest"]


def test_files_are_told_by_their_place_in_the_folder_of_outputs(talk: Talk) -> None:
    done = talk.run(WRITE)
    (file,) = done.outputs["file"]["files"]
    assert file["path"] == "a/b_00001.txt"
    assert file["media_type"] == "text/plain"
    assert (talk.outfit.data / "outputs" / file["path"]).read_text() == "good day"
    assert done.delivered == {"write": done.outputs["file"]}


def test_nodes_without_an_output_name_are_told_by_node(talk: Talk) -> None:
    done = talk.run({**WRITE, "outputs": {}})
    assert done.delivered == {"write": done.outputs["write"]}


def test_a_second_run_is_stored(talk: Talk) -> None:
    first, second = talk.run(WRITE), talk.run(WRITE)
    assert {node["state"] for node in first.nodes} == {"ran"}
    assert {node["state"] for node in second.nodes} == {"stored"}
    assert second.outputs == first.outputs


def test_a_namespace_does_not_see_what_another_stored(talk: Talk) -> None:
    states = [
        {node["state"] for node in talk.run(WRITE, namespace=namespace).nodes}
        for namespace in ("ann", "bob", "ann", "")
    ]
    assert states == [{"ran"}, {"ran"}, {"stored"}, {"ran"}]
    assert (talk.outfit.data / "users" / "ann" / "store").is_dir()


def test_clearing_one_namespace_leaves_the_others(talk: Talk) -> None:
    talk.run(WRITE, namespace="ann")
    talk.run(WRITE, namespace="bob")
    assert talk.ask("prune", namespace="ann").value["records"] == 0
    states = [talk.run(WRITE, namespace=name).nodes[0]["state"] for name in ("bob", "ann")]
    assert states == ["stored", "ran"]


def test_a_namespace_cannot_lead_out_of_the_data_folder(talk: Talk) -> None:
    done = talk.run(WRITE, namespace="../../elsewhere")
    assert done.state == "failed"
    assert done.error is not None
    assert done.error["code"] == "outside_roots"


def test_a_failed_node_is_told_with_its_problem(talk: Talk) -> None:
    done = talk.run(FAIL)
    assert done.state == "failed"
    assert done.error is not None
    assert done.error["code"] == "odd"
    assert done.error["problems"] == [
        {
            "code": "odd",
            "message": 'Fail "fail": the number is odd',
            "node": "fail",
            "input": "number",
            "hint": "give 2",
        }
    ]
    assert {node["node"]: node["state"] for node in done.nodes} == {"add": "ran", "fail": "failed"}
    failed = [event for event in talk.events if event.type == "node.failed"]
    assert [event.data["node"] for event in failed] == ["fail"]
    assert failed[0].data["problem"] == done.error["problems"][0]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"darkroom": 1, "nodes": {"a": {"type": "Nowhere"}}}, "unknown_node"),
        ({"nodes": 3}, None),
        ({}, None),
        ({"darkroom": 99, "nodes": {}}, None),
    ],
)
def test_what_is_no_workflow_fails_with_its_problems(
    talk: Talk, document: Json, code: str | None
) -> None:
    done = talk.run(document)
    assert done.state == "failed"
    assert done.error is not None
    assert done.error["problems"]
    assert done.error["detail"]
    assert done.error["kind"] in {"invalid_workflow", "node_failed"}
    assert code is None or code in {problem["code"] for problem in done.error["problems"]}


@pytest.mark.parametrize(
    ("how", "code"), [("disk", "disk_full"), ("memory", "out_of_memory"), ("bug", "node_failed")]
)
def test_what_goes_wrong_in_a_node_has_a_code(
    talk: Talk, how: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DARKROOM_DATA", str(talk.outfit.data))
    done = talk.run(graph("Fail", {"how": how}))
    assert done.error is not None
    assert (done.error["kind"], done.error["code"]) == ("node_failed", code)


def test_no_problem_tells_where_the_data_lies(talk: Talk) -> None:
    data = talk.outfit.data
    own = {name: str(data / "users" / "bob" / name) for name in ("inputs", "outputs", "previews")}
    missing = graph("ReadFile", {"file": str(data / "users" / "bob" / "inputs" / "none.txt")})
    outside = graph("Write", {"text": "x", "name": "../../x"})

    done = [talk.run(missing, **own), talk.run(outside, **own)]
    told = [talk.ask("check", document=missing, inputs=own["inputs"])]
    told.append(talk.ask("plan", document=missing, **own))

    assert [each.state for each in done] == ["failed", "failed"]
    reasons = [(each.error or {})["detail"] for each in done]
    assert "inputs/none.txt" in reasons[0]
    assert "leads out of the output folder outputs" in reasons[1]
    assert any(event.type == "node.failed" for event in talk.events)
    assert told[1].error
    assert "inputs/none.txt" in told[1].error["detail"]
    said = [*(each.error for each in done), *(event.data for event in talk.events)]
    said += [each.error or each.value for each in told]
    assert str(data) not in json.dumps(said)


def test_infinite_numbers_are_told_by_name(talk: Talk) -> None:
    assert talk.run(graph("Infinity")).outputs == {"out": {"value": "inf"}}


def test_a_value_that_is_too_large_is_told_as_a_problem(talk: Talk) -> None:
    done = talk.run(graph("Anything", {"value": "x" * 2**20}))
    assert done.state == "succeeded"
    problem = done.outputs["out"]["problem"]
    assert problem["code"] == "too_large"
    assert "'out'" in problem["message"]
    assert "save it to a file" in problem["hint"]


def test_what_json_cannot_carry_is_left_out(talk: Talk) -> None:
    assert talk.run(graph("Dye")).outputs == {}


def test_a_run_is_cancelled_before_it_begins(talk: Talk) -> None:
    first, second = talk.order(graph("Wait", {"seconds": 0.3})), talk.order(graph("Pid"))
    talk.say(first, second, Cancel(second.run))
    assert talk.hear(Done).state == "succeeded"
    assert talk.hear(Done).state == "cancelled"


def test_a_cancellation_of_a_run_that_ended_is_ignored(talk: Talk) -> None:
    talk.run(graph("Pid"))
    talk.say(Cancel("run-1"), Cancel("never"))
    assert talk.run(graph("Wait", {"seconds": 0.1})).state == "succeeded"


def test_what_a_cancelled_run_finished_is_stored(talk: Talk) -> None:
    document = {
        "darkroom": 1,
        "nodes": {
            "slow": {"type": "Slow", "inputs": {"number": 4.0, "steps": 1}},
            "wait": {"type": "Wait", "inputs": {"seconds": 30}},
        },
        "outputs": {
            "slow": {"node": "slow", "output": "value"},
            "wait": {"node": "wait", "output": "value"},
        },
    }
    talk.say(talk.order(document))
    while talk.hear(Happened).data.get("state") != "ran":
        pass
    talk.say(Cancel("run-1"))
    done = talk.hear(Done)
    assert done.state == "cancelled"
    assert done.outputs == {"slow": {"value": 4.0}}
    again = talk.run(graph("Slow", {"number": 4.0, "steps": 1}))
    assert again.nodes[0]["state"] == "stored"


def test_progress_is_told_not_more_often_than_seen_and_the_last_always(talk: Talk) -> None:
    talk.run(graph("Wait", {"seconds": 1.0}))
    told = [event.data for event in talk.events if event.type == "node.progressed"]
    assert 5 <= len(told) <= 22
    talk.events.clear()
    talk.run(graph("Slow", {"steps": 3}))
    told = [event.data for event in talk.events if event.type == "node.progressed"]
    assert (told[-1]["done"], told[-1]["total"]) == (3, 3)


def test_a_beat_tells_since_when_a_run_made_no_progress(talk: Talk) -> None:
    assert talk.hear(Beat).progressed == 0
    talk.say(talk.order(graph("Deaf")))
    beats = [talk.hear(Beat) for _ in range(2)]
    assert beats[-1].progressed > 0.8
    assert 0 < beats[-1].rss < 2**40
    deaf = next(iter(talk.worker.attempts.values()))
    assert deaf.idle_seconds < 10
    # The node sleeps on in a thread of its own: this worker cannot be stopped.
    talk.worker.ended.set()


def test_questions_are_answered_during_a_run(talk: Talk) -> None:
    talk.say(talk.order(graph("Wait", {"seconds": 30})))
    assert talk.ask("check", document=WRITE).value == {"problems": [], "warnings": []}
    talk.say(Cancel("run-1"))
    assert talk.hear(Done).state == "cancelled"


def test_a_plan_and_its_reasons_are_those_of_the_command_line(talk: Talk) -> None:
    plan = talk.ask("plan", document=FAIL).value
    assert {name: node["state"] for name, node in plan["nodes"].items()} == {
        "add": "run",
        "fail": "run",
    }
    told = talk.ask("explain", document=FAIL, node="add").value
    assert list(told["nodes"]) == ["add"]
    changed = {**FAIL, "nodes": {**FAIL["nodes"], "add": {"type": "Add", "inputs": {"a": 5.0}}}}  # type: ignore[dict-item]
    edit = talk.ask("explain", document=FAIL, changed=changed).value
    assert edit["changed"] == ["add", "fail"]


def test_pictures_are_looked_at(talk: Talk) -> None:
    path = talk.outfit.data / "picture.png"
    path.write_bytes(MAGIC + b'{"width": 3, "height": 2}')
    assert talk.ask("probe", path=str(path)).value == {"width": 3, "height": 2, "format": "png"}
    assert talk.ask("metadata", path=str(path)).value == {"darkroom": {"width": 3, "height": 2}}
    assert talk.ask("thumbnail", path=str(path), size=64).blob == b"64 of picture.png"
    path.write_bytes(b"text")
    refused = talk.ask("probe", path=str(path))
    assert refused.error is not None
    assert refused.error["code"] == "damaged_file"


def test_a_file_that_an_input_names_is_found_in_its_owners_folder(talk: Talk) -> None:
    refused = talk.ask(
        "place", kind="images", name="a.png", inputs=str(talk.outfit.data / "inputs")
    )
    assert refused.error is not None
    assert refused.error["problems"][0]["code"] == "missing_file"


def test_a_beat_tells_what_is_loaded_and_what_is_free(talk: Talk) -> None:
    assert talk.hear(Beat).memory == {"free": 1, "total": 2}


def test_a_question_that_cannot_be_answered_is_answered_with_the_problem(talk: Talk) -> None:
    for answer in (
        talk.ask("riddle"),
        talk.ask("plan", document={"darkroom": 1, "nodes": {"a": {"type": "Nowhere"}}}),
        talk.ask("plan", colour="red"),
        talk.ask("check", document=WRITE, colour="red"),
    ):
        assert answer.value is None
        assert answer.error is not None
        assert answer.error["problems"][0]["message"]


def test_models_and_stores_are_told(talk: Talk) -> None:
    (talk.outfit.data / "models").mkdir()
    (talk.outfit.data / "models" / "small.bin").write_bytes(b"12345")
    assert [row["bytes"] for row in talk.ask("models").value] == [5]
    talk.run(WRITE)
    assert talk.ask("store").value["records"] == 1
    assert talk.ask("prune", to=0).value["records"] == 0
    assert talk.ask("free").error is None
    assert [node["state"] for node in talk.run(WRITE).nodes] == ["ran", "ran"]


def test_stopping_finishes_the_run(tmp_path: Path) -> None:
    talk = Talk(Outfit(data=tmp_path, nodes="tests.toys"))
    talk.say(talk.order(graph("Wait", {"seconds": 0.3})), Stop())
    assert talk.hear(Done).state == "succeeded"
    assert talk.worker.ended.wait(10)


def test_a_worker_elsewhere_is_lent_files_and_sends_what_it_delivers(tmp_path: Path) -> None:
    talk = Talk(Outfit(data=tmp_path / "there", nodes="tests.toys", carries=True))
    order = talk.order(WRITE, inputs="/nowhere", outputs="/nowhere", previews="/nowhere")
    talk.say(Lent(order.run, "faces/ann.png", b"picture"), order)
    delivered = talk.hear(Delivered)
    assert (delivered.path, delivered.blob) == ("a/b_00001.txt", b"good day")
    assert talk.hear(Done).outputs["file"]["files"][0]["path"] == delivered.path
    assert list((tmp_path / "there" / "runs").iterdir()) == []
    talk.say(Stop())
    assert talk.worker.ended.wait(10)


def test_a_run_finds_the_pictures_of_its_owner_alone(talk: Talk) -> None:
    document = graph("Look", {"image": "ann.png"})
    for name in ("ann", "bob"):
        (talk.outfit.data / name).mkdir()
    (talk.outfit.data / "ann" / "ann.png").write_text("Ann", encoding="ascii")
    done = talk.run(document, inputs=str(talk.outfit.data / "ann"))
    assert done.outputs == {"out": {"value": "Ann"}}
    done = talk.run(document, inputs=str(talk.outfit.data / "bob"))
    assert done.error is not None
    assert done.error["code"] == "missing_file"


def test_a_run_elsewhere_finds_what_it_was_lent(tmp_path: Path) -> None:
    talk = Talk(Outfit(data=tmp_path, nodes="tests.toys", carries=True))
    order = talk.order(graph("Look", {"image": "faces/ann.png"}))
    talk.say(Lent(order.run, "faces/ann.png", b"Ann"), order)
    assert talk.hear(Done).outputs == {"out": {"value": "Ann"}}
    talk.say(Stop())
    assert talk.worker.ended.wait(10)


def test_a_lent_file_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    talk = Talk(Outfit(data=tmp_path, nodes="tests.toys", carries=True))
    order = talk.order(WRITE)
    talk.say(Lent(order.run, "../../../evil.png", b"picture"), order)
    done = talk.hear(Done)
    assert done.error is not None
    assert done.error["code"] == "outside_roots"
    talk.say(Stop())
    assert talk.worker.ended.wait(10)


def test_memory_is_what_the_process_has() -> None:
    before = size()
    kept = bytearray(b"x" * 50 * 2**20)
    after = size()
    assert after.own - before.own > 25 * 2**20
    assert after.resident - before.resident > 25 * 2**20
    assert kept


def test_a_mapped_file_is_no_memory_of_its_own(tmp_path: Path) -> None:
    import mmap

    path = tmp_path / "weights"
    path.write_bytes(b"x" * 50 * 2**20)
    before = size()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert mapped[:].count(b"x") == 50 * 2**20
        after = size()
    assert after.resident - before.resident > 25 * 2**20
    assert after.own - before.own < 25 * 2**20
