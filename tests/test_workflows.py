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
    small = {name: 64 for name in ("width", "height") if name in workflow.inputs}
    for name, value in ({"steps": 2} | small | values).items():
        workflow = workflow.with_input(name, value)
    return workflow


def run(workflow: Workflow, catalog: Catalog, runtime: Runtime, store: Store) -> Result:
    return execute(compile_graph(workflow, catalog, runtime), store, runtime)


def states(result: Result) -> set[str]:
    return {node.state for node in result.nodes.values()}


def test_the_graphs_that_users_expect_are_there() -> None:
    assert set(NAMES) >= {
        "text-to-image", "image-to-image", "two-pass", "inpaint", "controlnet", "two-controlnets", "draft-or-large",
        "subgraphs", "map", "sweep", "until-settled", "blended-loop", "base-refiner", "branch",
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
    prompt = ["a blue house"] * 2 if path.stem == "map" else "a blue house"
    (first,) = run(shortened(path, prompt=prompt), catalog, runtime, store).outputs["image"]
    provenance = read_provenance(Path(first.path))
    assert provenance is not None
    kept = Path(first.path).rename(Path(first.path).with_suffix(".kept"))
    again = Workflow.from_json(provenance["workflow"])
    runtime, _ = opened()
    (second,) = run(again, catalog, runtime, Store()).outputs["image"]
    assert runtime.compare(kept, Path(second.path)).identical


def test_blended_latents_as_a_loop_give_the_picture_of_the_node(
    catalog: Catalog, opened: Open
) -> None:
    runtime, store = opened()
    loop, node = (
        run(shortened(path, steps=4), catalog, runtime, store).outputs["image"][0]
        for path in SHIPPED
        if path.stem in {"blended-loop", "inpaint"}
    )
    assert runtime.compare(Path(loop.path), Path(node.path)).identical


def test_a_refiner_that_is_the_base_changes_nothing(catalog: Catalog, opened: Open) -> None:
    path = next(path for path in SHIPPED if path.stem == "base-refiner")
    runtime, store = opened()
    whole = shortened(path, steps=5, base_steps=5)
    handed = shortened(path, steps=5, base_steps=3)
    first, second = (
        run(each, catalog, runtime, store).outputs["image"][0] for each in (whole, handed)
    )
    assert runtime.compare(Path(first.path), Path(second.path)).identical


def test_a_turn_at_a_later_step_takes_the_first_steps_once(catalog: Catalog, opened: Open) -> None:
    path = next(path for path in SHIPPED if path.stem == "branch")
    runtime, store = opened()
    run(shortened(path, steps=4, shared_steps=2), catalog, runtime, store)
    again = run(shortened(path, steps=4, shared_steps=2, other="a tree"), catalog, runtime, store)
    assert again.nodes["shared"].state == "stored"
    assert again.nodes["turned"].state == "ran"


def test_a_loop_runs_until_its_picture_has_settled(catalog: Catalog, opened: Open) -> None:
    path = next(path for path in SHIPPED if path.stem == "until-settled")
    runtime, store = opened()
    small = {"steps": 1, "width": 64, "height": 64}
    loose = run(shortened(path, within=1.0, **small), catalog, runtime, store)
    assert loose.nodes["loop/1/sampler"].state == "skipped"
    strict = shortened(path, within=loose.outputs["difference"] * 0.9, **small)
    result = run(strict, catalog, runtime, store)
    assert result.nodes["loop/0/sampler"].state == "stored"
    assert result.nodes["loop/1/sampler"].state == "ran"


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
