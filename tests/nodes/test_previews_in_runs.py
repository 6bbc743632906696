"""Previews on their way: from a node that samples to the JPEG that an event carries."""

import io
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import PIL.Image
import pytest

from engine.catalog import Catalog
from engine.check import compile_graph
from engine.executor import execute
from engine.store import Store
from engine.workflow import Workflow
from nodes.diffusion import colours, previews
from nodes.diffusion.pool import Pool
from nodes.runtime import PreviewMethod, open_runtime
from nodes.values import Model, Weights
from server.workers.messages import FromWorker, Happened
from server.workers.telling import Telling
from tests.nodes import small
from tests.nodes.conftest import Tiny
from tests.nodes.tiny import taesd

SHIPPED = Path(__file__).parents[2] / "workflows" / "text-to-image.json"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.load("nodes")


def told(
    catalog: Catalog,
    data: Path,
    *,
    method: PreviewMethod = "auto",
    checkpoint: str = "starter.safetensors",
    width: int = 64,
) -> tuple[list[Happened], tuple[str, ...]]:
    """What is told of a run that somebody watches, and the files that were loaded from."""
    given: Mapping[str, Any] = {"steps": 2, "width": width, "height": 64}
    workflow = Workflow.read(SHIPPED)
    for name, value in given.items():
        workflow = workflow.with_input(name, value)
    document = workflow.to_json()
    document["nodes"]["checkpoint"]["inputs"]["checkpoint"] = checkpoint
    workflow = Workflow.from_json(document)
    runtime = open_runtime(data, device="cpu", previews=method)
    happened: list[Happened] = []

    def send(message: FromWorker) -> None:
        happened.append(cast(Happened, message))

    execute(
        compile_graph(workflow, catalog, runtime),
        Store(data / "store", runtime.codecs),
        runtime,
        on_event=Telling("run", send, runtime.picture, watched=True),
    )
    return happened, runtime.warm()


def pictures(happened: list[Happened]) -> list[PIL.Image.Image]:
    assert all(event.data["type"] == "KSampler" for event in happened if event.blob)
    return [PIL.Image.open(io.BytesIO(event.blob)) for event in happened if event.blob]


@pytest.mark.parametrize("has_tiny_vae", [False, True])
def test_an_event_carries_a_picture_in_the_pictures_proportions(
    has_tiny_vae: bool, catalog: Catalog, tiny: Tiny, tmp_path: Path
) -> None:
    home = tmp_path / "models" / "checkpoints"
    home.mkdir(parents=True)
    shutil.copy(tiny.root / "checkpoints" / tiny.checkpoint, home)
    if has_tiny_vae:
        taesd.halves(tmp_path / "models" / "vae_approx", taesd.module())

    happened, loaded = told(catalog, tmp_path, checkpoint=tiny.checkpoint, width=128)

    shown = pictures(happened)
    assert shown
    assert {(each.format, each.size) for each in shown} == {("JPEG", (256, 128))}
    assert ("taesd" in loaded) is has_tiny_vae


def test_a_preview_of_the_shipped_model_is_like_its_picture(
    catalog: Catalog, tmp_path: Path
) -> None:
    happened, _ = told(catalog, tmp_path)
    last = pictures(happened)[-1].resize((8, 8), PIL.Image.Resampling.BOX)
    (made,) = (tmp_path / "outputs").glob("*.png")
    with PIL.Image.open(made) as picture:
        wanted = picture.resize((8, 8), PIL.Image.Resampling.BOX)
    assert np.abs(np.asarray(last, float) - np.asarray(wanted, float)).mean() < 30


def test_none_are_made_if_none_are_wanted(catalog: Catalog, tmp_path: Path) -> None:
    assert pictures(told(catalog, tmp_path, method="none")[0]) == []


def test_a_preview_by_colours_costs_next_to_nothing() -> None:
    latents = small.noise(1, (1, 4, 128, 128))
    previewer = previews.Previewer(Pool(), Model(Weights("checkpoints", "gone", "")))
    previewer.of(latents)()
    began = time.process_time()
    for _ in range(10):
        previews.rgb(latents, colours.SD)
    assert time.process_time() - began < 0.5
