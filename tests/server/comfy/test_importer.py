import json
from pathlib import Path
from typing import Any

import pytest

from engine.errors import GraphError
from engine.links import Link
from engine.workflow import Workflow
from server.comfy.importer import Imported, import_file, import_graph

from .graphs import TEXT_TO_IMAGE, slot, text_to_image, ui, ui_node

Json = dict[str, Any]
SAMPLER = [7, "fixed", 20, 8.0, "euler", "normal", 1.0]


@pytest.fixture
def usual(catalogue: Json) -> Imported:
    return import_graph(TEXT_TO_IMAGE, catalogue)


def test_nodes_are_called_what_they_are(usual: Imported) -> None:
    assert usual.ids == {
        "4": ("checkpoint",), "5": ("empty",), "6": ("positive",), "7": ("negative",),
        "3": ("sampler",), "8": ("decode",), "9": ("save",),
    }  # fmt: skip
    assert usual.report.complete
    assert usual.report.nodes == 7


def test_the_usual_inputs_and_outputs_are_named(usual: Imported) -> None:
    found = {name: (end.node, end.name) for name, end in usual.workflow.inputs.items()}
    assert found == {
        "prompt": ("positive", "text"),
        "negative": ("negative", "text"),
        "seed": ("sampler", "seed"),
    }
    assert [(end.node, end.name) for end in usual.workflow.outputs.values()] == [("save", "value")]


def test_an_input_of_ours_tells_where_it_comes_from(usual: Imported) -> None:
    assert usual.places["sampler", "guidance_scale"] == ("3", "cfg")
    assert usual.places["decode", "latents"] == ("8", "samples")


def test_a_second_node_of_a_kind_is_counted(catalogue: Json) -> None:
    graph = text_to_image() | {"10": TEXT_TO_IMAGE["4"], "11": TEXT_TO_IMAGE["9"]}
    made = import_graph(graph, catalogue)
    assert (made.ids["10"], made.ids["11"]) == (("checkpoint_2",), ("save_2",))
    assert len(made.workflow.outputs) == 2


def test_a_prompt_for_both_sides_is_called_a_prompt(catalogue: Json) -> None:
    made = import_graph(text_to_image(negative=["6", 0]), catalogue)
    assert made.ids["6"] == ("prompt",)


def test_a_body_that_was_posted_is_read(catalogue: Json) -> None:
    made = import_graph({"prompt": TEXT_TO_IMAGE, "client_id": "x"}, catalogue)
    assert made.ids["3"] == ("sampler",)


def test_a_choice_that_is_not_here_is_told_and_kept(catalogue: Json) -> None:
    made = import_graph(text_to_image(sampler_name="dpm_fast"), catalogue)
    (finding,) = made.report.findings
    assert (finding.code, finding.input, finding.node) == ("unsupported_value", "sampler_name", "3")
    assert "dpmpp_2m" in finding.message
    assert made.workflow.nodes["sampler"].inputs["sampler"] == "dpm_fast"
    assert not made.report.complete


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("sampler_name", "dpmpp_2m_sde_gpu", "drawn on the CPU"),
        ("scheduler", "ddim_uniform", "one more"),
    ],
)
def test_what_differs_a_little_is_told(name: str, value: str, told: str, catalogue: Json) -> None:
    report = import_graph(text_to_image(**{name: value}), catalogue).report
    assert report.complete
    assert not report.exact
    assert told in report.findings[0].sentence


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a (red:1.2) house", ""),
        ("embedding:cat", ""),
        ("a {red|blue} house", "chooses"),
        ("a red house", ""),
    ],
)
def test_what_comfyui_reads_in_its_own_way_in_a_prompt_is_told(
    text: str, told: str, catalogue: Json
) -> None:
    graph = text_to_image()
    graph["6"]["inputs"]["text"] = text
    findings = import_graph(graph, catalogue).report.findings
    assert [told in each.message for each in findings] == ([True] if told else [])


def test_an_input_that_is_not_given_takes_comfyuis_default(catalogue: Json) -> None:
    graph = text_to_image()
    del graph["3"]["inputs"]["cfg"]
    made = import_graph(graph, catalogue)
    assert made.workflow.nodes["sampler"].inputs["guidance_scale"] == 8.0
    assert [(each.loss, each.input) for each in made.report.findings] == [("note", "cfg")]


def test_a_link_to_nowhere_is_told(catalogue: Json) -> None:
    made = import_graph(text_to_image(model=["99", 0]), catalogue)
    assert "model" not in made.workflow.nodes["sampler"].inputs
    assert [each.code for each in made.report.findings] == ["dead_link"]


