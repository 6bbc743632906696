"""Imported graphs run, and make what the same graph made here makes."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.catalog import Catalog
from engine.check import check, compile_graph
from engine.executor import execute
from engine.store import Store
from engine.workflow import Endpoint, Workflow
from nodes.latents import empty_latent
from nodes.loaders import load_checkpoint
from nodes.sampling import ksampler
from nodes.text import clip_encode
from nodes.vae import vae_decode
from nodes.values import Latents
from server.comfy.importer import import_graph

from .graphs import text_to_image

Json = dict[str, Any]
pytestmark = pytest.mark.slow


def latents(workflow: Workflow, node: str, catalog: Catalog, folder: Path) -> Any:
    runtime = catalog.runtime(data=folder, device="cpu", output=folder / "out")
    asked = Workflow(
        nodes=workflow.nodes,
        subgraphs=workflow.subgraphs,
        outputs={"asked": Endpoint(node, "value")},
    )
    assert check(asked, catalog, runtime) == []
    store = Store(folder / "store", runtime.codecs)
    return execute(compile_graph(asked, catalog, runtime), store, runtime).outputs["asked"]


def advanced(latent: str, **values: Any) -> Json:
    node = text_to_image()["3"]
    inputs = node["inputs"] | {"latent_image": [latent, 0], "noise_seed": 7, "steps": 6}
    del inputs["seed"], inputs["denoise"]
    return {"class_type": "KSamplerAdvanced", "inputs": inputs | values}


def test_the_usual_graph_makes_what_the_functions_make(
    catalog: Catalog, catalogue: Json, tmp_path: Path
) -> None:
    made = import_graph(text_to_image(), catalogue)
    found = latents(made.workflow, "decode", catalog, tmp_path)
    checkpoint = load_checkpoint()
    samples = ksampler(
        checkpoint.model,
        clip_encode(checkpoint.text_encoder, text="a red house"),
        clip_encode(checkpoint.text_encoder),
        empty_latent(width=64, height=64),
        seed=7,
        steps=2,
        guidance_scale=3.0,
        sampler="euler",
        schedule="normal",
        profile="comfyui",
    )
    assert torch.equal(found.pixels, vae_decode(checkpoint.vae, samples).pixels)
    assert list((tmp_path / "out").glob("house_*.png"))


def test_a_run_in_two_parts_ends_where_one_run_ends(
    catalog: Catalog, catalogue: Json, tmp_path: Path
) -> None:
    graph = text_to_image(steps=6)
    graph["20"] = advanced(
        "5", add_noise="enable", start_at_step=0, end_at_step=4, return_with_leftover_noise="enable"
    )
    graph["21"] = advanced(
        "20", add_noise="disable", start_at_step=4, end_at_step=10000, return_with_leftover_noise="disable"
    )  # fmt: skip
    made = import_graph(graph, catalogue)
    assert made.report.complete
    whole: Latents = latents(made.workflow, made.ids["3"][0], catalog, tmp_path)
    parts: Latents = latents(made.workflow, made.ids["21"][0], catalog, tmp_path)
    half: Latents = latents(made.workflow, made.ids["20"][0], catalog, tmp_path)
    torch.testing.assert_close(parts.samples, whole.samples, rtol=0, atol=1e-5)
    assert (half.samples - whole.samples).abs().max() > 0.1


def test_the_area_to_inpaint_is_grey_before_it_is_encoded(
    catalog: Catalog, catalogue: Json, tmp_path: Path
) -> None:
    picture = tmp_path / "inputs" / "a.png"
    picture.parent.mkdir()
    from PIL import Image as Pictures

    Pictures.new("RGB", (64, 64), (200, 40, 90)).save(picture)
    graph = {
        "4": text_to_image()["4"],
        "10": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
        "11": {"class_type": "SolidMask", "inputs": {"value": 1.0, "width": 64, "height": 64}},
        "12": {
            "class_type": "VAEEncodeForInpaint",
            "inputs": {"pixels": ["10", 0], "vae": ["4", 2], "mask": ["11", 0], "grow_mask_by": 6},
        },
    }
    made = import_graph(json.loads(json.dumps(graph)), catalogue)
    masked = latents(made.workflow, made.ids["12"][0], catalog, tmp_path)
    (hidden,) = [n for n, node in made.workflow.nodes.items() if node.type == "CompositeImage"]
    grey = latents(made.workflow, hidden, catalog, tmp_path)
    assert torch.equal(grey.pixels, torch.full_like(grey.pixels, 0.5))
    assert torch.equal(masked.mask, torch.ones_like(masked.mask))
    assert masked.samples.shape == (1, 4, 8, 8)


def test_a_sampler_with_noise_and_guider_makes_what_the_usual_one_makes(
    catalog: Catalog, catalogue: Json, tmp_path: Path
) -> None:
    usual = import_graph(text_to_image(), catalogue)
    graph = text_to_image()
    given = graph["3"]["inputs"]
    graph["20"] = {"class_type": "RandomNoise", "inputs": {"noise_seed": given["seed"]}}
    names = ("model", "positive", "negative", "cfg")
    graph["21"] = {"class_type": "CFGGuider", "inputs": {name: given[name] for name in names}}
    graph["22"] = {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}}
    laid = {"model": ["4", 0], "scheduler": "normal", "steps": given["steps"], "denoise": 1.0}
    graph["23"] = {"class_type": "BasicScheduler", "inputs": laid}
    links = {"noise": "20", "guider": "21", "sampler": "22", "sigmas": "23", "latent_image": "5"}
    inputs = {name: [source, 0] for name, source in links.items()}
    graph["3"] = {"class_type": "SamplerCustomAdvanced", "inputs": inputs}
    made = import_graph(graph, catalogue)
    assert made.report.complete
    found, expected = (
        latents(each.workflow, "decode", catalog, tmp_path / name)
        for each, name in ((made, "advanced"), (usual, "usual"))
    )
    assert torch.allclose(found.pixels, expected.pixels, atol=1e-6)
