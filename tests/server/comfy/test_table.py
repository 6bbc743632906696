import re
from pathlib import Path
from typing import Any

import pytest

from engine.catalog import Catalog
from engine.links import Link, links_in
from engine.workflow import Node
from server.comfy.bundles import BUNDLING, FOLDED
from server.comfy.declared import Entry, Given, Made, Recipe
from server.comfy.exporter import export_workflow
from server.comfy.importer import import_graph
from server.comfy.objects import supported
from server.comfy.recipes import names_in
from server.comfy.table import EDITOR_ONLY, ENTRIES, TABLE

from .graphs import alone

Json = dict[str, Any]

# For each supported type the values of a node, and the types of ours that it becomes.
CASES: list[tuple[str, Json, list[str]]] = [
    ("CheckpointLoaderSimple", {"ckpt_name": "a.safetensors"}, ["LoadCheckpoint"]),
    ("CheckpointLoader", {"config_name": "v1-inference.yaml", "ckpt_name": "a.ckpt"}, ["LoadCheckpoint"]),
    ("CheckpointLoader", {"config_name": "anything_v3.yaml", "ckpt_name": "a.ckpt"}, ["ClipSkip", "LoadCheckpoint"]),
    ("VAELoader", {"vae_name": "a.pt"}, ["LoadVAE"]),
    ("ControlNetLoader", {"control_net_name": "a.pth"}, ["LoadControlNet"]),
    ("CLIPSetLastLayer", {"stop_at_clip_layer": -2}, ["ClipSkip"]),
    ("CLIPTextEncode", {"text": "a house"}, ["CLIPEncode"]),
    ("ControlNetApply", {"strength": 0.5}, ["ControlNetApply"]),
    ("ControlNetApplyAdvanced", {"strength": 0.5, "start_percent": 0.1, "end_percent": 0.9}, ["ControlNetApply"]),
    ("unCLIPCheckpointLoader", {"ckpt_name": "a.safetensors"}, ["LoadUnCLIPCheckpoint"]),
    ("CLIPVisionLoader", {"clip_name": "a.safetensors"}, ["LoadImageEncoder"]),
    ("CLIPVisionEncode", {"crop": "none"}, ["CLIPVisionEncode"]),
    ("unCLIPConditioning", {"strength": 0.5, "noise_augmentation": 0.0}, ["UnCLIPConditioning"]),
    ("unCLIPConditioning", {"strength": -1.0, "noise_augmentation": 1.0}, ["UnCLIPConditioning"]),
    ("CLIPTextEncodeSDXL", {"width": 512, "height": 768, "crop_w": 8, "crop_h": 16, "target_width": 1024, "target_height": 1536, "text_g": "a (b:1.2)", "text_l": "c"}, ["CLIPEncodePair", "SizeConditioning"]),
    ("CLIPTextEncodeSDXLRefiner", {"ascore": 7.0, "width": 512, "height": 768, "text": "a"}, ["AestheticScore", "CLIPEncode", "SizeConditioning"]),
    ("InpaintModelConditioning", {"noise_mask": False}, ["InpaintConditioning"]),
    ("InpaintModelConditioning", {"noise_mask": True}, ["InpaintConditioning"]),
    ("InstructPixToPixConditioning", {}, ["EditConditioning"]),
    ("KSampler", {"seed": 5, "steps": 7, "cfg": 4.0, "sampler_name": "heun", "scheduler": "karras", "denoise": 0.5}, ["KSampler"]),
    ("KSamplerAdvanced", {"add_noise": "enable", "noise_seed": 5, "steps": 25, "cfg": 4.0, "sampler_name": "euler", "scheduler": "normal", "start_at_step": 5, "end_at_step": 10000, "return_with_leftover_noise": "disable"}, ["KSampler"]),
    ("KSamplerAdvanced", {"add_noise": "enable", "noise_seed": 5, "steps": 25, "cfg": 4.0, "sampler_name": "euler", "scheduler": "normal", "start_at_step": 0, "end_at_step": 20, "return_with_leftover_noise": "enable"}, ["ReadNoisyLatents", "SampleSteps", "StartSampling"]),
    ("KSamplerAdvanced", {"add_noise": "disable", "noise_seed": 5, "steps": 25, "cfg": 4.0, "sampler_name": "euler", "scheduler": "normal", "start_at_step": 20, "end_at_step": 10000, "return_with_leftover_noise": "disable"}, ["FinishSampling", "SampleSteps", "SetNoisyLatents", "StartSampling"]),
    ("KSamplerAdvanced", {"add_noise": "disable", "noise_seed": 5, "steps": 25, "cfg": 4.0, "sampler_name": "euler", "scheduler": "normal", "start_at_step": 4, "end_at_step": 8, "return_with_leftover_noise": "enable"}, ["ReadNoisyLatents", "SampleSteps", "SetNoisyLatents", "StartSampling"]),
    ("KSamplerSelect", {"sampler_name": "dpm_2"}, ["ChooseSampler"]),
    ("SDTurboScheduler", {"steps": 2, "denoise": 0.5}, ["ScheduleSigmas"]),
    ("BasicScheduler", {"scheduler": "simple", "steps": 9, "denoise": 0.5}, ["ScheduleSigmas"]),
    ("KarrasScheduler", {"steps": 9, "sigma_max": 10.0, "sigma_min": 0.1, "rho": 5.0}, ["KarrasSigmas"]),
    ("ExponentialScheduler", {"steps": 9, "sigma_max": 10.0, "sigma_min": 0.1}, ["ExponentialSigmas"]),
    ("PolyexponentialScheduler", {"steps": 9, "sigma_max": 10.0, "sigma_min": 0.1, "rho": 2.0}, ["ExponentialSigmas"]),
    ("SamplerEulerAncestral", {"eta": 1.0, "s_noise": 1.0}, ["ChooseSampler"]),
    ("SamplerLMS", {"order": 4}, ["ChooseSampler"]),
    ("SamplerDPMPP_2S_Ancestral", {"eta": 1.0, "s_noise": 1.0}, ["ChooseSampler"]),
    ("SamplerDPMPP_SDE", {"eta": 1.0, "s_noise": 1.0, "r": 0.5, "noise_device": "cpu"}, ["ChooseSampler"]),
    ("SamplerDPMPP_2M_SDE", {"solver_type": "midpoint", "eta": 1.0, "s_noise": 1.0, "noise_device": "gpu"}, ["ChooseSampler"]),
    ("SamplerDPMPP_3M_SDE", {"eta": 1.0, "s_noise": 1.0, "noise_device": "cpu"}, ["ChooseSampler"]),
    ("SamplerEulerAncestral", {"eta": 0.5, "s_noise": 1.0}, ["ChooseSampler", "SamplerNoise"]),
    ("SamplerLMS", {"order": 2}, ["ChooseSampler", "SolverOrder"]),
    ("SamplerDPMPP_2S_Ancestral", {"eta": 0.0, "s_noise": 1.1}, ["ChooseSampler", "SamplerNoise"]),
    ("SamplerDPMPP_SDE", {"eta": 0.5, "s_noise": 0.9, "r": 0.5, "noise_device": "cpu"}, ["ChooseSampler", "SamplerNoise"]),
    ("SamplerDPMPP_2M_SDE", {"solver_type": "midpoint", "eta": 0.5, "s_noise": 1.0, "noise_device": "gpu"}, ["ChooseSampler", "SamplerNoise"]),
    ("SamplerDPMPP_3M_SDE", {"eta": 1.0, "s_noise": 2.0, "noise_device": "cpu"}, ["ChooseSampler", "SamplerNoise"]),
    ("AlignYourStepsScheduler", {"model_type": "SDXL", "steps": 20, "denoise": 0.5}, ["AlignedSigmas"]),
    ("BetaSamplingScheduler", {"steps": 9, "alpha": 0.6, "beta": 0.6}, ["ScheduleSigmas"]),
    ("SplitSigmas", {"step": 4}, ["SplitSigmas"]),
    ("PerpNegGuider", {"cfg": 4.0, "neg_scale": 0.5}, ["PerpendicularNegative"]),
    ("DualCFGGuider", {"cfg_conds": 7.5, "cfg_cond2_negative": 1.5, "style": "regular"}, ["DualGuidance"]),
    ("SamplerCustom", {"add_noise": False, "noise_seed": 5, "cfg": 4.0}, ["SampleSigmas"]),
    ("ModelSamplingDiscrete", {"sampling": "v_prediction", "zsnr": True}, ["ModelSampling"]),
    ("ModelSamplingDiscrete", {"sampling": "x0", "zsnr": False}, ["ModelSampling"]),
    ("ModelSamplingDiscrete", {"sampling": "lcm", "zsnr": False}, ["ModelSampling"]),
    ("SD_4XUpscale_Conditioning", {"scale_ratio": 4.0, "noise_augmentation": 0.1}, ["UpscaleConditioning"]),
    ("LatentCompositeMasked", {"x": 8, "y": 16, "resize_source": False}, ["LatentComposite"]),
    ("FeatherMask", {"left": 8, "top": 0, "right": 16, "bottom": 4}, ["FadeMask"]),
    ("EmptyLatentImage", {"width": 256, "height": 512, "batch_size": 2}, ["EmptyLatent"]),
    ("VAEDecode", {}, ["VAEDecode"]),
    ("VAEDecodeTiled", {"tile_size": 512, "overlap": 96}, ["VAEDecodeTiled"]),
    ("VAEEncodeTiled", {"tile_size": 256, "overlap": 32}, ["VAEEncodeTiled"]),
    ("LoraLoader", {"lora_name": "a.safetensors", "strength_model": 0.5, "strength_clip": -1.0}, ["LoadLora"]),
    ("LoraLoaderModelOnly", {"lora_name": "a.safetensors", "strength_model": 0.5}, ["LoadModelLora"]),
    ("UpscaleModelLoader", {"model_name": "a.pth"}, ["LoadUpscaler"]),
    ("ImageUpscaleWithModel", {}, ["UpscaleImage"]),
    ("ConditioningCombine", {}, ["ConditioningCombine"]),
    ("ConditioningConcat", {}, ["ConditioningConcat"]),
    ("ConditioningAverage", {"conditioning_to_strength": 0.3}, ["ConditioningAverage"]),
    ("ConditioningSetArea", {"width": 64, "height": 128, "x": 8, "y": 0, "strength": 0.5}, ["ConditioningArea"]),
    ("ConditioningSetAreaPercentage", {"width": 0.5, "height": 1.0, "x": 0.5, "y": 0.0, "strength": 2.0}, ["ConditioningArea"]),
    ("ConditioningSetMask", {"strength": 0.5, "set_cond_area": "default"}, ["ConditioningMask"]),
    ("ConditioningSetTimestepRange", {"start": 0.2, "end": 0.7}, ["ConditioningTimeRange"]),
    ("ConditioningZeroOut", {}, ["ConditioningZero"]),
    ("LatentComposite", {"x": 8, "y": 16, "feather": 32}, ["LatentComposite"]),
    ("LatentFromBatch", {"batch_index": 1, "length": 2}, ["LatentFromBatch"]),
    ("LatentCrop", {"width": 64, "height": 128, "x": 8, "y": 0}, ["LatentCrop"]),
    ("LatentFlip", {"flip_method": "x-axis: vertically"}, ["LatentFlip"]),
    ("LatentRotate", {"rotation": "270 degrees"}, ["LatentRotate"]),
    ("LatentBatch", {}, ["ConcatenateLatents"]),
    ("RescaleCFG", {"multiplier": 0.5}, ["RescaleGuidance"]),
    ("PerturbedAttentionGuidance", {"scale": 2.0}, ["PerturbedAttention"]),
    ("PerpNeg", {"neg_scale": 0.5}, ["PerpendicularNegative"]),
    ("VAEEncode", {}, ["VAEEncode"]),
    ("VAEEncodeForInpaint", {"grow_mask_by": 8}, ["BlendImages", "CompositeImage", "GrowMask", "InvertImage", "SetLatentMask", "ThresholdMask", "VAEEncode"]),
    ("SetLatentNoiseMask", {}, ["SetLatentMask"]),
    ("LatentUpscale", {"upscale_method": "nearest-exact", "width": 512, "height": 768, "crop": "disabled"}, ["LatentUpscale"]),
    ("LatentUpscaleBy", {"upscale_method": "bilinear", "scale_by": 1.5}, ["LatentUpscale"]),
    ("RepeatLatentBatch", {"amount": 3}, ["RepeatLatent"]),
    ("SaveImage", {"filename_prefix": "a/b"}, ["SaveImage"]),
    ("PreviewImage", {}, ["PreviewImage"]),
    ("LoadImage", {"image": "a.png"}, ["LoadImage"]),
    ("LoadImageMask", {"image": "a.png", "channel": "red"}, ["LoadMask"]),
    ("ImageScale", {"upscale_method": "lanczos", "width": 512, "height": 256, "crop": "disabled"}, ["ResizeImage"]),
    ("ImageScale", {"upscale_method": "area", "width": 512, "height": 256, "crop": "center"}, ["ResizeImage"]),
    ("ImageScale", {"upscale_method": "area", "width": 512, "height": 0, "crop": "disabled"}, ["ResizeImage"]),
    ("ImageScale", {"upscale_method": "area", "width": 0, "height": 256, "crop": "disabled"}, ["ResizeImage"]),
    ("ImageScaleBy", {"upscale_method": "nearest-exact", "scale_by": 2.0}, ["ResizeImage"]),
    ("ImageScaleToTotalPixels", {"upscale_method": "area", "megapixels": 0.5, "resolution_steps": 8}, ["ResizeImage"]),
    ("ImageInvert", {}, ["InvertImage"]),
    ("ImageBatch", {}, ["ConcatenateImages"]),
    ("ImageBlend", {"blend_factor": 0.25, "blend_mode": "normal"}, ["BlendImages"]),
    ("ImageCrop", {"width": 64, "height": 32, "x": 8, "y": 4}, ["CropImage"]),
    ("ImagePadForOutpaint", {"left": 8, "top": 16, "right": 0, "bottom": 24, "feathering": 12}, ["PadImage"]),
    ("ImageCompositeMasked", {"x": 4, "y": 8, "resize_source": False}, ["CompositeImage"]),
    ("GetImageSize", {}, ["ImageSize"]),
    ("Canny", {"low_threshold": 0.2, "high_threshold": 0.6}, ["CannyEdges"]),
    ("ImageToMask", {"channel": "green"}, ["ImageToMask"]),
    ("MaskToImage", {}, ["MaskToImage"]),
    ("InvertMask", {}, ["InvertMask"]),
    ("GrowMask", {"expand": -4, "tapered_corners": True}, ["GrowMask"]),
    ("GrowMask", {"expand": 4, "tapered_corners": False}, ["GrowMask"]),
    ("ThresholdMask", {"value": 0.25}, ["ThresholdMask"]),
    ("SolidMask", {"value": 1.0, "width": 64, "height": 32}, ["MaskFromBox"]),
    ("SolidMask", {"value": 0.0, "width": 64, "height": 32}, ["InvertMask", "MaskFromBox"]),
    ("SolidMask", {"value": 0.5, "width": 64, "height": 32}, ["BlendImages", "ImageToMask", "InvertMask", "MaskFromBox", "MaskToImage", "MaskToImage"]),
    ("MaskComposite", {"x": 0, "y": 0, "operation": "and"}, ["CombineMasks", "ThresholdMask", "ThresholdMask"]),
    ("MaskComposite", {"x": 0, "y": 0, "operation": "or"}, ["CombineMasks", "ThresholdMask", "ThresholdMask"]),
    ("MaskComposite", {"x": 0, "y": 0, "operation": "multiply"}, ["CombineMasks"]),
    ("MaskComposite", {"x": 0, "y": 0, "operation": "add"}, ["CombineMasks"]),
    ("MaskComposite", {"x": 0, "y": 0, "operation": "subtract"}, ["CombineMasks"]),
    ("PrimitiveInt", {"value": 4}, ["Integer"]),
    ("PrimitiveFloat", {"value": 0.5}, ["Number"]),
    ("PrimitiveString", {"value": "a"}, ["Text"]),
    ("PrimitiveStringMultiline", {"value": "a\nb"}, ["Text"]),
    ("PrimitiveBoolean", {"value": True}, ["Boolean"]),
    ("StringConcatenate", {"string_a": "a", "string_b": "b", "delimiter": " "}, ["JoinText"]),
]  # fmt: skip
REPLACED = {"CheckpointLoader", "ControlNetApply", "PrimitiveString"} | {
    *("SamplerEulerAncestral", "SamplerLMS", "SamplerDPMPP_2S_Ancestral"),
    *("SamplerDPMPP_SDE", "SamplerDPMPP_2M_SDE", "SamplerDPMPP_3M_SDE"),
    *("BetaSamplingScheduler", "PerpNegGuider", "DualCFGGuider"),
}
"""Types that another one says as well, and that are not exported to."""