@pytest.mark.parametrize("slot", [7, -1])
def test_an_output_that_is_not_there_is_told(slot: int, catalogue: Json) -> None:
    made = import_graph(text_to_image(model=["4", slot]), catalogue)
    assert [each.code for each in made.report.findings] == ["missing_output"]


def test_an_unknown_node_keeps_everything_and_its_place_in_the_graph(catalogue: Json) -> None:
    odd = {
        "class_type": "Odd/Node",
        "inputs": {"model": ["4", 0], "much": 3, "listed": {"a": 1}},
        "extra": 5,
    }
    made = import_graph(text_to_image(model=["20", 1]) | {"20": odd}, catalogue)
    (our_id,) = made.ids["20"]
    node = made.workflow.nodes[our_id]
    assert node.type == "comfyui:Odd/Node"
    assert node.inputs == {"model": Link("checkpoint", "model"), "much": 3}
    assert node.extra == {"comfyui": {"extra": 5, "values": {"listed": {"a": 1}}}}
    assert made.workflow.nodes["sampler"].inputs["model"] == Link(our_id, "1")
    assert made.report.missing_types == {"Odd/Node": 1}


def muted(mode: int, catalogue: Json) -> Imported:
    nodes = [
        ui_node(1, "CheckpointLoaderSimple", ["a.ckpt"]),
        ui_node(2, "CLIPSetLastLayer", [-2], inputs=[slot("clip", 1)], mode=mode),
        ui_node(3, "CLIPTextEncode", ["x"], inputs=[slot("clip", 2)]),
    ]
    return import_graph(ui(nodes, [[1, 1, 1, 2, 0, "CLIP"], [2, 2, 0, 3, 0, "CLIP"]]), catalogue)


def test_muted_and_bypassed_nodes_stay_so(catalogue: Json) -> None:
    for mode, word in ((2, "mute"), (4, "bypass"), (0, "normal")):
        made = muted(mode, catalogue)
        assert made.workflow.nodes["clip_skip"].mode == word
        assert made.workflow.nodes["prompt"].inputs["text_encoder"] == Link("clip_skip")


def test_an_unknown_node_that_is_muted_is_only_noted(catalogue: Json) -> None:
    made = import_graph(ui([ui_node(1, "CheckpointSave", ["a"], mode=2)]), catalogue)
    assert made.report.complete
    assert made.workflow.nodes["checkpoint_save"].mode == "mute"


def bypassed_merge(catalogue: Json) -> Imported:
    nodes = [
        ui_node(1, "CheckpointLoaderSimple", ["a.ckpt"]),
        ui_node(
            2,
            "CLIPMergeSimple",
            [1.0],
            inputs=[slot("clip1", 2), slot("clip2", 1)],
            mode=4,
        ),
        ui_node(3, "CLIPTextEncode", ["x"], inputs=[slot("clip", 3)]),
    ]
    links = [[1, 1, 1, 2, 1, "CLIP"], [2, 1, 1, 2, 0, "CLIP"], [3, 2, 0, 3, 0, "CLIP"]]
    return import_graph(ui(nodes, links), catalogue)


def test_links_go_around_a_bypassed_node_that_has_no_counterpart(catalogue: Json) -> None:
    made = bypassed_merge(catalogue)
    assert made.report.complete
    assert [(each.loss, each.code) for each in made.report.findings] == [("note", "bypassed")]
    assert made.workflow.nodes["prompt"].inputs["text_encoder"] == Link(
        "checkpoint", "text_encoder"
    )
    assert made.document["comfyui"]["bypassed"] == {"2": "CLIPMergeSimple"}


def test_a_value_for_several_nodes_becomes_a_named_input(catalogue: Json) -> None:
    values = [7, "fixed", 20, 8.0, "euler", "normal", 1.0]
    nodes = [
        ui_node(1, "PrimitiveNode", [25, "fixed"], title="How many steps"),
        *(ui_node(n, "KSampler", values, inputs=[slot("steps", n)]) for n in (2, 3)),
    ]
    made = import_graph(ui(nodes, [[2, 1, 0, 2, 0, "INT"], [3, 1, 0, 3, 0, "INT"]]), catalogue)
    changed = made.workflow.with_input("how_many_steps", 30)
    assert [node.inputs["steps"] for node in changed.nodes.values()] == [30, 30]


