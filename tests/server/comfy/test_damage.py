"""Graphs with something changed at random: read or refused, and never a crash."""

import json
import random
from typing import Any

import pytest

from engine.errors import GraphError
from engine.workflow import Workflow
from server.comfy.exporter import export_workflow
from server.comfy.importer import import_graph

from .graphs import TEXT_TO_IMAGE, slot, ui, ui_node

Json = dict[str, Any]
ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1e308, 10**30, "", "x", "4", [], {}, [[]], ["4", 0], ["4", "0"], ["4", -1], [1, 2, 3],
    {"a": 1}, {"$link": ["a", "b"]}, {"$axis": [1]}, {"__value__": [1]}, {"__value__": {"$link": 1}}, -10, ["3", 0], 4,
)  # fmt: skip
EDITED = ui(
    [
        ui_node(1, "CheckpointLoaderSimple", ["a.ckpt"]),
        ui_node(2, "CLIPTextEncode", ["x"], inputs=[slot("clip", 1)], mode=4),
        ui_node(3, "PrimitiveNode", [25, "fixed"]),
        ui_node(
            4,
            "KSamplerAdvanced",
            ["enable", 7, "fixed", 20, 8, "euler", "normal", 0, 10000, "disable"],
            inputs=[slot("positive", 2), slot("steps", 3)],
        ),
        ui_node(5, "Reroute", inputs=[slot("", 4)]),
        ui_node(6, "LatentUpscale", ["area", 64, 64, "disabled"], inputs=[slot("samples", 5)]),
        ui_node(7, "inner", [3], inputs=[slot("width", None, widget={"name": "width"})]),
        ui_node(8, "Note", ["text"]),
    ],
    [
        [1, 1, 1, 2, 0, "CLIP"],
        [2, 2, 0, 4, 1, "CONDITIONING"],
        [3, 3, 0, 4, 4, "INT"],
        [4, 4, 0, 5, 0, "*"],
        {"id": 5, "origin_id": 5, "origin_slot": 0, "target_id": 6, "target_slot": 0},
    ],
    groups=[{"title": "all", "bounding": [0, 0, 9, 9]}],
    extra={"ds": {"scale": 1, "offset": [0, 0]}},
    definitions={
        "subgraphs": [
            {
                "id": "inner",
                "name": "Inner",
                "inputs": [{"name": "width", "type": "INT", "linkIds": [1]}],
                "outputs": [{"name": "latent", "linkIds": [2]}],
                "nodes": [ui_node(1, "EmptyLatentImage", [64, 64, 1], inputs=[slot("width", 1)])],
                "links": [[1, -10, 0, 1, 0, "INT"], [2, 1, 0, -20, 0, "LATENT"]],
            }
        ]
    },
)


def damaged(document: Json, chance: random.Random) -> Json:
    result: Json = json.loads(json.dumps(document))
    for _ in range(chance.randint(1, 5)):
        place: Any = result
        while place:
            key = chance.choice(list(place) if isinstance(place, dict) else range(len(place)))
            inner = place[key]
            if isinstance(inner, (dict, list)) and inner and chance.random() < 0.8:
                place = inner
                continue
            if chance.random() < 0.2:
                del place[key]
            else:
                place[key] = json.loads(json.dumps(chance.choice(ODD)))
            break
    return result


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("document", [TEXT_TO_IMAGE, EDITED], ids=["prompt", "editor"])
def test_a_damaged_graph_is_read_or_refused(document: Json, seed: int, catalogue: Json) -> None:
    chance = random.Random(seed)
    for _ in range(60):
        given = damaged(document, chance)
        try:
            made = import_graph(given, catalogue)
        except GraphError:
            continue
        assert Workflow.parse(made.workflow.text()) == made.workflow, given
        json.dumps(export_workflow(made.workflow, catalogue).prompt, allow_nan=False)


def test_what_is_damaged_was_whole(catalogue: Json) -> None:
    for document in (TEXT_TO_IMAGE, EDITED):
        report = import_graph(document, catalogue).report
        assert {finding.loss for finding in report.findings} <= {"note"}