NOT_THERE = {"SamplerNoise", "SolverOrder", "DualGuidance"}
"""Ours that no node of ComfyUI stands for by itself."""


def links_of(entry: Entry) -> dict[str, int]:
    names = [each.name for each in entry.inputs if not each.is_widget and not each.hidden]
    return {name: slot for slot, name in enumerate(names)}


def case(kind: str, values: Json) -> str:
    return kind + "".join(f",{value}" for value in list(values.values())[:2])


IDS = [case(kind, values) for kind, values, _ in CASES]


def test_every_supported_type_has_a_case(catalogue: Json) -> None:
    there = {entry.name for entry in ENTRIES if supported(entry, catalogue)}
    assert there == {kind for kind, _, _ in CASES} | FOLDED | {BUNDLING}


@pytest.mark.parametrize(("kind", "values", "expected"), CASES, ids=IDS)
def test_a_type_becomes_nodes_that_are_declared_here(
    kind: str, values: Json, expected: list[str], catalogue: Json, catalog: Catalog
) -> None:
    made = import_graph(alone(kind, values, links_of(TABLE[kind])), catalogue)
    nodes = {name: node for name, node in made.workflow.nodes.items() if ":" not in node.type}
    assert sorted(node.type for node in nodes.values()) == expected
    assert set(made.ids["it"]) == set(nodes)
    for node in nodes.values():
        valid(node, catalog)


