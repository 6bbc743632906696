from typing import Any

import pytest

from engine.links import Link
from engine.workflow import Node
from server.comfy.bundles import unbundled
from server.comfy.exporter import export_workflow
from server.comfy.graph import Graph, Placed, Shared, Wire
from server.comfy.importer import Imported, import_graph

Json = dict[str, Any]
SOURCES = ("model", "positive", "negative", "middle", "sigmas", "latent")


def prompt(noise: Json, guider: Json, sampler: Json) -> Json:
    """A run of SamplerCustomAdvanced, everything else from nodes that are not known."""
    sources = {name: {"class_type": "EverythingNode", "inputs": {}} for name in SOURCES}
    given = {"noise": "noise", "guider": "guider", "sampler": "sampler"}
    given |= {"sigmas": "sigmas", "latent_image": "latent"}
    run = {
        "class_type": "SamplerCustomAdvanced",
        "inputs": {name: [source, 0] for name, source in given.items()},
    }
    return {**sources, "noise": noise, "guider": guider, "sampler": sampler, "run": run}


def node(kind: str, links: str = "", **values: Any) -> Json:
    linked = {name: [source, 0] for name, source in (each.split("=") for each in links.split())}
    return {"class_type": kind, "inputs": {**linked, **values}}


RANDOM = node("RandomNoise", noise_seed=7)
PLAIN = node("KSamplerSelect", sampler_name="dpmpp_2m")
CFG = node("CFGGuider", "model=model positive=positive negative=negative", cfg=4.5)
BASIC = node("BasicGuider", "model=model conditioning=positive")
PERPENDICULAR = node(
    "PerpNegGuider",
    "model=model positive=positive negative=negative empty_conditioning=middle",
    cfg=4.5,
    neg_scale=0.5,
)
DUAL = node(
    "DualCFGGuider",
    "model=model cond1=positive cond2=middle negative=negative",
    cfg_conds=4.5,
    cfg_cond2_negative=1.5,
    style="regular",
)


def imported(catalogue: Json, noise: Json, guider: Json, sampler: Json = PLAIN) -> Imported:
    made = import_graph(prompt(noise, guider, sampler), catalogue)
    told = {each.type for each in made.report.findings if each.loss == "missing"}
    assert told == {"EverythingNode"}
    return made


def the(made: Imported, kind: str) -> Node:
    (found,) = [each for each in made.workflow.nodes.values() if each.type == kind]
    return found


def source(value: object, made: Imported) -> str:
    """The node of the prompt that a link leads to."""
    assert isinstance(value, Link)
    return next(theirs for theirs, ours in made.ids.items() if value.node in ours)


@pytest.mark.parametrize(
    ("guider", "scale", "negative", "model"),
    [
        (CFG, 4.5, "negative", "model"),
        (BASIC, 1.0, "positive", "model"),
        (PERPENDICULAR, 4.5, "negative", "guider"),
        (DUAL, 4.5, "negative", "guider"),
    ],
    ids=["cfg", "basic", "perpendicular", "dual"],
)
def test_a_guider_becomes_the_samplers_inputs(
    guider: Json, scale: float, negative: str, model: str, catalogue: Json
) -> None:
    made = imported(catalogue, RANDOM, guider)
    inputs = the(made, "SampleSigmas").inputs
    assert (inputs["guidance_scale"], inputs["seed"], inputs["add_noise"]) == (scale, 7, True)
    assert source(inputs["positive"], made) == "positive"
    assert source(inputs["negative"], made) == negative
    assert source(inputs["model"], made) == model
    assert source(inputs["sigmas"], made) == "sigmas"
    assert source(inputs["latents"], made) == "latent"
    assert "details" not in inputs


def test_guiders_that_change_the_model_do_so_here(catalogue: Json) -> None:
    made = imported(catalogue, RANDOM, PERPENDICULAR)
    changed = the(made, "PerpendicularNegative").inputs
    assert (source(changed["empty"], made), changed["scale"]) == ("middle", 0.5)
    made = imported(catalogue, RANDOM, DUAL)
    changed = the(made, "DualGuidance").inputs
    assert (source(changed["middle"], made), changed["scale"]) == ("middle", 1.5)


def test_noise_can_be_left_out(catalogue: Json) -> None:
    inputs = the(imported(catalogue, node("DisableNoise"), CFG), "SampleSigmas").inputs
    assert inputs["add_noise"] is False


@pytest.mark.parametrize("kind", ["SamplerCustomAdvanced", "SamplerCustom"])
def test_settings_of_a_sampler_reach_the_run(kind: str, catalogue: Json) -> None:
    sampler = node("SamplerDPMPP_2M_SDE", solver_type="midpoint", eta=0.5, s_noise=0.9)
    graph = prompt(RANDOM, CFG, sampler)
    if kind == "SamplerCustom":
        graph["run"] = node(
            kind,
            "model=model positive=positive negative=negative sampler=sampler sigmas=sigmas"
            " latent_image=latent",
            add_noise=True,
            noise_seed=7,
            cfg=4.5,
        )
    made = import_graph(graph, catalogue)
    inputs, details = the(made, "SampleSigmas").inputs, the(made, "SamplerNoise").inputs
    assert (details["eta"], details["scale"]) == (0.5, 0.9)
    ours = {name: each.type for name, each in made.workflow.nodes.items()}
    assert ours[inputs["details"].node] == "SamplerNoise"
    assert ours[inputs["sampler"].node] == "ChooseSampler"
    back = export_workflow(made.workflow, catalogue)
    assert any("details are left out" in each.message for each in back.report.findings)


def test_a_run_comes_back_as_the_plain_sampler(catalogue: Json) -> None:
    made = imported(catalogue, RANDOM, CFG)
    back = export_workflow(made.workflow, catalogue).prompt
    (run,) = [each for each in back.values() if each["class_type"] == "SamplerCustom"]
    assert (run["inputs"]["noise_seed"], run["inputs"]["cfg"]) == (7, 4.5)
    assert "details" not in run["inputs"]


@pytest.mark.parametrize("broken", ["noise", "guider"])
def test_what_cannot_be_followed_is_kept_and_told(broken: str, catalogue: Json) -> None:
    graph = prompt(RANDOM, CFG, PLAIN)
    graph["run"]["inputs"][broken] = ["middle", 0]
    made = import_graph(graph, catalogue)
    kept = {each.type for each in made.workflow.nodes.values()}
    assert {"comfyui:SamplerCustomAdvanced", "comfyui:RandomNoise", "comfyui:CFGGuider"} <= kept
    told = {each.type for each in made.report.findings if each.loss == "missing"}
    assert told == {"EverythingNode", "SamplerCustomAdvanced", "RandomNoise", "CFGGuider"}


def test_a_value_for_several_inputs_reaches_the_sampler() -> None:
    nodes = {
        "1": Placed("1", "RandomNoise", {"noise_seed": 3}),
        "2": Placed("2", "BasicGuider", {"model": Wire("9", 0), "conditioning": Wire("9", 1)}),
        "3": Placed("3", "SamplerCustomAdvanced", {"noise": Wire("1", 0), "guider": Wire("2", 0)}),
        "4": Placed("4", "KSampler", {"seed": 3}),
    }
    shared = (Shared("seed", (("1", "noise_seed"), ("4", "seed"))),)
    made = unbundled(Graph(nodes, shared=shared))
    assert set(made.graph.nodes) == {"3", "4"}
    assert made.graph.shared == (Shared("seed", (("3", "noise_seed"), ("4", "seed"))),)
    assert made.origins["3", "noise_seed"] == ("1", "noise_seed")
