from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.workflow import Workflow
from server.comfy.exporter import Exported, export_workflow
from server.comfy.importer import import_graph

from .graphs import TEXT_TO_IMAGE, text_to_image

Json = dict[str, Any]
SHIPPED = Path(__file__).parents[3] / "workflows"
SAMPLING = {"profile": "comfyui", "guidance_scale": 3.0, "schedule": "normal"}


def link(node: str, output: str = "value") -> Json:
    return {"$link": [node, output]}


def workflow(nodes: Json, **more: Any) -> Workflow:
    return Workflow.from_json({"darkroom": 1, "nodes": nodes, **more})


def shipped(name: str, catalogue: Json) -> Exported:
    return export_workflow(Workflow.read(SHIPPED / f"{name}.json"), catalogue)


def by_type(exported: Exported) -> dict[str, Json]:
    return {node["class_type"]: node["inputs"] for node in exported.prompt.values()}


def test_the_usual_graph_comes_back(catalogue: Json) -> None:
    made = export_workflow(import_graph(TEXT_TO_IMAGE, catalogue).workflow, catalogue)
    assert made.report.exact
    nodes = by_type(made)
    assert nodes["KSampler"].keys() == TEXT_TO_IMAGE["3"]["inputs"].keys()
    assert nodes["KSampler"]["seed"] == 7
    assert [node["class_type"] for node in made.prompt.values()].count("CLIPTextEncode") == 2
    assert made.ids == {
        number: our for our, number in zip(made.ids.values(), made.ids, strict=True)
    }
    (sampler,) = [n for n, node in made.prompt.items() if node["class_type"] == "KSampler"]
    assert made.ids[sampler] == "sampler"


def test_inputs_stand_in_comfyuis_order_and_lists_of_links_are_nested(catalogue: Json) -> None:
    made = export_workflow(import_graph(TEXT_TO_IMAGE, catalogue).workflow, catalogue)
    assert list(by_type(made)["KSampler"])[:3] == ["model", "seed", "steps"]


@pytest.mark.parametrize(
    "name", ["text-to-image", "image-to-image", "two-pass", "controlnet", "two-controlnets"]
)
def test_shipped_graphs_have_a_counterpart_with_other_noise(name: str, catalogue: Json) -> None:
    made = shipped(name, catalogue)
    assert made.report.complete
    assert {each.type for each in made.report.findings} <= {"KSampler", "CLIPEncode", "VAEEncode"}
    assert "ComfyUI's rules" in made.report.findings[0].message
    again = export_workflow(import_graph(made.prompt, catalogue).workflow, catalogue)
    assert again.prompt.keys() == made.prompt.keys()


@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("map", {"Map", "ImageGrid", "SaveTable"}),
        ("until-settled", {"Loop"}),
        ("draft-or-large", {"Switch"}),
        ("inpaint", {"FeatherMask"}),
    ],
)
def test_what_comfyui_cannot_do_is_told(name: str, types: set[str], catalogue: Json) -> None:
    report = shipped(name, catalogue).report
    assert not report.complete
    missing = {each.type for each in report.findings if each.code == "no_counterpart"}
    assert types <= missing


def test_a_sweep_is_told(catalogue: Json) -> None:
    graph = import_graph(TEXT_TO_IMAGE, catalogue).workflow.with_input("seed", {"$axis": [1, 2]})
    (finding,) = [
        each for each in export_workflow(graph, catalogue).report.findings if each.loss == "missing"
    ]
    assert (finding.code, finding.node) == ("no_counterpart", "sampler")


def test_subgraphs_are_taken_apart(catalogue: Json) -> None:
    made = shipped("subgraphs", catalogue)
    texts = [
        node["inputs"]["text"]
        for node in made.prompt.values()
        if node["class_type"] == "CLIPTextEncode"
    ]
    assert len(set(texts)) > 1
    assert "unknown_graph" not in {each.code for each in made.report.findings}


def test_a_subgraph_that_is_not_there_is_told(catalogue: Json) -> None:
    made = export_workflow(workflow({"a": {"type": "Subgraph", "graph": "b.json"}}), catalogue)
    assert [each.code for each in made.report.findings] == ["unknown_graph"]


def test_a_subgraph_in_itself_is_told(catalogue: Json) -> None:
    inner = {"nodes": {"a": {"type": "Subgraph", "graph": "inner"}}}
    nodes = {"a": {"type": "Subgraph", "graph": "inner"}}
    made = export_workflow(workflow(nodes, subgraphs={"inner": inner}), catalogue)
    assert [each.code for each in made.report.findings] == ["unknown_graph"]


def skipped(mode: str, catalogue: Json) -> Exported:
    graph = import_graph(text_to_image(), catalogue).workflow
    clip = workflow(
        {
            "skip": {
                "type": "ClipSkip",
                "mode": mode,
                "inputs": {"text_encoder": link("checkpoint", "text_encoder"), "layers": 1},
            }
        }
    ).nodes["skip"]
    nodes = dict(graph.nodes) | {"skip": clip}
    nodes["positive"] = nodes["positive"].with_inputs(
        workflow({"x": {"type": "x", "inputs": {"text_encoder": link("skip")}}}).nodes["x"].inputs
    )
    return export_workflow(replace(graph, nodes=nodes), catalogue)


