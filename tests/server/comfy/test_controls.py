from typing import Any

from engine.links import Link
from engine.workflow import Workflow
from server.comfy.importer import import_graph

from .graphs import text_to_image

Json = dict[str, Any]


def applied(conditioning: str, image: str = "30") -> Json:
    return {
        "class_type": "ControlNetApply",
        "inputs": {"strength": 1.0, "conditioning": [conditioning, 0], "control_net": ["31", 0], "image": [image, 0]},
    }  # fmt: skip


GIVEN: Json = {
    "30": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
    "31": {"class_type": "ControlNetLoader", "inputs": {"control_net_name": "a.pth"}},
}


def made(graph: Json, catalogue: Json) -> Workflow:
    return import_graph(graph | GIVEN, catalogue).workflow


def test_the_negative_prompt_of_a_sampler_is_led_through_as_well(catalogue: Json) -> None:
    nodes = made(text_to_image(positive=["20", 0]) | {"20": applied("6")}, catalogue).nodes
    control = nodes["control"].inputs
    assert (control["positive"], control["negative"]) == (Link("positive"), Link("negative"))
    assert nodes["sampler"].inputs["positive"] == Link("control", "positive")
    assert nodes["sampler"].inputs["negative"] == Link("control", "negative")


def test_so_it_is_through_several_in_a_row(catalogue: Json) -> None:
    graph = text_to_image(positive=["21", 0]) | {"20": applied("6"), "21": applied("20")}
    nodes = made(graph, catalogue).nodes
    assert nodes["control"].inputs["negative"] == Link("negative")
    assert nodes["control_2"].inputs["negative"] == Link("control", "negative")
    assert nodes["sampler"].inputs["negative"] == Link("control_2", "negative")


def test_a_second_negative_prompt_gets_a_copy(catalogue: Json) -> None:
    graph = text_to_image(positive=["20", 0]) | {"20": applied("6")}
    graph["40"] = text_to_image(positive=["20", 0], negative=["6", 0])["3"]
    nodes = made(graph, catalogue).nodes
    assert nodes["sampler_2"].inputs["negative"] == Link("control_2", "negative")
    assert nodes["control_2"].inputs["negative"] == nodes["control_2"].inputs["positive"]
    assert nodes["sampler"].inputs["negative"] == Link("control", "negative")


def test_a_negative_prompt_under_control_of_its_own_keeps_that(catalogue: Json) -> None:
    graph = text_to_image(positive=["20", 0], negative=["21", 0])
    nodes = made(graph | {"20": applied("6"), "21": applied("7")}, catalogue).nodes
    assert nodes["sampler"].inputs["negative"] == Link("control_2", "positive")
