from typing import Any

import pytest

from engine.errors import GraphError
from server.comfy.editor import in_order, read_editor
from server.comfy.graph import Graph, Wire
from server.comfy.report import Report
from server.comfy.table import TABLE

from .graphs import slot, ui, ui_node

Json = dict[str, Any]
SAMPLER = [7, 20, 8.0, "euler", "normal", 1.0]


def read(document: Json) -> tuple[Graph, Report]:
    report = Report()
    return read_editor(document, report), report


def of_sampler(values: object, **more: Any) -> tuple[Json, Report]:
    graph, report = read(ui([ui_node(3, "KSampler", values, **more)]))
    return dict(graph.nodes["3"].inputs), report


@pytest.mark.parametrize("after", ["randomize", "fixed", "increment", True, False])
def test_what_becomes_of_a_seed_is_no_value(after: object) -> None:
    values, report = of_sampler([7, after, *SAMPLER[1:]])
    assert values == {
        "seed": 7, "steps": 20, "cfg": 8.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0,
    }  # fmt: skip
    assert not report.findings


def test_a_seed_without_it_is_read_too() -> None:
    assert of_sampler(SAMPLER)[0]["steps"] == 20


def test_values_in_an_object_are_read_by_name() -> None:
    assert of_sampler({"seed": 5, "steps": 9})[0] == {"seed": 5, "steps": 9}


def test_left_over_values_are_told_and_kept() -> None:
    graph, report = read(ui([ui_node(1, "EmptyLatentImage", [512, 512, 1, "more", 5])]))
    (finding,) = report.findings
    assert (finding.code, finding.loss) == ("extra_values", "near")
    assert "'more', 5" in finding.message
    assert graph.nodes["1"].rest["widgets_values"] == [512, 512, 1, "more", 5]


def test_a_value_of_another_kind_is_told() -> None:
    _, report = of_sampler([7, "fixed", "euler", 8.0, "euler", "normal", 1.0])
    (finding,) = report.findings
    assert (finding.code, finding.input) == ("bad_value", "steps")


def test_the_upload_button_of_a_picture_is_no_value() -> None:
    graph, report = read(ui([ui_node(1, "LoadImage", ["a.png", "image"])]))
    assert graph.nodes["1"].inputs == {"image": "a.png"}
    assert not report.findings


def test_values_of_an_unknown_node_are_kept_in_a_row() -> None:
    graph, _ = read(ui([ui_node(1, "Odd", [1, "two"])]))
    assert graph.nodes["1"].rest == {"widgets_values": [1, "two"]}


def test_a_converted_input_takes_its_link_before_its_value() -> None:
    text = ui_node(2, "CLIPTextEncode", ["old"], inputs=[slot("text", 5, widget={"name": "text"})])
    source = ui_node(1, "PrimitiveString", ["new"])
    graph, _ = read(ui([source, text], [[5, 1, 0, 2, 0, "STRING"]]))
    assert graph.nodes["2"].inputs == {"text": Wire("1", 0)}


def test_a_primitive_node_gives_its_value_to_all_inputs() -> None:
    nodes = [
        ui_node(1, "PrimitiveNode", [25, "fixed"], title="Steps"),
        *(
            ui_node(number, "KSampler", SAMPLER, inputs=[slot("steps", number + 10)])
            for number in (2, 3)
        ),
    ]
    graph, _ = read(ui(nodes, [[12, 1, 0, 2, 0, "INT"], [13, 1, 0, 3, 0, "INT"]]))
    assert [graph.nodes[node].inputs["steps"] for node in ("2", "3")] == [25, 25]
    (shared,) = graph.shared
    assert (shared.title, shared.targets) == ("Steps", (("2", "steps"), ("3", "steps")))


def rerouted(**more: Any) -> Graph:
    nodes = [
        ui_node(1, "VAELoader", ["a.pt"]),
        ui_node(2, "Reroute", inputs=[slot("", 1)]),
        ui_node(3, "Reroute", inputs=[slot("", 2)], **more),
        ui_node(4, "VAEDecode", inputs=[slot("vae", 3)]),
    ]
    links = [[1, 1, 0, 2, 0, "*"], [2, 2, 0, 3, 0, "*"], [3, 3, 0, 4, 1, "VAE"]]
    return read(ui(nodes, links))[0]


def test_links_go_through_reroutes() -> None:
    graph = rerouted()
    assert set(graph.nodes) == {"1", "4"}
    assert graph.nodes["4"].inputs == {"vae": Wire("1", 0)}


def test_a_muted_reroute_passes_nothing_on() -> None:
    assert rerouted(mode=2).nodes["4"].inputs == {}


