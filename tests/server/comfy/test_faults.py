from pathlib import Path
from typing import Any

import pytest

from engine.catalog import Catalog
from engine.check import check
from server.comfy.faults import check_types, refusal
from server.comfy.importer import Imported, import_graph
from server.comfy.posted import Posted, RefusedError

from .graphs import TEXT_TO_IMAGE, text_to_image

Json = dict[str, Any]


def posted(graph: Json, catalogue: Json) -> tuple[Posted, Imported]:
    return Posted.read({"prompt": graph}), import_graph(graph, catalogue)


def refused(graph: Json, catalogue: Json) -> Json:
    with pytest.raises(RefusedError) as found:
        check_types(*posted(graph, catalogue))
    return dict(found.value.answer["error"])


def test_a_usual_prompt_is_not_refused(catalogue: Json) -> None:
    check_types(*posted(TEXT_TO_IMAGE, catalogue))


def test_an_unknown_type_is_named(catalogue: Json) -> None:
    error = refused(text_to_image() | {"20": {"class_type": "Odd", "inputs": {}}}, catalogue)
    assert error["type"] == "missing_node_type"
    assert error["extra_info"] == {"node_id": "20", "class_type": "Odd"}


def test_a_node_without_a_type_is_named(catalogue: Json) -> None:
    assert refused(text_to_image() | {"20": {}}, catalogue)["type"] == "invalid_prompt"


def test_a_prompt_that_delivers_nothing_is_refused(catalogue: Json) -> None:
    graph = {"4": TEXT_TO_IMAGE["4"]}
    assert refused(graph, catalogue)["type"] == "prompt_no_outputs"


def answered(graph: Json, catalogue: Json, catalog: Catalog, folder: Path) -> Json:
    asked, made = posted(graph, catalogue)
    problems = check(made.workflow, catalog, catalog.runtime(data=folder, device="cpu"))
    return refusal(asked, made, problems).answer


def test_a_choice_that_is_not_there_is_told_at_its_input(
    catalogue: Json, catalog: Catalog, tmp_path: Path
) -> None:
    answer = answered(text_to_image(sampler_name="dpm_fast"), catalogue, catalog, tmp_path)
    assert answer["error"]["type"] == "prompt_outputs_failed_validation"
    node = answer["node_errors"]["3"]
    assert (node["class_type"], node["dependent_outputs"]) == ("KSampler", ["9"])
    (error,) = node["errors"]
    assert error["type"] == "value_not_in_list"
    assert error["extra_info"] == {"input_name": "sampler_name", "received_value": "dpm_fast"}


@pytest.mark.parametrize(
    ("node", "name", "value", "kind"),
    [
        ("3", "steps", 0, "value_smaller_than_min"),
        ("3", "cfg", 1000.0, "value_bigger_than_max"),
        ("3", "steps", "many", "invalid_input_type"),
        ("3", "model", ["99", 0], "bad_linked_input"),
        ("3", "model", ["4", 1], "return_type_mismatch"),
        ("4", "ckpt_name", "missing.safetensors", "value_not_in_list"),
    ],
)
def test_each_fault_has_comfyuis_word(
    *,
    node: str,
    name: str,
    value: object,
    kind: str,
    catalogue: Json,
    catalog: Catalog,
    tmp_path: Path,
) -> None:
    graph = text_to_image()
    graph[node]["inputs"][name] = value
    errors = answered(graph, catalogue, catalog, tmp_path)["node_errors"][node]["errors"]
    assert kind in {error["type"] for error in errors}


def test_a_missing_link_is_told_by_comfyuis_name(
    catalogue: Json, catalog: Catalog, tmp_path: Path
) -> None:
    graph = text_to_image()
    del graph["3"]["inputs"]["latent_image"]
    (error,) = answered(graph, catalogue, catalog, tmp_path)["node_errors"]["3"]["errors"]
    assert error["type"] == "required_input_missing"
    assert error["extra_info"]["input_name"] == "latent_image"


def test_a_fault_is_held_against_every_output_that_needs_its_node(catalogue: Json) -> None:
    graph = text_to_image()
    save = next(node for node, item in graph.items() if item["class_type"] == "SaveImage")
    images = graph[save]["inputs"]["images"]
    graph["90"] = {"class_type": "PreviewImage", "inputs": {"images": images}}
    graph["5"]["inputs"]["width"] = "wide"
    told = refusal(*posted(graph, catalogue)).answer
    assert told["node_errors"]["5"]["dependent_outputs"] == sorted(["90", save])


def test_a_prompt_that_is_too_large_is_refused_before_it_is_imported() -> None:
    with pytest.raises(RefusedError, match="has 3 nodes; at most 2"):
        Posted.read({"prompt": {"1": {}, "2": {}, "3": {}}}, 2)
