"""Commands that let a server do the work."""

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.client import Client
from tests.server.conftest import Darkroom
from tests.serving import Served
from tests.toys.provenance import MAGIC


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served") / "data") as server:
        yield server


@pytest.fixture
def remote(darkroom: Darkroom, served: Served) -> Darkroom:
    darkroom.environment["DARKROOM_SERVER"] = served.url
    return darkroom


def test_a_run_puts_its_files_here_and_says_what_a_run_here_says(
    remote: Darkroom, sum_file: str
) -> None:
    said = remote("run", sum_file, "--set", "words=far", "--json").json

    (path,) = said["outputs"]["file"]
    assert Path(path).parent == remote.folder / "data" / "outputs"
    assert Path(path).read_text(encoding="utf-8") == "far red cloth"
    assert said["values"] == {"sum": 3.0}
    assert said["nodes"]["write"]["state"] == "ran"
    assert not (remote.folder / "data" / "store").exists()


def test_people_read_the_same_table_and_lines(
    remote: Darkroom, served: Served, sum_file: str
) -> None:
    first = remote("run", sum_file, "--set", "words=read", "--output", "there")
    far = remote("run", sum_file, "--set", "words=read", "--output", "there")
    del remote.environment["DARKROOM_SERVER"]
    remote("run", sum_file, "--set", "words=read", "--output", "here")
    near = remote("run", sum_file, "--set", "words=read", "--output", "here")

    def told(text: str) -> str:
        return re.sub(r"[0-9.]+ s|/(t?here)/.*", "…", text)

    assert "describe (Describe) …" in first.err
    assert "0 computed in 0.00 s, 5 from the store" in far.out
    assert told(far.out) == told(near.out)


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("words=123", "123 red cloth"),
        ("words=true", "true red cloth"),
        ("count=2", "a red clotha red cloth"),
        ("dye.colour=blue", "a blue cloth"),
    ],
)
def test_values_are_read_as_here(remote: Darkroom, sum_file: str, setting: str, text: str) -> None:
    said = remote("run", sum_file, "--set", setting, "--json", "--output", "o")

    assert Path(said.json["outputs"]["file"][0]).read_text(encoding="utf-8") == text


def test_a_sweep_comes_as_a_table(remote: Darkroom, sum_file: str) -> None:
    said = remote("run", sum_file, "--axis", "dye.colour=red,blue", "--json", "--output", "o").json

    cells = said["grids"]["file"]
    assert [cell["labels"] for cell in cells] == [{"dye.colour": "red"}, {"dye.colour": "blue"}]
    assert Path(cells[1]["files"][0]).read_text(encoding="utf-8") == "a blue cloth"


@pytest.mark.parametrize("how", ["value", "input", "disk"])
def test_a_failure_is_told_as_here(remote: Darkroom, how: str) -> None:
    nodes = {"fail": {"type": "Fail", "inputs": {"how": how}}}
    file = remote.write(nodes, outputs={"n": {"node": "fail", "output": "value"}})

    far = remote("run", file, "--json")
    del remote.environment["DARKROOM_SERVER"]
    near = remote("run", file, "--json")

    assert far.status == near.status == 1
    assert far.json["problems"] == near.json["problems"]


def test_check_tells_every_problem(remote: Darkroom, sum_file: str) -> None:
    assert remote("check", sum_file).out == "no problems\n"
    wrong = remote("check", sum_file, "--set", "count=1000", "--json")
    unknown = remote("check", sum_file, "--set", "a=1", "--set", "b=1", "--json")
    missing = remote("check", "nothing-like-it", "--json")

    assert wrong.status == 1
    assert [each["code"] for each in wrong.json["problems"]] == ["out_of_range"]
    assert [each["input"] for each in unknown.json["problems"]] == ["a", "b"]
    assert missing.json["problems"][0]["code"] == "missing_file"


def test_plan_and_explain_speak_of_what_the_server_has(remote: Darkroom, sum_file: str) -> None:
    remote("run", sum_file, "--set", "words=planned", "--output", "o")

    assert "0 of 5 nodes would run" in remote("plan", sum_file, "--set", "words=planned").out
    explained = remote("explain", sum_file, "describe", "--set", "words=explained").out
    assert "describe (Describe): run" in explained
    assert ', is "explained"' in explained
    edited = remote("explain", sum_file, "--set", "words=planned", "--if", "dye.colour=blue")
    assert "the edit changes 3 of 5 results" in edited.out


def test_nodes_and_models_are_those_of_the_server(remote: Darkroom, served: Served) -> None:
    far = remote("nodes", "Describe").out
    listed = remote("nodes").out
    assert f"some where {served.url} looks" in remote("models").out
    del remote.environment["DARKROOM_SERVER"]

    assert far == remote("nodes", "Describe").out
    assert listed == remote("nodes").out