def test_reroutes_in_a_circle_lead_nowhere() -> None:
    nodes = [
        ui_node(1, "Reroute", inputs=[slot("", 2)]),
        ui_node(2, "Reroute", inputs=[slot("", 1)]),
        ui_node(3, "VAEDecode", inputs=[slot("vae", 3)]),
    ]
    graph, _ = read(ui(nodes, [[1, 1, 0, 2, 0, "*"], [2, 2, 0, 1, 0, "*"], [3, 2, 0, 3, 1, "*"]]))
    assert graph.nodes["3"].inputs == {}


def test_links_may_be_objects_with_reroutes_of_their_own() -> None:
    link = {
        "id": 1, "origin_id": 1, "origin_slot": 0, "target_id": 2, "target_slot": 1, "type": "VAE", "parentId": 7,
    }  # fmt: skip
    nodes = [ui_node(1, "VAELoader", ["a.pt"]), ui_node(2, "VAEDecode", inputs=[slot("vae", 1)])]
    graph, _ = read(ui(nodes, [link], extra={"reroutes": [{"id": 7, "pos": [1, 2]}]}))
    assert graph.nodes["2"].inputs == {"vae": Wire("1", 0)}


@pytest.mark.parametrize("pair", [[3, 4], {"0": 3, "1": 4}])
def test_sizes_are_lists_or_objects(pair: object) -> None:
    graph, _ = read(ui([ui_node(1, "VAEDecode", pos=pair, size=pair)]))
    assert graph.nodes["1"].view == {"x": 3, "y": 4, "width": 3, "height": 4}


@pytest.mark.parametrize("pair", [None, [1], ["a", "b"], {"x": 1}, [True, False]])
def test_a_position_that_is_none_is_left_out(pair: object) -> None:
    graph, _ = read(ui([ui_node(1, "VAEDecode", pos=pair)]))
    assert graph.nodes["1"].view == {}


def test_modes_titles_groups_notes_and_the_view_are_kept() -> None:
    nodes = [
        ui_node(1, "VAEDecode", mode=2, title="Last", color="#111", flags={"collapsed": True}),
        ui_node(2, "VAEDecode", mode=4),
        ui_node(3, "Note", ["remember"], title="To do"),
        ui_node(4, "MarkdownNote", ["# this"]),
    ]
    group = {"title": "All", "bounding": [1, 2, 3, 4], "color": "#222"}
    graph, _ = read(ui(nodes, groups=[group], extra={"ds": {"scale": 0.5, "offset": [7, 8]}}))
    assert [graph.nodes[node].mode for node in ("1", "2")] == ["mute", "bypass"]
    assert graph.nodes["1"].title == "Last"
    assert graph.nodes["1"].view == {"x": 0, "y": 0, "color": "#111", "collapsed": True}
    assert graph.view["groups"] == [
        {"title": "All", "x": 1, "y": 2, "width": 3, "height": 4, "color": "#222"}
    ]
    assert [note["text"] for note in graph.view["notes"]] == ["remember", "# this"]
    assert graph.view["notes"][0]["title"] == "To do"
    assert graph.view["notes"][1]["format"] == "markdown"
    assert graph.view["viewport"] == {"x": 7, "y": 8, "zoom": 0.5}


def test_ids_and_types_may_be_odd() -> None:
    graph, _ = read(ui([ui_node(1, "KSampler ", SAMPLER) | {"id": "a:b"}]))
    assert graph.nodes["a:b"].type == "KSampler"


def test_what_is_no_node_is_told() -> None:
    graph, report = read(ui([{"id": 1}, "node", ui_node(2, "VAEDecode")]))  # type: ignore[list-item]
    assert set(graph.nodes) == {"2"}
    assert [each.code for each in report.findings] == ["no_node"]


def test_keys_that_nobody_knows_are_kept() -> None:
    graph, _ = read(ui([ui_node(1, "VAEDecode", strange=[1])], strange={"a": 1}))
    assert graph.rest == {"strange": {"a": 1}}
    assert graph.nodes["1"].rest == {"strange": [1]}


def test_a_file_without_nodes_is_refused() -> None:
    with pytest.raises(GraphError, match="no list of nodes"):
        read({"nodes": {}})


def test_values_are_taken_in_order() -> None:
    widgets = list(TABLE["EmptyLatentImage"].widgets)
    assert in_order(widgets, [1, 2]) == ({"width": 1, "height": 2}, [], {})
    assert in_order(widgets, [1, 2, 3, None]) == (
        {"width": 1, "height": 2, "batch_size": 3},
        [],
        {},
    )
