"""The workflows of each model family: canonical, valid, and run on tiny models under the published names."""

import json
import re
from pathlib import Path

import pytest

from engine.artifacts import Artifact
from engine.catalog import Catalog
from engine.check import check, compile_graph
from engine.executor import execute
from engine.store import Store
from engine.workflow import Workflow
from tests.nodes.tiny import karlo, models
from tests.nodes.tiny.models import Kind

SHIPPED = sorted((Path(__file__).parents[1] / "workflows" / "families").glob("*.json"))
FILES: dict[str, Kind] = {
    "sd_xl_base_1.0.safetensors": "sdxl",
    "sd_xl_refiner_1.0.safetensors": "refiner",
    "sd_xl_base_1.0_inpainting_0.1.safetensors": "sdxl-inpaint",
    "sd_xl_turbo_1.0_fp16.safetensors": "sdxl",
    "v1-5-pruned-emaonly.safetensors": "sd1",
    "LCM_Dreamshaper_v7_4k.safetensors": "lcm",
    "sd-image-variations.safetensors": "variations",
    "sd_turbo.safetensors": "sd2",
    "sd21-unclip-l.safetensors": "unclip",
    "v2-1_768-ema-pruned.safetensors": "sd2",
    "sd-v1-5-inpainting.safetensors": "sd1-inpaint",
    "instruct-pix2pix-00-22000.safetensors": "edit",
    "512-depth-ema.safetensors": "depth",
    "x4-upscaler-ema.safetensors": "upscaler",
    "sd21-unclip-h.safetensors": "unclip",
}
PUBLISHED = re.compile(r"^( *\"\w*(?:width|height|x|y)\": )(\d+)", re.MULTILINE)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.load("nodes")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with tiny models under the published names."""
    made = tmp_path_factory.mktemp("data")
    for name, kind in FILES.items():
        written = models.write(kind, made / "models")
        (made / "models" / "checkpoints" / written).rename(made / "models" / "checkpoints" / name)
    models.depth_estimator().save_pretrained(made / "models" / "depth" / "dpt-hybrid-midas")
    karlo.write(made / "models", "karlo-v1-alpha")
    return made


def smaller(path: Path) -> Workflow:
    """A shipped workflow at an eighth of its size, in four steps."""
    text = path.read_text(encoding="utf-8")
    tree = json.loads(text)
    nodes, view = json.dumps(tree["nodes"], indent=1), tree.pop("view")
    small = PUBLISHED.sub(lambda found: f"{found[1]}{int(found[2]) // 8}", nodes)
    workflow = Workflow.from_json(tree | {"nodes": json.loads(small), "view": view})
    return workflow.with_input("steps", 4)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_familys_workflow_is_canonical_valid_and_runs(
    path: Path, catalog: Catalog, data: Path, tmp_path: Path
) -> None:
    workflow = Workflow.read(path)
    assert workflow.text() == path.read_text(encoding="utf-8")
    words = {"prompt"} if path.stem != "variations" else set()
    assert {"seed", "steps"} | words <= workflow.inputs.keys()
    assert workflow.extra["view"]["nodes"].keys() == workflow.nodes.keys()
    runtime = catalog.runtime(data=data, device="cpu")
    assert check(workflow, catalog, runtime) == []
    small = smaller(path)
    if "base_steps" in small.inputs:
        small = small.with_input("base_steps", 3)

    made = execute(
        compile_graph(small, catalog, runtime), Store(tmp_path / "store", runtime.codecs), runtime
    )

    (artifact,) = made.outputs["image"]
    assert isinstance(artifact, Artifact)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_file_of_a_familys_workflow_is_an_input_of_it(path: Path, catalog: Catalog) -> None:
    workflow = Workflow.read(path)
    ends = [end for item in workflow.inputs.values() for end in (item, *item.also)]
    named = {(end.node, end.name) for end in ends}
    files = {
        (name, each)
        for name, placed in workflow.nodes.items()
        for each, item in catalog[placed.type].inputs.items()
        if "files" in item.form
    }
    assert files <= named


def test_the_workflow_for_edits_weighs_the_picture_apart_from_the_words() -> None:
    workflow = Workflow.read(SHIPPED[0].parent / "edit.json")
    nodes = workflow.nodes
    sampler = nodes["sampler"].inputs
    guided = nodes[sampler["model"].node]
    assert guided.type == "DualGuidance"
    assert nodes[guided.inputs["middle"].node].type == "EditConditioning"
    assert nodes[sampler["negative"].node].type == "CLIPEncode"
    assert (guided.inputs["scale"], sampler["guidance_scale"]) == (1.5, 7.5)


def test_every_familys_workflow_is_listed() -> None:
    text = (SHIPPED[0].parents[2] / "docs" / "workflows.md").read_text(encoding="utf-8")
    assert [path.stem for path in SHIPPED if f"`families/{path.stem}`" not in text] == []