def valid(node: Node, catalog: Catalog) -> None:
    declared = catalog[node.type]
    assert node.inputs.keys() <= declared.inputs.keys()
    for name, item in declared.inputs.items():
        if name not in node.inputs:
            assert not item.required
        elif not any(True for _ in links_in(node.inputs[name])):
            item.adapter.validate_python(node.inputs[name])


@pytest.mark.parametrize(("kind", "values", "expected"), CASES, ids=IDS)
def test_a_type_becomes_itself_again(
    kind: str, values: Json, expected: list[str], catalogue: Json
) -> None:
    graph = alone(kind, values, links_of(TABLE[kind]))
    made = export_workflow(import_graph(graph, catalogue).workflow, catalogue)
    found = {node["class_type"]: node for node in made.prompt.values()}
    assert made.report.complete is not bool(NOT_THERE & set(expected))
    if kind in REPLACED:
        assert kind not in found
        return
    inputs = found[kind]["inputs"]
    assert {name: inputs[name] for name in values} == values
    assert {name: inputs[name][1] for name in links_of(TABLE[kind]) if name in inputs} == {
        name: slot
        for name, slot in links_of(TABLE[kind]).items()
        if name != "vae" or kind != "ControlNetApplyAdvanced"
    }


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_recipes_name_what_is_there(entry: Entry, catalog: Catalog) -> None:
    declared = {each.name for each in entry.inputs}
    for recipe in entry.recipes:
        assert len(recipe.outputs) == len(entry.outputs)
        assert set(recipe.says) <= declared
        for part in recipe.parts.values():
            assert set(part.inputs) <= set(catalog[part.type].inputs), part.type
            assert set(names_in(dict(part.inputs))) <= declared
        for made in outputs(recipe):
            assert made.output in catalog[recipe.parts[made.part].type].outputs


