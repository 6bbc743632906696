"""Every workflow that ships: canonical, valid, and run with few steps on the starter model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.artifacts import Artifact
from engine.catalog import Catalog
from engine.check import check, compile_graph
from engine.executor import Result, execute
from engine.plan import make_plan
from engine.runtime import Runtime
from engine.store import Store
from engine.workflow import Workflow
from nodes.diffusion.pool import Pool
from nodes.provenance import read_provenance

SHIPPED = sorted((Path(__file__).parents[1] / "workflows").glob("*.json"))
NAMES = [path.stem for path in SHIPPED]
Open = Callable[[], tuple[Runtime, Store]]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.load("nodes")


@pytest.fixture
def opened(catalog: Catalog, tmp_path: Path) -> Open:
    """Opens the same data folder anew, as a restart does."""

    def opened() -> tuple[Runtime, Store]:
        runtime = catalog.runtime(data=tmp_path, device="cpu")
        return runtime, Store(tmp_path / "store", runtime.codecs)

    return opened


def shortened(path: Path, **values: Any) -> Workflow:
    workflow = Workflow.read(path)
    for name, value in ({"steps": 2} | values).items():
        workflow = workflow.with_input(name, value)
    return workflow


def run(workflow: Workflow, catalog: Catalog, runtime: Runtime, store: Store) -> Result:
    return execute(compile_graph(workflow, catalog, runtime), store, runtime)


def states(result: Result) -> set[str]:
    return {node.state for node in result.nodes.values()}


def test_the_graphs_that_users_expect_are_there() -> None:
    assert set(NAMES) >= {
        "text-to-image", "image-to-image", "two-pass", "inpaint", "controlnet", "two-controlnets", "draft-or-large",
    }  # fmt: skip


@pytest.mark.parametrize("path", SHIPPED, ids=NAMES)
def test_a_shipped_workflow_is_canonical_and_valid(
    path: Path, catalog: Catalog, opened: Open
) -> None:
    workflow = Workflow.read(path)
    assert workflow.text() == path.read_text(encoding="utf-8")
    assert check(workflow, catalog, opened()[0]) == []
    assert {"prompt", "seed", "steps"} <= workflow.inputs.keys()
    assert "image" in workflow.outputs
    assert workflow.extra["view"]["nodes"].keys() == workflow.nodes.keys()


@pytest.mark.parametrize("path", SHIPPED, ids=NAMES)
def test_a_shipped_workflow_runs_and_is_stored(path: Path, catalog: Catalog, opened: Open) -> None:
    workflow = shortened(path)
    runtime, store = opened()
    (artifact,) = run(workflow, catalog, runtime, store).outputs["image"]
    assert isinstance(artifact, Artifact)
    runtime, store = opened()
    assert make_plan(compile_graph(workflow, catalog, runtime), store, runtime).running == []
    again = run(workflow, catalog, runtime, store)
    assert again.outputs["image"] == [artifact]
    assert states(again) <= {"stored", "skipped"}
    pool = runtime.services[Pool]
    assert isinstance(pool, Pool)
    assert pool.loads == 0


@pytest.mark.parametrize("path", SHIPPED, ids=NAMES)
def test_a_picture_makes_itself_again(path: Path, catalog: Catalog, opened: Open) -> None:
    runtime, store = opened()
    (first,) = run(shortened(path, prompt="a blue house"), catalog, runtime, store).outputs["image"]
    provenance = read_provenance(Path(first.path))
    assert provenance is not None
    kept = Path(first.path).rename(Path(first.path).with_suffix(".kept"))
    again = Workflow.from_json(provenance["workflow"])
    runtime, _ = opened()
    (second,) = run(again, catalog, runtime, Store()).outputs["image"]
    assert runtime.compare(kept, Path(second.path)).identical


def test_a_changed_prompt_keeps_what_it_does_not_reach(catalog: Catalog, opened: Open) -> None:
    path = next(path for path in SHIPPED if path.stem == "text-to-image")
    runtime, store = opened()
    run(shortened(path), catalog, runtime, store)
    result = run(shortened(path, prompt="a yellow house"), catalog, runtime, store)
    ran = {node for node, done in result.nodes.items() if done.state == "ran"}
    assert ran == {"positive", "sampler", "decode", "save"}


def test_a_window_that_ends_before_it_starts_is_found_before_a_run(
    catalog: Catalog, opened: Open
) -> None:
    path = next(path for path in SHIPPED if path.stem == "controlnet")
    (problem,) = check(shortened(path, start=0.9, end=0.1), catalog, opened()[0])
    assert (problem.node, problem.input) == ("apply", "start")


def test_only_the_branch_that_was_chosen_runs(catalog: Catalog, opened: Open) -> None:
    path = next(path for path in SHIPPED if path.stem == "draft-or-large")
    runtime, store = opened()
    draft = run(shortened(path), catalog, runtime, store)
    assert draft.nodes["refine"].state == "skipped"
    large = run(shortened(path, large=True), catalog, runtime, store)
    assert large.nodes["refine"].state == "ran"
    assert large.nodes["sampler"].state == "stored"


def test_image_k_of_a_batch_is_its_single_run(catalog: Catalog, opened: Open) -> None:
    import torch

    path = next(path for path in SHIPPED if path.stem == "text-to-image")
    runtime, store = opened()

    def pixels(seed: int, batch_size: int) -> Any:
        workflow = shortened(path, seed=seed, batch_size=batch_size, steps=4)
        document = workflow.to_json() | {
            "outputs": {"pixels": {"node": "decode", "output": "value"}}
        }
        return run(Workflow.from_json(document), catalog, runtime, store).outputs["pixels"].pixels

    batch = pixels(5, 3)
    for index in range(3):
        alone = pixels(5 + index, 1)
        # Kernels sum a batch in another order than one picture, by the processor up to 1.1e-4 of the
        # range; a quarter of an 8-bit step is 1e-3, and another seed differs by more than 1e-1.
        assert torch.allclose(batch[index : index + 1], alone, atol=1e-3)