def test_a_workflow_that_only_the_server_has_is_run(
    remote: Darkroom, served: Served, sum_file: str
) -> None:
    with Client(served.url) as client:
        client.workflows.save("kept", sum_file)

    said = remote("run", "kept", "--set", "words=kept", "--json", "--output", "o")

    assert Path(said.json["outputs"]["file"][0]).read_text(encoding="utf-8") == "kept red cloth"


def test_a_picture_runs_what_it_carries(remote: Darkroom, sum_file: str) -> None:
    document = json.loads(Path(sum_file).read_text(encoding="utf-8"))
    picture = remote.written(MAGIC + json.dumps({"workflow": document}).encode(), "made.png")

    assert remote("run", picture, "--json", "--output", "o").json["values"] == {"sum": 3.0}


@pytest.mark.parametrize("option", ["--device=cpu", "--locked"])
def test_what_is_about_this_machine_is_refused(
    remote: Darkroom, sum_file: str, option: str
) -> None:
    assert remote("run", sum_file, option, "--json").json["error"]["code"] == "only_here"


def test_no_server_is_told_with_the_remedy(darkroom: Darkroom, sum_file: str) -> None:
    said = darkroom("run", sum_file, "--server", "127.0.0.1:9")

    assert said.status == 1
    assert "127.0.0.1:9 does not answer" in said.err
    assert "is `darkroom serve` running there?" in said.err
    assert "DARKROOM_SERVER" in said.err


def test_a_run_says_what_its_job_waits_for(remote: Darkroom, served: Served) -> None:
    nodes = {"add": {"type": "Add", "inputs": {"a": 31.0}}}
    file = remote.write(nodes, outputs={"n": {"node": "add", "output": "value"}})
    with Client(served.url) as client:
        client.pause()
        try:
            started = remote.start("run", file, "--json")
            assert started.stderr is not None
            assert started.stderr.readline() == "queued: the queue is paused\n"
        finally:
            client.resume()
    out, _ = started.communicate(timeout=20)

    assert json.loads(out)["values"] == {"n": 31.0}


def test_ctrl_c_cancels_the_job(remote: Darkroom, served: Served) -> None:
    nodes = {"slow": {"type": "Slow", "inputs": {"number": 77.0, "steps": 100}}}
    file = remote.write(nodes, outputs={"n": {"node": "slow", "output": "value"}})
    started = remote.start("run", file, "--json")
    assert started.stderr is not None
    assert "slow (Slow)" in started.stderr.readline()

    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=20)

    assert started.returncode == 130
    assert "cancelling the job" in err
    assert json.loads(out)["error"]["code"] == "cancelled"
    assert "was cancelled by Ctrl-C" in json.loads(out)["error"]["message"]
    with Client(served.url) as client:
        assert next(iter(client.jobs())).state == "cancelled"


def test_jobs_are_listed_shown_retried_and_deleted(remote: Darkroom, sum_file: str) -> None:
    made = remote("run", sum_file, "--set", "words=listed", "--json", "--output", "o").json["job"]

    assert made[-8:] in remote("jobs", "--limit", "1").out
    assert remote("jobs", "--state", "succeeded", "--json").json["jobs"][0]["id"] == made
    shown = remote("jobs", "show", made[-8:]).out
    assert f"{made}: succeeded" in shown
    assert "describe  Describe  ran" in shown
    again = remote("jobs", "retry", made, "--json").json["jobs"][0]["id"]
    with Client(remote.environment["DARKROOM_SERVER"]) as client:
        client.job(again).wait(20)
    assert remote("jobs", "delete", made, again).out.count("deleted") == 2
    gone = remote("jobs", "show", made)
    assert gone.status == 1
    assert "there is no job" in gone.err
    assert "`darkroom jobs` lists" in gone.err
    assert "GET" not in gone.err


def test_jobs_are_cancelled(remote: Darkroom, served: Served) -> None:
    document = {
        "darkroom": 1,
        "nodes": {"slow": {"type": "Slow", "inputs": {"number": 78.0, "steps": 100}}},
        "outputs": {"n": {"node": "slow", "output": "value"}},
    }
    with Client(served.url) as client:
        job = client.run(document)
        next(event for event in job.events() if event.type == "node.progressed")
        assert "ends when its node yields" in remote("jobs", "cancel", job.id).out
        assert job.wait(20).state == "cancelled"
    again = remote("jobs", "cancel", job.id)
    assert again.status == 0


def test_a_failed_job_shows_why(remote: Darkroom, served: Served) -> None:
    document = {
        "darkroom": 1,
        "nodes": {"fail": {"type": "Fail", "inputs": {"how": "input"}}},
        "outputs": {"n": {"node": "fail", "output": "value"}},
    }
    with Client(served.url) as client:
        job = client.run(document).wait(20)

    shown = remote("jobs", "show", job.id)

    assert "failed" in shown.out
    assert "the number is odd" in shown.err
    assert "hint: give 2" in shown.err


def test_an_option_before_the_subcommand_is_not_passed_over(remote: Darkroom) -> None:
    said = remote("jobs", "--server", "http://127.0.0.1:9", "show", "x")

    assert said.status == 2
    assert "come after" in said.err