@pytest.mark.parametrize(
    ("after", "mode", "told"),
    [
        (
            "randomize",
            "random",
            "draws another after each run (randomize): so does the editor here",
        ),
        (True, "random", "elsewhere it stays 7"),
        ("increment", "increment", "counts it up"),
        ("decrement", None, "counts it down after each run (decrement): here it stays 7"),
        ("fixed", None, ""),
    ],
)
def test_what_becomes_of_a_seed_after_a_run_is_kept_and_told(
    after: object, mode: str | None, told: str, catalogue: Json
) -> None:
    values = [7, after, 20, 8.0, "euler", "normal", 1.0]
    made = import_graph(ui([ui_node(3, "KSampler", values)]), catalogue)
    places = made.document["view"]["nodes"]
    assert places["sampler"].get("seeds") == (mode and {"seed": mode})
    said = [each.message for each in made.report.findings if each.code == "seed"]
    assert len(said) == bool(told)
    assert told in "".join(said)


def test_a_seed_that_several_nodes_share_stays(catalogue: Json) -> None:
    nodes = [
        ui_node(1, "PrimitiveNode", [25, "randomize"]),
        ui_node(2, "KSampler", SAMPLER, inputs=[slot("seed", 12)]),
    ]
    link = [12, 1, 0, 2, 0, "INT"]
    alone = import_graph(ui(nodes, [link]), catalogue)
    assert alone.document["view"]["nodes"]["sampler"]["seeds"] == {"seed": "random"}
    nodes += [ui_node(3, "KSampler", SAMPLER, inputs=[slot("seed", 13)])]
    both = import_graph(ui(nodes, [link, [13, 1, 0, 3, 0, "INT"]]), catalogue)
    assert not any("seeds" in view for view in both.document["view"]["nodes"].values())
    told = [each.message for each in both.report.findings if each.code == "seed"]
    assert len(told) == 2
    assert all("here it stays 25" in each for each in told)


def test_positions_and_titles_are_kept(catalogue: Json) -> None:
    nodes = [
        ui_node(1, "VAEEncodeForInpaint", [6], pos=[100, 200], size=[10, 20], title="Hide"),
        ui_node(2, "Note", ["hello"]),
    ]
    view = import_graph(ui(nodes, groups=[{"title": "g"}]), catalogue).document["view"]
    assert view["nodes"]["set_latent_mask"] == {
        "x": 100, "y": 200, "width": 10, "height": 20, "title": "Hide",
    }  # fmt: skip
    assert len(view["nodes"]) == 7
    assert view["nodes"]["encode"]["x"] < 100
    assert (view["groups"], view["notes"][0]["text"]) == ([{"title": "g"}], "hello")


SUBGRAPH = "1bd1-uuid"


def with_subgraph(**more: Any) -> Json:
    inner = {
        "id": SUBGRAPH,
        "name": "Small picture",
        "inputs": [
            {"name": "clip", "type": "CLIP", "linkIds": [1]},
            {"name": "Wide", "type": "INT", "linkIds": [4, 5]},
        ],
        "outputs": [{"name": "conditioning", "type": "CONDITIONING", "linkIds": [2]}],
        "inputNode": {"id": -10},
        "outputNode": {"id": -20},
        "nodes": [
            ui_node(5, "CLIPTextEncode", ["inside"], inputs=[slot("clip", 1)]),
            ui_node(
                6, "EmptyLatentImage", [512, 512, 1], inputs=[slot("width", 4), slot("height", 4)]
            ),
            ui_node(7, "LatentUpscale", ["area", 64, 64, "disabled"], inputs=[slot("width", 5)]),
        ],
        "links": [
            {"id": 1, "origin_id": -10, "origin_slot": 0, "target_id": 5, "target_slot": 0},
            {"id": 2, "origin_id": 5, "origin_slot": 0, "target_id": -20, "target_slot": 0},
            {"id": 4, "origin_id": -10, "origin_slot": 1, "target_id": 6, "target_slot": 0},
            {"id": 5, "origin_id": -10, "origin_slot": 1, "target_id": 7, "target_slot": 0},
        ],
    }
    values = [slot("clip", 1), slot("Wide", None, widget={"name": "Wide"})]
    nodes = [
        ui_node(1, "CheckpointLoaderSimple", ["a.ckpt"]),
        ui_node(2, SUBGRAPH, [256], inputs=values),
        ui_node(3, "ConditioningZeroOut", inputs=[slot("conditioning", 2)]),
    ]
    links = [[1, 1, 1, 2, 0, "CLIP"], [2, 2, 0, 3, 0, "CONDITIONING"]]
    return ui(nodes, links, definitions={"subgraphs": [inner | more]})


