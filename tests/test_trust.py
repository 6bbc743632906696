"""Nothing is computed twice and nothing is lost: sweeps, and processes killed in the middle."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nodes.provenance import read_provenance

from .watching import run
from .whole import ROOT, Darkroom

Json = dict[str, Any]
SMALL = ("width=64", "height=64")


@pytest.fixture
def darkroom(tmp_path: Path) -> Darkroom:
    return Darkroom(tmp_path / "data")


def started(darkroom: Darkroom, *arguments: str) -> "subprocess.Popen[str]":
    """A process that runs a workflow and prints its events."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.watching", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | darkroom.environment | {"OMP_NUM_THREADS": "1"},
    )


def events(process: "subprocess.Popen[str]") -> Iterator[Json]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def completed(darkroom: Darkroom, *arguments: str) -> list[Json]:
    """The events of a run in this process, which finds the folder as a new one would."""
    found: list[Json] = []
    with pytest.MonkeyPatch.context() as variables:
        for name, value in darkroom.environment.items():
            variables.setenv(name, value)
        run(found.append, *arguments)
    return found


def killed(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert process.stdout is not None
    process.stdout.close()


def pictures(darkroom: Darkroom) -> list[Path]:
    return sorted((darkroom.data / "outputs").glob("*.png"))


def pixels(path: Path) -> bytes:
    from PIL import Image

    with Image.open(path) as picture:
        return picture.tobytes()


def runs_of(found: list[Json], kind: str) -> int:
    return sum(each["event"] == "NodeStarted" and each["type_name"] == kind for each in found)


@pytest.mark.slow
def test_a_sweep_encodes_each_prompt_once_and_samples_each_cell_once(darkroom: Darkroom) -> None:
    arguments = ("text-to-image", *SMALL, "steps=1", "guidance_scale:1..4", "seed:0..3")
    first = completed(darkroom, *arguments)
    assert runs_of(first, "CLIPEncode") == 2
    assert runs_of(first, "KSampler") == 16
    assert len(pictures(darkroom)) == 16
    again = completed(darkroom, *arguments)
    assert not [each for each in again if each["event"] == "NodeStarted"]
    wider = completed(darkroom, *arguments[:-1], "seed:0..4")
    assert runs_of(wider, "CLIPEncode") == 0
    assert runs_of(wider, "KSampler") == 4


@pytest.mark.slow
def test_a_killed_sweep_keeps_what_it_made_and_goes_on(darkroom: Darkroom) -> None:
    arguments = ("text-to-image", *SMALL, "steps=1", "guidance_scale:1..6", "seed:0..9")
    process = started(darkroom, *arguments)
    saved = 0
    for event in events(process):
        saved += event["event"] == "NodeFinished" and event["type_name"] == "SaveImage"
        if saved == 20:
            break
    killed(process)
    kept = pictures(darkroom)
    assert len(kept) >= 20
    before = {path: pixels(path) for path in kept}
    assert all((read_provenance(path) or {}).get("workflow") for path in kept)
    rest = completed(darkroom, *arguments)
    assert runs_of(rest, "KSampler") <= 40
    assert runs_of(rest, "CLIPEncode") == 0
    # What was saved in the very moment of the kill, and not yet noted, may be saved once more.
    assert 60 <= len(pictures(darkroom)) <= 61
    assert {path: pixels(path) for path in kept} == before


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["dpmpp_2m", "dpmpp_2m_sde"])
def test_a_killed_sampler_goes_on_from_its_last_stored_step(
    darkroom: Darkroom, tmp_path: Path, sampler: str
) -> None:
    arguments = ("text-to-image", *SMALL, "steps=80", f"sampler.sampler={sampler}", "seed=5")
    process = started(darkroom, *arguments)
    stored = 0
    for event in events(process):
        if event["event"] == "NodeProgressed" and event["node"] == "sampler":
            stored = max(stored, newest_step(darkroom))
            if stored and event["done"] >= 40:
                break
    killed(process)
    resumed = [
        each["done"]
        for each in completed(darkroom, *arguments)
        if each["event"] == "NodeProgressed" and each["node"] == "sampler"
    ]
    assert resumed[0] >= stored > 0
    assert resumed == list(range(resumed[0], 81))
    (picture,) = pictures(darkroom)
    uncut = Darkroom(tmp_path / "uncut")
    completed(uncut, *arguments)
    assert pixels(picture) == pixels(pictures(uncut)[0])


def newest_step(darkroom: Darkroom) -> int:
    """The furthest step that lies in the store."""
    steps = [0]
    for path in (darkroom.data / "store").glob("??/*.json"):
        try:
            body = json.loads(path.read_text())["body"]
        except (OSError, ValueError):  # being replaced
            continue
        value = body["values"]["$dict"][0][1]
        if isinstance(value, dict) and str(value.get("$value", "")).endswith(":Point"):
            steps.append(value["fields"]["step"])
    return max(steps)


def test_events_of_a_whole_run_are_in_depth_first_order(darkroom: Darkroom) -> None:
    found = completed(darkroom, "map", *SMALL, "steps=1")
    order = [each["node"] for each in found if each["event"] == "NodeStarted"]
    for lap in range(3):
        assert order.index(f"each/{lap}/decode") < order.index(f"each/{lap + 1}/sampler")
    assert Counter(order).most_common(1)[0][1] == 1
