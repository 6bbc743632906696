import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.workflow import Workflow
from tests.server.comfy.graphs import TEXT_TO_IMAGE, text_to_image
from tests.server.conftest import Darkroom

Json = dict[str, Any]
Write = Callable[[Json], str]
ROOT = Path(__file__).parents[3]


@pytest.fixture
def real(darkroom: Darkroom) -> Darkroom:
    """The program over its own nodes."""
    darkroom.environment["DARKROOM_NODES"] = "nodes"
    return darkroom


@pytest.fixture
def write(darkroom: Darkroom) -> Write:
    return lambda graph: darkroom.written(json.dumps(graph).encode(), "theirs.json")


def test_a_workflow_is_written_and_can_be_checked(real: Darkroom, write: Write) -> None:
    said = real("import", write(TEXT_TO_IMAGE), "--output", "ours.json")
    assert (said.status, said.out, said.err) == (0, "wrote ours.json\n", "")
    assert real("check", "ours.json").out == "no problems\n"


def test_without_a_file_it_goes_to_standard_output(real: Darkroom, write: Write) -> None:
    said = real("import", write(TEXT_TO_IMAGE))
    assert Workflow.parse(said.out).nodes["sampler"].type == "KSampler"


def test_what_is_missing_is_told_and_gives_a_status(real: Darkroom, write: Write) -> None:
    graph = text_to_image(sampler_name="dpm_fast", scheduler="ddim_uniform")
    said = real("import", write(graph), "--output", "ours.json")
    assert said.status == 1
    assert said.out == "wrote ours.json; 1 thing in it has no counterpart yet\n"
    missing, differs = said.err.splitlines()
    assert missing.startswith(
        """missing: KSampler "3", sampler_name: there is no 'dpm_fast' here"""
    )
    assert differs.startswith('differs: KSampler "3", scheduler:')


def test_programs_get_one_object(real: Darkroom, write: Write) -> None:
    answer = real("import", write(TEXT_TO_IMAGE), "--json").json
    assert answer["report"]["complete"]
    assert answer["ids"]["3"] == ["sampler"]
    assert answer["document"]["darkroom"] == 1
    assert answer["path"] is None


def test_a_file_that_is_none_of_theirs_is_a_trouble(real: Darkroom, write: Write) -> None:
    said = real("import", write({"darkroom": 1, "nodes": {}}))
    assert said.status == 2
    assert "Darkroom workflow already" in said.err
    assert real("import", "nothing.json").status == 2


def test_half_a_character_is_told_and_nothing_is_written(real: Darkroom, write: Write) -> None:
    said = real("import", write(text_to_image(sampler_name="\ud83d")), "--output", "ours.json")
    assert said.status == 2
    assert "half a character" in said.err
    assert not (real.folder / "ours.json").exists()


def test_a_workflow_goes_back(real: Darkroom, write: Write) -> None:
    real("import", write(TEXT_TO_IMAGE), "--output", "ours.json")
    said = real("export", "--comfy", "ours.json", "--output", "back.json")
    assert (said.status, said.out) == (0, "wrote back.json\n")
    back = json.loads((real.folder / "back.json").read_text())
    assert sorted(node["class_type"] for node in back.values()) == sorted(
        node["class_type"] for node in TEXT_TO_IMAGE.values()
    )
    assert real("import", "back.json", "--json").json["report"]["exact"]


def test_a_workflow_that_comfyui_cannot_hold_tells_why(real: Darkroom) -> None:
    said = real("export", "--comfy", str(ROOT / "workflows" / "map.json"), "--json")
    assert said.status == 1
    assert "Map" in {finding["type"] for finding in said.json["report"]["findings"]}