def outputs(recipe: Recipe) -> list[Made]:
    return [made for made in recipe.outputs if isinstance(made, Made)]


def test_names_are_given_once() -> None:
    assert len(TABLE) == len({entry.name for entry in ENTRIES})
    for entry in ENTRIES:
        assert len({each.name for each in entry.inputs}) == len(entry.inputs)


def test_models_are_found_by_names_with_windows_separators(catalogue: Json) -> None:
    graph = alone("CheckpointLoaderSimple", {"ckpt_name": "SD1.5\\x.safetensors"}, {})
    node = import_graph(graph, catalogue).workflow.nodes["checkpoint"]
    assert node.inputs["checkpoint"] == "SD1.5/x.safetensors"


def test_a_run_follows_the_rules_of_comfyui(catalogue: Json) -> None:
    links = links_of(TABLE["KSampler"])
    node = import_graph(alone("KSampler", {}, links), catalogue).workflow.nodes["sampler"]
    assert node.inputs["profile"] == "comfyui"


def test_a_part_of_a_run_is_laid_out_as_the_whole(catalogue: Json) -> None:
    values = next(v for k, v, _ in CASES if k == "KSamplerAdvanced" and v["end_at_step"] == 8)
    links = links_of(TABLE["KSamplerAdvanced"])
    nodes = import_graph(alone("KSamplerAdvanced", values, links), catalogue).workflow.nodes
    by_type = {node.type: (name, node.inputs) for name, node in nodes.items()}
    start, begun = by_type["StartSampling"]
    taken, put = by_type["SetNoisyLatents"]
    assert (begun["steps"], begun["start_step"], begun["seed"]) == (25, 4, 5)
    assert begun["latents"] == put["latents"]
    assert put["state"] == Link(start)
    assert by_type["SampleSteps"][1]["count"] == 4
    assert by_type["SampleSteps"][1]["state"] == Link(taken)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("KSamplerAdvanced", {"end_at_step": 10, "return_with_leftover_noise": "disable"}),
        ("LatentUpscale", {"width": 0}),
        ("ModelSamplingDiscrete", {"sampling": "eps", "zsnr": True}),
        ("SamplerEulerAncestral", {"eta": 1.5}),
        ("SamplerDPMPP_2M_SDE", {"solver_type": "heun"}),
        ("SamplerDPMPP_SDE", {"r": 0.4}),
        ("SamplerLMS", {"order": 5}),
        ("AlignYourStepsScheduler", {"model_type": "SVD"}),
        ("BetaSamplingScheduler", {"alpha": 0.5}),
        ("DualCFGGuider", {"style": "nested"}),
        ("SamplerCustomAdvanced", {}),
        ("CFGGuider", {"cfg": 2.0}),
        ("LatentCompositeMasked", {"resize_source": True}),
        ("SD_4XUpscale_Conditioning", {"scale_ratio": 2.0}),
        ("ImageCompositeMasked", {"resize_source": True}),
        ("MaskComposite", {"operation": "xor"}),
        ("MaskComposite", {"operation": "and", "x": 8}),
        ("ImageBlend", {"blend_mode": "screen"}),
        ("ImageToMask", {"channel": "alpha"}),
    ],
)
def test_what_cannot_be_said_here_is_kept_and_told(
    kind: str, values: Json, catalogue: Json
) -> None:
    made = import_graph(alone(kind, values, links_of(TABLE[kind])), catalogue)
    (finding,) = [each for each in made.report.findings if each.node == "it"]
    assert (finding.loss, finding.code) == ("missing", "unsupported_values")
    (our_id,) = made.ids["it"]
    assert made.workflow.nodes[our_id].type == f"comfyui:{kind}"
    assert values.items() <= made.workflow.nodes[our_id].inputs.items()


def test_a_value_that_must_be_known_may_not_be_linked(catalogue: Json) -> None:
    links = links_of(TABLE["CLIPSetLastLayer"]) | {"stop_at_clip_layer": 4}
    made = import_graph(alone("CLIPSetLastLayer", {}, links), catalogue)
    assert made.report.missing_types["CLIPSetLastLayer"] == 1


def test_sources_are_read_through_lists_and_objects() -> None:
    assert list(names_in({"a": [Given("x")], "b": {"c": Given("y")}, "d": 3})) == ["x", "y"]


def test_the_documents_list_what_is_supported(catalogue: Json) -> None:
    page = (Path(__file__).parents[3] / "docs" / "comfyui.md").read_text(encoding="utf-8")
    section = page.partition("## Supported nodes")[2].partition("\n\nOf these")[0]
    there = {entry.name for entry in ENTRIES if supported(entry, catalogue)}
    assert set(re.findall(r"`(\w+)`", section)) == there | EDITOR_ONLY
