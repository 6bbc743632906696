from dataclasses import replace
from typing import Any

import pytest

from server.comfy.history import failure, history_entry, interruption, node_outputs, queue_entry
from server.jobs.model import Job

from .graphs import TEXT_TO_IMAGE
from .told import CANCELLED, ENDED, FAILED, FILES, ORIGIN

Json = dict[str, Any]


def test_a_queue_entry_has_the_id_in_second_place() -> None:
    extra = {"client_id": "me", "create_time": 1000}
    assert queue_entry(ENDED, ORIGIN) == [4, "mine", TEXT_TO_IMAGE, extra, ["9"]]


def test_a_history_entry_tells_files_status_and_nodes() -> None:
    entry = history_entry(ENDED, ORIGIN, ["4"])
    assert entry["prompt"][1] == "mine"
    assert entry["outputs"] == {
        "9": {
            "images": [
                {"filename": "a_00001.png", "subfolder": "house", "type": "output"},
                {"filename": "b.png", "subfolder": "", "type": "temp"},
            ]
        }
    }
    assert entry["status"] == {
        "status_str": "success",
        "completed": True,
        "messages": [
            ["execution_start", {"prompt_id": "mine", "timestamp": 2000}],
            ["execution_cached", {"nodes": ["4"], "prompt_id": "mine", "timestamp": 2000}],
            ["execution_success", {"prompt_id": "mine", "timestamp": 3500}],
        ],
    }
    assert entry["meta"]["9"]["display_node"] == "9"


@pytest.mark.parametrize(
    ("job", "last"), [(FAILED, "execution_error"), (CANCELLED, "execution_interrupted")]
)
def test_what_did_not_succeed_is_not_completed(job: Job, last: str) -> None:
    status = history_entry(job, ORIGIN)["status"]
    assert (status["status_str"], status["completed"]) == ("error", False)
    assert status["messages"][-1][0] == last


def test_a_sweep_gives_all_its_files() -> None:
    outputs = {"9": {"cells": [{"labels": {}, **FILES["9"]}, {"labels": {}, **FILES["9"]}]}}
    assert len(node_outputs(outputs)["9"]["images"]) == 4


def test_files_that_are_no_pictures_stand_apart_and_values_are_left_out() -> None:
    table = {"path": "t.csv", "media_type": "text/csv"}
    assert node_outputs({"9": {"files": [table]}, "x": {"value": 3}}) == {
        "9": {"files": [{"filename": "t.csv", "subfolder": "", "type": "output"}]}
    }


def test_a_failure_names_the_node_of_the_prompt() -> None:
    told = failure(FAILED, ORIGIN, ["4"])
    assert (told["node_id"], told["node_type"], told["executed"]) == ("3", "KSampler", ["4"])
    assert (told["exception_message"], told["exception_type"]) == ("latents are odd", "bad_value")
    assert told["timestamp"] == 3500


def test_a_failure_outside_of_the_nodes_names_none() -> None:
    told = failure(
        replace(FAILED, error={"detail": "the worker died", "code": "worker_died"}), ORIGIN
    )
    assert (told["node_id"], told["node_type"]) == (None, "")
    assert (told["exception_message"], told["exception_type"]) == ("the worker died", "worker_died")
    assert failure(replace(FAILED, error=None), ORIGIN)["exception_message"]


def test_an_interruption_names_the_node_that_was_at_work() -> None:
    told = interruption(CANCELLED, ORIGIN, "3")
    assert (told["prompt_id"], told["node_type"]) == ("mine", "KSampler")