def test_a_subgraph_becomes_one_of_the_document(catalogue: Json) -> None:
    made = import_graph(with_subgraph(), catalogue)
    node = made.workflow.nodes["small_picture"]
    assert (node.type, node.extra["graph"]) == ("Subgraph", "Small picture")
    assert node.inputs == {"clip": Link("checkpoint", "text_encoder"), "wide": 256}
    (zero,) = made.ids["3"]
    assert made.workflow.nodes[zero].inputs["conditioning"] == Link("small_picture", "conditioning")
    inner = made.workflow.subgraphs["Small picture"]
    assert inner.nodes["prompt"].inputs == {"text": "inside", "syntax": "comfyui"}
    assert (inner.inputs["clip"].node, inner.inputs["clip"].name) == ("prompt", "text_encoder")
    assert (inner.outputs["conditioning"].node, inner.outputs["conditioning"].name) == (
        "prompt",
        "value",
    )


def test_an_input_of_a_subgraph_reaches_into_a_choice_of_forms(catalogue: Json) -> None:
    inner = import_graph(with_subgraph(), catalogue).workflow.subgraphs["Small picture"]
    ends = [(end.node, end.name) for end in (inner.inputs["wide"], *inner.inputs["wide"].also)]
    assert ends == [("empty", "width"), ("empty", "height"), ("given", "value")]
    assert inner.nodes["larger"].inputs["to"]["width"] == Link("given")


def test_subgraphs_of_one_name_are_told_apart(catalogue: Json) -> None:
    document = with_subgraph()
    first = document["definitions"]["subgraphs"][0]
    document["definitions"]["subgraphs"].append(first | {"id": "other"})
    made = import_graph(document, catalogue)
    assert list(made.workflow.subgraphs) == ["Small picture", "Small picture 2"]


def test_an_output_that_a_subgraph_only_passes_on_is_told(catalogue: Json) -> None:
    link = {"id": 9, "origin_id": -10, "origin_slot": 0, "target_id": -20, "target_slot": 0}
    document = with_subgraph(outputs=[{"name": "same", "linkIds": [9]}])
    document["definitions"]["subgraphs"][0]["links"].append(link)
    report = import_graph(document, catalogue).report
    assert "missing_output" in {each.code for each in report.findings}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([1], "no ComfyUI graph"),
        ({"darkroom": 1, "nodes": {}}, "Darkroom workflow already"),
        ({}, "no node"),
        ("text", "no ComfyUI graph"),
    ],
)
def test_what_is_no_graph_is_refused(document: object, said: str, catalogue: Json) -> None:
    with pytest.raises(GraphError, match=said):
        import_graph(document, catalogue)


def test_a_file_is_named_after_itself(tmp_path: Path, catalogue: Json) -> None:
    file = tmp_path / "house.json"
    file.write_text(json.dumps(TEXT_TO_IMAGE), encoding="utf-8-sig")
    made = import_file(file, catalogue)
    assert made.workflow.name == "house"
    assert Workflow.parse(made.workflow.text()) == made.workflow


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_file_that_is_no_json_is_refused(content: bytes, tmp_path: Path, catalogue: Json) -> None:
    file = tmp_path / "house.json"
    file.write_bytes(content)
    with pytest.raises(GraphError, match=r"house\.json"):
        import_file(file, catalogue)


@pytest.mark.parametrize(
    "inputs",
    [
        None,
        5,
        [],
        {"steps": {"$link": 3}},
        {"model": {"$link": ["a"]}},
        {"seed": [[]]},
        {"cfg": ["3", 0]},
    ],
)
def test_whatever_stands_in_a_node_the_document_can_be_read_back(
    inputs: object, catalogue: Json
) -> None:
    graph = {
        "3": {"class_type": "KSampler", "inputs": inputs},
        "4": {"class_type": "Odd", "inputs": inputs},
    }
    made = import_graph(graph, catalogue)
    assert Workflow.parse(made.workflow.text()) == made.workflow


def test_a_long_chain_of_nodes_is_read(catalogue: Json) -> None:
    graph = {"0": TEXT_TO_IMAGE["5"]}
    for number in range(1, 3000):
        graph[str(number)] = {
            "class_type": "RepeatLatentBatch",
            "inputs": {"samples": [str(number - 1), 0], "amount": 1},
        }
    made = import_graph(graph, catalogue)
    assert len(made.workflow.nodes) == 3000