def test_bypassed_nodes_are_led_around_and_muted_ones_left_out(catalogue: Json) -> None:
    assert "CLIPSetLastLayer" in by_type(skipped("normal", catalogue))
    around = skipped("bypass", catalogue)
    assert "CLIPSetLastLayer" not in by_type(around)
    assert around.report.complete
    texts = [n["inputs"] for n in around.prompt.values() if n["class_type"] == "CLIPTextEncode"]
    assert all("clip" in inputs for inputs in texts)
    without = skipped("mute", catalogue)
    texts = [n["inputs"] for n in without.prompt.values() if n["class_type"] == "CLIPTextEncode"]
    assert sorted("clip" in inputs for inputs in texts) == [False, True]


def test_an_unknown_node_goes_back_as_it_was(catalogue: Json) -> None:
    odd = {
        "class_type": "Odd",
        "inputs": {"model": ["4", 0], "much": 3, "listed": {"a": 1}},
    }
    graph = text_to_image(model=["20", 2]) | {"20": odd}
    made = export_workflow(import_graph(graph, catalogue).workflow, catalogue)
    nodes = by_type(made)
    assert nodes["Odd"]["much"] == 3
    assert nodes["Odd"]["listed"] == {"a": 1}
    assert nodes["KSampler"]["model"][1] == 2


def test_a_value_that_differs_from_our_default_is_not_lost_in_silence(catalogue: Json) -> None:
    graph = import_graph(TEXT_TO_IMAGE, catalogue).workflow
    nodes = dict(graph.nodes)
    nodes["save"] = nodes["save"].with_inputs({"to": {"kind": "jpeg", "quality": 80}})
    made = export_workflow(replace(graph, nodes=nodes), catalogue)
    assert [(each.loss, each.node) for each in made.report.findings] == [("near", "save")]
    assert "to is left out" in made.report.findings[0].message


def test_an_output_that_comfyui_has_not_is_told(catalogue: Json) -> None:
    nodes = {
        "state": {"type": "StartSampling", "inputs": {}},
        "text": {"type": "JoinText", "inputs": {"texts": [link("prompt", "odd"), link("prompt")]}},
        "prompt": {"type": "Text", "inputs": {"value": "a"}},
    }
    codes = {each.code for each in export_workflow(workflow(nodes), catalogue).report.findings}
    assert codes == {"no_counterpart", "missing_output"}


def test_a_link_to_nowhere_is_told(catalogue: Json) -> None:
    nodes = {"save": {"type": "PreviewImage", "inputs": {"image": link("gone")}}}
    made = export_workflow(workflow(nodes), catalogue)
    assert [each.code for each in made.report.findings] == ["dead_link"]


def test_titles_go_along(catalogue: Json) -> None:
    graph = text_to_image()
    graph["3"]["_meta"] = {"title": "My sampler"}
    made = export_workflow(import_graph(graph, catalogue).workflow, catalogue)
    titles = {node["class_type"]: node["_meta"]["title"] for node in made.prompt.values()}
    assert (titles["KSampler"], titles["SaveImage"]) == ("My sampler", "Save Image")


def test_a_long_chain_of_nodes_is_written(catalogue: Json) -> None:
    nodes: Json = {"n0": {"type": "EmptyLatent", "inputs": {}}}
    for number in range(1, 3000):
        inputs = {"latents": link(f"n{number - 1}"), "times": 1}
        nodes[f"n{number}"] = {"type": "RepeatLatent", "inputs": inputs}
    assert len(export_workflow(workflow(nodes), catalogue).prompt) == 3000


SAMPLERS = {
    *("euler", "euler_ancestral", "heun", "dpm_2", "dpm_2_ancestral", "lms", "dpmpp_2s_ancestral"),
    *("dpmpp_sde", "dpmpp_2m", "dpmpp_2m_sde", "dpmpp_3m_sde", "ddpm", "lcm", "deis", "ddim"),
    *("uni_pc", "uni_pc_bh2"),
}
SCHEDULERS = {"simple", "sgm_uniform", "karras", "exponential", "ddim_uniform", "beta", "normal"}
"""ComfyUI's, of those that there are here."""


def sampled(catalogue: Json, **inputs: str) -> Exported:
    made = import_graph(text_to_image(), catalogue).workflow
    (sampler,) = (name for name, node in made.nodes.items() if node.type == "KSampler")
    changed = made.nodes[sampler].with_inputs(inputs)
    return export_workflow(replace(made, nodes={**made.nodes, sampler: changed}), catalogue)


@pytest.mark.parametrize(
    ("name", "theirs", "known", "missing"),
    [
        ("sampler", "sampler_name", SAMPLERS, {"pndm", "tcd"}),
        ("schedule", "scheduler", SCHEDULERS, {"turbo", "align_your_steps"}),
    ],
)
def test_samplers_and_schedules_are_comfyuis_or_told_to_be_missing(
    name: str, theirs: str, known: set[str], missing: set[str], catalogue: Json
) -> None:
    for ours in catalogue["KSampler"]["inputs"]["properties"][name]["enum"]:
        made = sampled(catalogue, **{name: ours})
        if ours in missing:
            (finding,) = made.report.findings
            assert finding.loss == "missing"
            assert finding.message.endswith(f"it has no {theirs.removesuffix('_name')} {ours!r}")
        else:
            assert made.report.complete
            assert by_type(made)["KSampler"][theirs] in known


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("leading", "ddim_uniform"), ("trailing", "simple"), ("linspace", "normal")],
)
def test_a_schedule_becomes_the_nearest_of_comfyui(ours: str, theirs: str, catalogue: Json) -> None:
    made = sampled(catalogue, schedule=ours)
    assert by_type(made)["KSampler"]["scheduler"] == theirs
    (finding,) = made.report.findings
    assert (finding.loss, finding.message) == (
        "near",
        f"ComfyUI has no scheduler {ours!r}: it takes {theirs!r}, the nearest",
    )
