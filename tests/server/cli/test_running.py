import json
import signal
import threading
import time
from pathlib import Path

import pytest

from engine.codecs import Codecs
from engine.disk import Disk
from engine.shared import Shared
from engine.store import Store
from server.cli.running import share_rest
from tests.engine.test_shared import Unsteady
from tests.server.conftest import Darkroom
from tests.toys.provenance import MAGIC


def test_outputs_are_listed_by_path_or_value(darkroom: Darkroom, sum_file: str) -> None:
    said = darkroom("run", sum_file, "--json")

    assert said.status == 0
    assert said.json["values"] == {"sum": 3.0}
    (path,) = said.json["outputs"]["file"]
    assert Path(path).read_text(encoding="utf-8") == "a red cloth"
    assert {run["state"] for run in said.json["nodes"].values()} == {"ran"}


def test_a_second_run_comes_from_the_store(darkroom: Darkroom, sum_file: str) -> None:
    first = darkroom("run", sum_file, "--json").json
    second = darkroom("run", sum_file, "--json").json

    assert second["nodes"]["slow"]["state"] == "stored"
    assert second["nodes"]["write"]["state"] == "stored"
    assert second["outputs"] == first["outputs"]


def test_people_read_a_table_and_the_paths(darkroom: Darkroom, sum_file: str) -> None:
    said = darkroom("run", sum_file)

    assert "slow (Slow) …" in said.err
    assert "5 computed in" in said.out
    assert f"file: {darkroom.folder / 'data' / 'outputs' / 'text_00001.txt'}" in said.out
    assert "sum: 3.0" in said.out
    assert "0 computed in 0.00 s" in darkroom("run", sum_file).out


def test_a_large_graph_is_summed_up(darkroom: Darkroom) -> None:
    nodes = {f"n{i}": {"type": "Add", "inputs": {"a": float(i)}} for i in range(50)}
    outputs = {name: {"node": name, "output": "value"} for name in nodes}

    said = darkroom("run", darkroom.write(nodes, outputs=outputs))

    assert "50 computed" in said.out
    assert said.out.count(" Add ") == 30


def test_the_output_folder_can_be_chosen(darkroom: Darkroom, sum_file: str) -> None:
    said = darkroom("run", sum_file, "--output", "here", "--json")

    assert said.json["outputs"]["file"] == [str(darkroom.folder / "here" / "text_00001.txt")]


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("words=my own", "my own red cloth"),
        ("words=123", "123 red cloth"),
        ("words=true", "true red cloth"),
        ('words="quoted"', "quoted red cloth"),
        ("words=", " red cloth"),
        ("words=a=b", "a=b red cloth"),
        ("describe.words=one", "one red cloth"),
        ("dye.colour=blue", "a blue cloth"),
        ("count=2", "a red clotha red cloth"),
    ],
)
def test_inputs_are_set(darkroom: Darkroom, sum_file: str, setting: str, text: str) -> None:
    said = darkroom("run", sum_file, "--set", setting, "--json")

    assert Path(said.json["outputs"]["file"][0]).read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("setting", "code", "hint"),
    [
        ("wrods=x", "unknown_input", "words"),
        ("descrbe.cloth=x", "unknown_input", "describe.cloth"),
        ("words", "bad_setting", "write words=VALUE"),
        ("count=1000", "out_of_range", "100"),
        ("count=few", "wrong_type", None),
        ("first=NaN", "wrong_type", None),
        ('first={"$link": 3}', "document", None),
        ("dye.colour=bleu", "out_of_range", "blue"),
    ],
)
def test_a_bad_setting_is_a_problem(
    darkroom: Darkroom, sum_file: str, setting: str, code: str, hint: str | None
) -> None:
    said = darkroom("run", sum_file, "--set", setting, "--json")

    assert said.status == 1
    assert said.json["error"]["code"] == code
    if hint is not None:
        assert said.json["error"]["hint"] == hint


def test_every_bad_setting_is_reported(darkroom: Darkroom, sum_file: str) -> None:
    said = darkroom("check", sum_file, "--set", "a=1", "--set", "b=1", "--json")

    assert [problem["input"] for problem in said.json["problems"]] == ["a", "b"]


def test_a_picture_runs_the_workflow_it_carries(darkroom: Darkroom, sum_file: str) -> None:
    document = json.loads(Path(sum_file).read_text(encoding="utf-8"))
    picture = darkroom.written(MAGIC + json.dumps({"workflow": document}).encode(), "made.png")

    assert darkroom("run", picture, "--json").json["values"] == {"sum": 3.0}


