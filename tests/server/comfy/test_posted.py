import json
from typing import Any

import pytest

from server.comfy.importer import import_graph
from server.comfy.posted import Origin, Posted, RefusedError, output_nodes

from .graphs import TEXT_TO_IMAGE, text_to_image

Json = dict[str, Any]


def test_a_body_tells_what_is_wanted() -> None:
    posted = Posted.read(
        {
            "prompt": TEXT_TO_IMAGE, "client_id": "me", "prompt_id": "mine", "number": 3, "front": True,
            "extra_data": {"extra_pnginfo": {}}, "partial_execution_targets": [9],
        }
    )  # fmt: skip
    assert (posted.prompt_id, posted.client_id, posted.number, posted.front) == (
        "mine",
        "me",
        3,
        True,
    )
    assert posted.targets == ("9",)
    assert posted.extra == {"extra_pnginfo": {}}


def test_a_prompt_alone_gets_an_id_of_its_own() -> None:
    first, second = (Posted.read({"prompt": {}}) for _ in range(2))
    assert first.prompt_id != second.prompt_id
    assert first.targets is None


@pytest.mark.parametrize("body", [None, [], {}, {"prompt": None}, {"prompt": []}, "x"])
def test_a_body_without_a_prompt_is_refused(body: object) -> None:
    with pytest.raises(RefusedError) as refused:
        Posted.read(body)
    assert refused.value.answer["error"]["type"] == "no_prompt"
    assert refused.value.answer["node_errors"] == {}


def test_output_nodes_deliver_files() -> None:
    graph = text_to_image() | {"p": {"class_type": "PreviewImage "}, "x": 5, "y": {"class_type": 3}}
    assert output_nodes(graph) == ["9", "p"]


@pytest.fixture
def origin(catalogue: Json) -> Origin:
    posted = Posted.read({"prompt": TEXT_TO_IMAGE, "client_id": "me"})
    return Origin.of(posted, import_graph(TEXT_TO_IMAGE, catalogue))


def test_an_origin_is_remembered(origin: Origin) -> None:
    assert Origin.read(origin.to_json()) == origin
    assert (origin.client, origin.outputs) == ("me", ("9",))
    assert Origin.read({}) is None


def test_a_node_is_known_by_ours_also_within_a_lap(origin: Origin) -> None:
    assert origin.node("sampler") == "3"
    assert origin.node("sampler/0/inner") == "3"
    assert origin.node("stranger") is None
    assert origin.type("3") == "KSampler"
    assert origin.type(None) == ""


def test_a_prompt_is_reduced_to_what_outputs_need() -> None:
    graph = TEXT_TO_IMAGE | {
        "30": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
        "31": {"class_type": "PreviewImage", "inputs": {"images": ["30", 0]}},
        "32": {"class_type": "PreviewImage", "inputs": {"images": ["gone", 0]}},
    }
    posted = Posted.read({"prompt": graph})
    assert posted.wanted() == ["9", "31", "32"]
    assert list(posted.reduced_to(["31"]).prompt) == ["30", "31"]
    assert posted.reduced_to(["9"]).prompt == TEXT_TO_IMAGE
    assert list(posted.reduced_to(["32"]).prompt) == ["32"]


@pytest.mark.parametrize(
    ("told", "place"),
    [({}, 7), ({"front": True}, -7), ({"number": 2.5}, 2.5), ({"number": -3, "front": True}, -3)],
)
def test_a_place_in_the_queue_is_remembered(told: Json, place: float, catalogue: Json) -> None:
    posted = Posted.read({"prompt": TEXT_TO_IMAGE} | told)
    origin = Origin.of(posted, import_graph(TEXT_TO_IMAGE, catalogue))
    again = Origin.read(json.loads(json.dumps(origin.to_json())))
    assert again == origin
    assert again.place(7) == place


@pytest.mark.parametrize("number", [True, "3", float("nan"), float("inf"), [1]])
def test_what_is_no_number_is_no_place(number: object) -> None:
    assert Posted.read({"prompt": {}, "number": number}).number is None
