from typing import Any

import pytest

from server.comfy.objects import object_info, supported
from server.comfy.table import ENTRIES

Json = dict[str, Any]
FILES = {"checkpoints": ["a.safetensors", "b.ckpt"], "images": ["c.png"]}


@pytest.fixture
def objects(catalogue: Json) -> Json:
    return object_info(catalogue, FILES)


def test_supported_types_are_told_and_no_others(objects: Json) -> None:
    assert {"KSampler", "LoadImage", "SaveImage"} <= objects.keys()
    assert "GLIGENLoader" not in objects


def test_inputs_stand_in_order_with_what_comfyui_says_of_them(objects: Json) -> None:
    sampler = objects["KSampler"]
    required = sampler["input"]["required"]
    assert list(required) == sampler["input_order"]["required"] == [
        "model", "seed", "steps", "cfg", "sampler_name", "scheduler", "positive", "negative",
        "latent_image", "denoise",
    ]  # fmt: skip
    assert required["model"] == ["MODEL"]
    assert required["steps"] == ["INT", {"default": 20, "min": 1, "max": 10000}]
    assert required["seed"][1]["control_after_generate"] is True
    assert (sampler["output"], sampler["output_name"], sampler["output_is_list"]) == (
        ["LATENT"], ["LATENT"], [False],
    )  # fmt: skip


def test_choices_are_plain_lists_of_what_is_there(objects: Json) -> None:
    required = objects["KSampler"]["input"]["required"]
    assert {"euler", "dpmpp_2m", "dpmpp_2m_sde_gpu"} <= set(required["sampler_name"][0])
    assert {"uni_pc", "uni_pc_bh2"} <= set(required["sampler_name"][0])
    assert "dpm_adaptive" not in required["sampler_name"][0]
    assert "karras" in required["scheduler"][0]
    assert objects["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"] == [
        FILES["checkpoints"]
    ]
    assert objects["VAELoader"]["input"]["required"]["vae_name"] == [[]]
    assert objects["LoadImage"]["input"]["required"]["image"] == [["c.png"], {"image_upload": True}]
    assert objects["Canny"]["description"]


def test_optional_and_hidden_inputs_stand_apart(objects: Json) -> None:
    assert list(objects["ControlNetApplyAdvanced"]["input"]["optional"]) == ["vae"]
    assert objects["SaveImage"]["output_node"] is True
    assert "prompt" in objects["SaveImage"]["input"]["hidden"]


def test_a_type_goes_with_the_nodes_that_it_needs(catalogue: Json) -> None:
    without = {name: schema for name, schema in catalogue.items() if name != "GrowMask"}
    (entry,) = [entry for entry in ENTRIES if entry.name == "VAEEncodeForInpaint"]
    assert supported(entry, catalogue)
    assert not supported(entry, without)
    assert "GrowMask" not in object_info(without, FILES)


def test_a_package_without_samplers_has_none_to_choose(catalogue: Json) -> None:
    only = {"SaveImage": catalogue["SaveImage"]}
    assert list(object_info(only, {})) == ["SaveImage"]