def test_a_picture_without_workflow_says_so(darkroom: Darkroom) -> None:
    said = darkroom("run", darkroom.written(MAGIC, "plain.png"), "--json")

    assert said.status == 1
    assert said.json["error"]["code"] == "no_workflow"


@pytest.mark.parametrize(
    ("how", "code", "place"),
    [
        ("value", "node_failed", None),
        ("input", "odd", "number"),
        ("disk", "disk_full", None),
        ("memory", "out_of_memory", None),
    ],
)
def test_a_failing_node_has_an_address(
    darkroom: Darkroom, how: str, code: str, place: str | None
) -> None:
    file = darkroom.write(
        {
            "slow": {"type": "Slow"},
            "fail": {
                "type": "Fail",
                "inputs": {"number": {"$link": ["slow", "value"]}, "how": how},
            },
        },
        outputs={"value": {"node": "fail", "output": "value"}},
    )

    said = darkroom("run", file, "--json")

    assert said.status == 1
    assert (said.json["error"]["code"], said.json["error"]["node"]) == (code, "fail")
    assert said.json["error"]["input"] == place
    assert said.json["nodes"]["slow"]["state"] == "ran"
    assert not (darkroom.folder / "data" / "logs").exists()


def test_a_fault_in_a_node_is_logged(darkroom: Darkroom) -> None:
    file = darkroom.write(
        {"fail": {"type": "Fail", "inputs": {"how": "bug"}}},
        outputs={"value": {"node": "fail", "output": "value"}},
    )

    said = darkroom("run", file)

    (log,) = (darkroom.folder / "data" / "logs").iterdir()
    assert said.status == 1
    assert str(log) in said.err
    assert "Traceback" not in said.err
    assert "IndexError" in log.read_text(encoding="utf-8")


def test_a_missing_device_is_a_problem(darkroom: Darkroom, sum_file: str) -> None:
    assert (
        darkroom("run", sum_file, "--device", "mps", "--json").json["error"]["code"] == "no_device"
    )


def test_a_word_that_is_no_device_is_not_understood(darkroom: Darkroom, sum_file: str) -> None:
    said = darkroom("run", sum_file, "--device", "gpu")

    assert said.status == 2
    assert "cuda" in said.err


@pytest.mark.slow
def test_ctrl_c_stops_at_the_next_step_and_keeps_what_is_done(darkroom: Darkroom) -> None:
    file = darkroom.write(
        {
            "first": {"type": "Slow"},
            "second": {
                "type": "Slow",
                "inputs": {"number": {"$link": ["first", "value"]}, "steps": 100},
            },
        },
        outputs={"value": {"node": "second", "output": "value"}},
    )
    program = darkroom.start("run", file, "--json")
    assert program.stderr is not None
    while "second" not in program.stderr.readline():
        pass

    program.send_signal(signal.SIGINT)
    out, err = program.communicate(timeout=10)

    assert program.returncode == 130
    assert json.loads(out)["error"]["code"] == "cancelled"
    assert json.loads(out)["nodes"]["first"]["state"] == "ran"
    assert "Traceback" not in err
    assert "kept" in err
    assert darkroom("plan", file, "--json").json["nodes"]["first"]["state"] == "stored"


@pytest.mark.slow
def test_a_second_ctrl_c_stops_at_once(darkroom: Darkroom) -> None:
    file = darkroom.write(
        {"deaf": {"type": "Deaf"}}, outputs={"value": {"node": "deaf", "output": "value"}}
    )
    program = darkroom.start("run", file)
    assert program.stderr is not None
    while "deaf" not in program.stderr.readline():
        pass

    program.send_signal(signal.SIGINT)
    time.sleep(0.3)
    program.send_signal(signal.SIGINT)
    _, err = program.communicate(timeout=10)

    assert program.returncode == 130
    assert "Traceback" not in err


def test_ctrl_c_leaves_what_a_slow_shared_store_has_not_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Unsteady(tmp_path / "shared")
    place.open.clear()
    store = Store(tmp_path / "store", shared=Shared(Disk(place, Codecs(), 0)))
    store.put("ab" + "0" * 62, {"value": 1}, "Add", 1.0, keep=True)
    cancel = threading.Event()
    pressed = threading.Timer(1.5, cancel.set)
    pressed.start()

    share_rest(store, cancel)

    pressed.join()
    assert "Ctrl-C to leave them on this machine" in capsys.readouterr().err
    place.open.set()
    share_rest(store, threading.Event())
    assert store.flush(0) == 0
    assert place.exists("ab/" + "ab" + "0" * 62 + ".json")
