"""What `check` finds of shapes, families, predictions and memory: on the very input, nothing loaded."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from engine.artifacts import Delivery
from engine.catalog import Catalog
from engine.check import check, compile_graph
from engine.codecs import Codecs
from engine.errors import InputError, NodeError, Problem
from engine.executor import execute
from engine.keys import FileDigests
from engine.runtime import Runtime
from engine.store import Store
from engine.workflow import Workflow
from nodes import foresight
from nodes.diffusion.layout import to_checkpoint, to_original
from nodes.diffusion.pool import Pool
from nodes.folders import STARTER, Folders
from nodes.runtime import TENSOR
from nodes.values import Model, Weights

from .conftest import TEXT, UNET, Tiny, randomised, save

Nodes = dict[str, tuple[str, dict[str, Any]]]
Find = Callable[..., list[Problem]]
CATALOG = Catalog.load("nodes")
ROOM = 2**50
ROOT = Path(__file__).parents[2]


def link(node: str, output: str = "value") -> dict[str, list[str]]:
    return {"$link": [node, output]}


def document(nodes: Nodes, output: str) -> Workflow:
    placed = {
        name: {"type": kind, "version": CATALOG[kind].version, "inputs": inputs}
        for name, (kind, inputs) in nodes.items()
    }
    node, _, name = output.partition(".")
    ends = {"result": {"node": node, "output": name or "value"}}
    return Workflow.from_json({"darkroom": 1, "name": "", "nodes": placed, "outputs": ends})


def base(file: str = "tiny.safetensors", /, **changed: tuple[str, dict[str, Any]]) -> Nodes:
    """Text to image at 64x48, with nodes replaced or added."""
    nodes: Nodes = {
        "checkpoint": ("LoadCheckpoint", {"checkpoint": file}),
        "words": ("CLIPEncode", {"text_encoder": link("checkpoint", "text_encoder"), "text": "a cat"}),
        "none": ("CLIPEncode", {"text_encoder": link("checkpoint", "text_encoder")}),
        "empty": ("EmptyLatent", {"width": 64, "height": 48}),
        "sampler": sampler(),
        "decode": ("VAEDecode", {"vae": link("checkpoint", "vae"), "latents": link("sampler")}),
    }  # fmt: skip
    return nodes | changed


def sampler(**inputs: Any) -> tuple[str, dict[str, Any]]:
    given = {"model": link("checkpoint", "model"), "positive": link("words"), "negative": link("none"), "latents": link("empty"), "steps": 1}  # fmt: skip
    return "KSampler", given | inputs


def sd_unet(**changed: Any) -> Any:
    import diffusers

    library: Any = diffusers
    up = {"up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D")}
    return randomised(library.UNet2DConditionModel(**UNET | up | changed), 5)


@pytest.fixture(scope="module")
def models(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints that go wrong together with the tiny one."""
    import torch
    from safetensors.torch import save_file
    from transformers import CLIPTextConfig, CLIPTextModel

    root = tmp_path_factory.mktemp("odd")
    made = tiny.pipeline()
    parts: Any = {name: made.modules[name].state_dict() for name in ("unet", "vae", "text_encoder")}

    def put(name: str, **changed: Any) -> None:
        save(root / "checkpoints" / name, to_checkpoint(parts | changed))

    put("inpaint.safetensors", unet=sd_unet(in_channels=9).state_dict())
    put("edit.safetensors", unet=sd_unet(in_channels=8).state_dict())
    wide = CLIPTextModel(CLIPTextConfig(**TEXT | {"hidden_size": 128, "num_attention_heads": 2}))
    put("wide.safetensors", text_encoder=wide.state_dict())
    save(root / "checkpoints" / "unet.safetensors", dict(made.unet.state_dict()))
    original: Any = to_original("vae", parts["vae"])
    (root / "embeddings").mkdir()
    save_file({"emb_params": torch.ones(2, 768)}, root / "embeddings" / "sd1.safetensors")
    (root / "vae").mkdir()
    save_file(
        {name: tensor.contiguous() for name, tensor in original.items()},
        root / "vae" / "xl.safetensors",
        {"modelspec.architecture": "stable-diffusion-xl-v1-base/vae"},
    )
    return root


@pytest.fixture
def pool(models: Path, tiny: Tiny, tmp_path: Path) -> Pool:
    PIL.Image.new("RGB", (64, 48)).save(tmp_path / "fits.png")
    PIL.Image.new("RGB", (60, 48)).save(tmp_path / "narrow.png")
    PIL.Image.new("RGB", (128, 96)).save(tmp_path / "large.png")
    return Pool(Folders((models, tiny.root, STARTER), (tmp_path,), FileDigests()))


@pytest.fixture
def runtime(pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    monkeypatch.setattr(foresight, "free", lambda _device: ROOM)
    return Runtime(
        services={Folders: pool.folders, Pool: pool},
        profile={},
        codecs=Codecs(frozenset({"engine", "nodes"}), {TENSOR.type_name: TENSOR}),
        delivery=Delivery(tmp_path / "out", tmp_path / "previews"),
    )


@pytest.fixture
def find(runtime: Runtime) -> Find:
    def find(nodes: Nodes, output: str = "decode") -> list[Problem]:
        return check(document(nodes, output), CATALOG, runtime)

    return find


def edges(file: str, /, **inputs: Any) -> Nodes:
    """The tiny ControlNet over a picture, both prompts under it."""
    applied: dict[str, Any] = {"positive": link("words"), "negative": link("none"), "controlnet": link("net"), "image": link("photo", "image")}  # fmt: skip
    return {
        "net": ("LoadControlNet", {"controlnet": "tiny-control.safetensors"}),
        "photo": ("LoadImage", {"image": file}),
        "apply": ("ControlNetApply", applied | inputs),
        "sampler": sampler(positive=link("apply", "positive"), negative=link("apply", "negative")),
    }


def start(image: str, **changed: tuple[str, dict[str, Any]]) -> Nodes:
    nodes: Nodes = {
        "photo": ("LoadImage", {"image": image}),
        "encode": ("VAEEncode", {"vae": link("checkpoint", "vae"), "image": link("photo", "image")}),
        "sampler": sampler(latents=link("encode")),
    }  # fmt: skip
    return nodes | changed


def steps(**inputs: Any) -> Nodes:
    """Sampling in three nodes in place of the one; the last has its name."""
    given = {"model": link("checkpoint", "model"), "positive": link("words"), "negative": link("none"), "state": link("start")}  # fmt: skip
    begun = {"model": link("checkpoint", "model"), "latents": link("empty"), "steps": 2}
    return {
        "start": ("StartSampling", begun),
        "step": ("SampleSteps", given | inputs),
        "sampler": ("FinishSampling", {"state": link("step", "state")}),
    }


OTHER: Nodes = {"other": ("EmptyLatent", {"width": 64, "height": 64})}
COMFYUI: Nodes = {
    "sampler": sampler(
        positive=link("apply", "positive"), negative=link("apply", "negative"), profile="comfyui"
    )
}
FAULTS: dict[str, tuple[Nodes, tuple[str, str, str], str]] = {
    "an inpainting model": (
        base("inpaint.safetensors"),
        ("sampler", "positive", "missing_input"),
        "it is an inpainting model, which reads a mask and the masked picture beside the latents",
    ),
    "an editing model": (
        base("edit.safetensors"),
        ("sampler", "positive", "missing_input"),
        "an InstructPix2Pix model",
    ),
    "a text encoder of another width": (
        base(
            wide=("LoadCheckpoint", {"checkpoint": "wide.safetensors"}),
            words=("CLIPEncode", {"text_encoder": link("wide", "text_encoder")}),
        ),
        ("sampler", "positive", "width_mismatch"),
        "the positive conditioning is 128 wide, the model reads 64: use a text encoder of the same family",
    ),
    "an embedding of another family, named in a prompt": (
        base(words=("CLIPEncode", {"text_encoder": link("checkpoint", "text_encoder"), "text": "a embedding:sd1"})),
        ("words", "text", "width_mismatch"),
        "sd1.safetensors has vectors of the width 768 (SD 1.x), the text encoder reads 64",
    ),
    "no text encoder": (
        base(
            bare=("LoadCheckpoint", {"checkpoint": "unet.safetensors"}),
            words=("CLIPEncode", {"text_encoder": link("bare", "text_encoder")}),
        ),
        ("words", "text_encoder", "missing_part"),
        "holds no text encoder",
    ),
    "no VAE": (
        base("tiny.safetensors", bare=("LoadCheckpoint", {"checkpoint": "unet.safetensors"}),
             decode=("VAEDecode", {"vae": link("bare", "vae"), "latents": link("sampler")})),
        ("decode", "vae", "missing_part"),
        "load one with LoadVAE",
    ),
    "more layers left out than there are": (
        base(
            skip=("ClipSkip", {"text_encoder": link("checkpoint", "text_encoder"), "layers": 3}),
            words=("CLIPEncode", {"text_encoder": link("skip")}),
        ),
        ("words", "text_encoder", "bad_value"),
        "leaves out 3 layers of a text encoder with 3",
    ),
    "an SDXL VAE decodes": (
        base(
            xl=("LoadVAE", {"vae": "xl.safetensors"}),
            decode=("VAEDecode", {"vae": link("xl"), "latents": link("sampler")}),
        ),
        ("decode", "vae", "family_mismatch"),
        "the VAE from xl.safetensors works in the latents of SDXL, tiny.safetensors in those of SD 1.x and 2.x",
    ),
    "an SDXL VAE encodes": (
        base(**start("fits.png", xl=("LoadVAE", {"vae": "xl.safetensors"}),
                     encode=("VAEEncode", {"vae": link("xl"), "image": link("photo", "image")}))),
        ("sampler", "latents", "family_mismatch"),
        "use a VAE of the same family",
    ),
    "latents of two spaces": (
        base(**start("fits.png", xl=("LoadVAE", {"vae": "xl.safetensors"}),
                     other=("VAEEncode", {"vae": link("xl"), "image": link("photo", "image")}),
                     box=("MaskFromBox", {}),
                     blend=("MaskBlend", {"base": link("encode"), "overlay": link("other"), "mask": link("box")}),
                     sampler=sampler(latents=link("blend")))),
        ("blend", "overlay", "family_mismatch"),
        "use a VAE of the same family",
    ),
    "a ControlNet for another model": (
        base("starter.safetensors", **edges("fits.png")),
        ("sampler", "positive", "family_mismatch"),
        "the ControlNet 'tiny-control.safetensors' is made for a model of another family: its levels have the widths 32, 64",
    ),
    "a ControlNet's picture of another size": (
        base(**edges("large.png")),
        ("sampler", "positive", "size_mismatch"),
        "is 128x96, the picture becomes 64x48: put ResizeImage before ControlNetApply",
    ),
    "an inpainting model, step by step": (
        base("inpaint.safetensors", **steps()), ("step", "positive", "missing_input"), "it is an inpainting model",
    ),
    "a text encoder of another width, step by step": (
        base(
            wide=("LoadCheckpoint", {"checkpoint": "wide.safetensors"}),
            words=("CLIPEncode", {"text_encoder": link("wide", "text_encoder")}),
            **steps(count=1) | {"sampler": ("ReadNoisyLatents", {"state": link("step", "state")})},
        ),
        ("step", "positive", "width_mismatch"),
        "the positive conditioning is 128 wide",
    ),
    "a ControlNet's picture of another size, step by step": (
        base(**edges("large.png") | steps(positive=link("apply", "positive"))),
        ("step", "positive", "size_mismatch"),
        "put ResizeImage before ControlNetApply",
    ),
    "a ControlNet for another model, step by step": (
        base("starter.safetensors", **edges("fits.png") | steps(positive=link("apply", "positive"))),
        ("step", "positive", "family_mismatch"),
        "is made for a model of another family",
    ),
    "an SDXL VAE encodes, step by step": (
        base(**start("fits.png", xl=("LoadVAE", {"vae": "xl.safetensors"}),
                     encode=("VAEEncode", {"vae": link("xl"), "image": link("photo", "image")})),
             empty=("RepeatLatent", {"latents": link("encode"), "times": 1})) | steps(),
        ("step", "state", "family_mismatch"),
        "use a VAE of the same family",
    ),
    "steps that are left": (
        base(**steps(count=1)), ("sampler", "state", "unfinished"), "1 of 2 steps are taken",
    ),
    "no step left to lay anew": (
        base(**steps(), again=("RescheduleSampling", {"state": link("step", "state")}))
        | {"sampler": ("ReadNoisyLatents", {"state": link("again")})},
        ("again", "state", "no_steps"),
        "all 2 steps of the state are taken",
    ),
    "noisy latents of another size": (
        base(**steps(state=link("put")), **OTHER,
             put=("SetNoisyLatents", {"state": link("start"), "latents": link("other")})),
        ("put", "latents", "size_mismatch"),
        "the latents are (1, 4, 8, 8), those of the run (1, 4, 6, 8)",
    ),
    "latents of another size to noise": (
        base(**steps() | OTHER | {"sampler": ("NoiseLatents", {"state": link("start"), "latents": link("other")})}),
        ("sampler", "latents", "size_mismatch"),
        "bring them to one size with LatentUpscale",
    ),
    "the noise before the first step": (
        base(**steps() | {"sampler": ("NoiseLatents", {"state": link("start"), "latents": link("empty"), "level": "before"})}),
        ("sampler", "level", "no_steps"),
        "the state has taken no step yet",
    ),
    "a ControlNet's picture of another size, for the negative prompt alone": (
        base(**edges("large.png") | {"sampler": sampler(negative=link("apply", "negative"))}),
        ("sampler", "negative", "size_mismatch"),
        "128x96",
    ),
    "a ControlNet's picture of another size, by ComfyUI's window": (
        base(**edges("large.png") | COMFYUI), ("sampler", "positive", "size_mismatch"), "128x96",
    ),
    "a picture that is no multiple of 8": (
        base(**start("narrow.png")),
        ("encode", "image", "size_mismatch"),
        "the picture is 60x48, the VAE takes multiples of 8: put ResizeImage before it, to 56x48",
    ),
    "a batch of ControlNet's pictures": (
        base(**edges("fits.png"), pair=("ConcatenateImages", {"images": [link("photo", "image")] * 2}),
             empty=("EmptyLatent", {"width": 64, "height": 48, "batch_size": 3}))
        | {"apply": ("ControlNetApply", {"positive": link("words"), "negative": link("none"), "controlnet": link("net"), "image": link("pair")})},
        ("sampler", "positive", "batch_mismatch"),
        "has 2 images for 3 latents: give 1 or 3",
    ),
    "masks for another number of latents": (
        base(photo=("LoadImage", {"image": "fits.png"}),
             pair=("ConcatenateImages", {"images": [link("photo", "image")] * 2}),
             masks=("ImageToMask", {"image": link("pair")}),
             three=("EmptyLatent", {"batch_size": 3}),
             empty=("SetLatentMask", {"latents": link("three"), "mask": link("masks")})),
        ("empty", "mask", "batch_mismatch"),
        "there are 2 masks for 3 latents: give 1 or 3",
    ),
    "latents of two sizes": (
        base(small=("EmptyLatent", {"width": 64, "height": 64}), box=("MaskFromBox", {}),
             large=("EmptyLatent", {"width": 96, "height": 64}),
             empty=("MaskBlend", {"base": link("small"), "overlay": link("large"), "mask": link("box")})),
        ("empty", "overlay", "size_mismatch"),
        "bring them to one size with LatentUpscale",
    ),
    "a size by a link": (
        base(side=("Integer", {"value": 60}), empty=("EmptyLatent", {"width": link("side")})),
        ("empty", "width", "out_of_range"),
        "a multiple of 8",
    ),
    "steps by a link": (
        base(few=("Integer", {"value": 3}), sampler=sampler(steps=link("few"), start_step=5)),
        ("sampler", "start_step", "bad_value"),
        "start_step is 5 of 3 steps",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_on_its_input_and_would_end_the_run(
    name: str, find: Find, runtime: Runtime, pool: Pool
) -> None:
    nodes, place, message = FAULTS[name]
    (problem,) = find(nodes)
    assert (problem.node, problem.input, problem.code) == place
    assert message in problem.message
    assert pool.loads == 0
    if place[2] != "family_mismatch" or "ControlNet" in name:  # else the run only gives nonsense
        with pytest.raises(NodeError) as failed:
            run_blindly(document(nodes, "decode"), runtime)
        assert failed.value.node == place[0]


def run_blindly(workflow: Workflow, runtime: Runtime) -> None:
    """Run what `check` would refuse."""
    blind = {name: replace(declared, infer=None, check=None) for name, declared in CATALOG.items()}
    execute(compile_graph(workflow, blind, runtime), Store(), runtime)


RIGHT: dict[str, Nodes] = {
    "a ControlNet that ComfyUI's window leaves out": base(**edges("large.png", start=0.99) | COMFYUI),
    "a ControlNet over an unknown picture": base(
        times=("RandomSeed", {}), first=("Compare", {"a": link("times"), "b": 1.0, "operator": ">"}),
        **edges("fits.png", image=link("one")), large=("LoadImage", {"image": "fits.png"}),
        one=("Switch", {"condition": link("first"), "on_true": link("large", "image"), "on_false": link("two")}),
        two=("ConcatenateImages", {"images": [link("photo", "image")] * 2}),
    ),
    "text to image": base(),
    "a v-prediction model by choice": base(
        checkpoint=("LoadCheckpoint", {"checkpoint": "tiny.safetensors", "prediction_type": "v_prediction"})
    ),
    "from a picture": base(**start("fits.png")),
    "a ControlNet": base(**edges("fits.png")),
    "a ControlNet that is off": base(**edges("large.png", strength=0.0)),
    "a ControlNet whose window holds no step": base(**edges("large.png", start=0.5, end=0.6)),
    "a negative prompt that nothing asks for": base(
        wide=("LoadCheckpoint", {"checkpoint": "wide.safetensors"}),
        none=("CLIPEncode", {"text_encoder": link("wide", "text_encoder")}),
        sampler=sampler(guidance_scale=1.0),
    ),
    "no step at all": base("inpaint.safetensors", sampler=sampler(denoise=0.0)),
    "the VAE of an inpainting model": base(
        other=("LoadCheckpoint", {"checkpoint": "inpaint.safetensors"}),
        decode=("VAEDecode", {"vae": link("other", "vae"), "latents": link("sampler")}),
    ),
    "a mask of another size": base(
        box=("MaskFromBox", {"canvas_width": 500}), raw=("EmptyLatent", {"width": 64, "height": 48, "batch_size": 2}),
        empty=("SetLatentMask", {"latents": link("raw"), "mask": link("box")}),
    ),
    "an SDXL VAE there and back": base(
        xl=("LoadVAE", {"vae": "xl.safetensors"}), photo=("LoadImage", {"image": "fits.png"}),
        encode=("VAEEncode", {"vae": link("xl"), "image": link("photo", "image")}),
        decode=("VAEDecode", {"vae": link("xl"), "latents": link("encode")}),
    ),
    "step by step": base(**steps()),
    "some steps, then the rest laid anew": base(
        **steps(count=1) | {"start": ("StartSampling", {"model": link("checkpoint", "model"), "latents": link("empty"), "steps": 4})},
        again=("RescheduleSampling", {"state": link("step", "state"), "steps": 5}),
        rest=steps(state=link("again"), count=5)["step"],
    ) | {"sampler": ("FinishSampling", {"state": link("rest", "state")})},
    "no step at all, step by step": base("inpaint.safetensors", **steps())
    | {"start": ("StartSampling", {"model": link("checkpoint", "model"), "latents": link("empty"), "denoise": 0.0})},
    "a faulty branch that is not chosen": base(
        bad=("EmptyLatent", {"width": 64}), box=("MaskFromBox", {}),
        blend=("MaskBlend", {"base": link("bad"), "overlay": link("empty"), "mask": link("box")}),
        choose=("Switch", {"condition": False, "on_true": link("blend"), "on_false": link("empty")}),
        sampler=sampler(latents=link("choose")),
    ),
    "everything from a coin": base(
        seed=("RandomSeed", {}), times=("Compare", {"a": link("seed"), "b": 1.0, "operator": ">"}),
        choose=("Switch", {"condition": link("times"), "on_true": link("empty"), "on_false": link("empty")}),
        sampler=sampler(latents=link("choose"), seed=link("seed")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_what_runs_is_not_refused(name: str, find: Find, runtime: Runtime) -> None:
    assert find(RIGHT[name]) == []
    workflow = document(RIGHT[name], "decode")
    assert execute(compile_graph(workflow, CATALOG, runtime), Store(), runtime).outputs


def test_of_what_is_unknown_nothing_is_said(find: Find) -> None:
    unknown: tuple[str, dict[str, Any]] = ("RandomSeed", {})
    nodes = base("inpaint.safetensors", steps=unknown, sampler=sampler(start_step=link("steps")))
    assert find(nodes) == []
    nodes = base("inpaint.safetensors", steps=unknown, sampler=sampler(steps=link("steps"), start_step=1))  # fmt: skip
    assert find(nodes) == []
    nodes = base("inpaint.safetensors", steps=unknown, sampler=sampler(steps=link("steps")))
    assert [problem.input for problem in find(nodes)] == ["positive"]


@pytest.fixture
def blended(tmp_path: Path) -> Callable[..., Workflow]:
    """The shipped loop over steps, with inputs of the loop from other nodes."""
    PIL.Image.new("RGB", (64, 48)).save(tmp_path / "postcard.png")
    PIL.Image.new("RGB", (64, 48)).save(tmp_path / "mask.png")

    def blended(nodes: Nodes, **loop: Any) -> Workflow:
        read = json.loads((ROOT / "workflows" / "blended-loop.json").read_text())
        more = {
            name: {"type": kind, "version": CATALOG[kind].version, "inputs": inputs}
            for name, (kind, inputs) in nodes.items()
        }
        read["nodes"] |= more
        read["nodes"]["loop"]["inputs"] |= loop
        return Workflow.from_json(read)

    return blended


def test_a_fault_in_a_loop_is_found_where_its_value_is_given(
    blended: Callable[..., Workflow], runtime: Runtime
) -> None:
    assert check(blended({}), CATALOG, runtime) == []
    pair: Nodes = {
        "pair": ("ConcatenateImages", {"images": [link("picture", "image")] * 2}),
        "masks": ("ImageToMask", {"image": link("pair")}),
    }
    (problem,) = check(blended(pair, mask=link("masks")), CATALOG, runtime)
    assert (problem.node, problem.input, problem.code) == ("loop", "mask", "batch_mismatch")
    (problem,) = check(blended(OTHER, original=link("other")), CATALOG, runtime)
    assert (problem.node, problem.input, problem.code) == ("loop", "original", "size_mismatch")


def test_what_a_loop_over_steps_gives_is_known_behind_it(
    blended: Callable[..., Workflow], runtime: Runtime
) -> None:
    clean = {"base": link("other"), "overlay": link("finish"), "mask": link("mask")}
    nodes = OTHER | {"clean": ("MaskBlend", clean)}
    (problem,) = check(blended(nodes), CATALOG, runtime)
    assert (problem.node, problem.input, problem.code) == ("clean", "overlay", "size_mismatch")


# Prediction types


@pytest.fixture
def say(tiny: Tiny, models: Path) -> Callable[..., None]:
    """Writes tiny checkpoints that say what they predict."""

    def say(name: str, *, keys: tuple[str, ...] = (), **metadata: str) -> None:
        import torch
        from safetensors.torch import save_file

        parts = {name: module.state_dict() for name, module in tiny.pipeline().modules.items()}
        parts.pop("controlnet")
        tensors = {name: tensor.contiguous() for name, tensor in to_checkpoint(parts).items()}
        tensors |= {key: torch.zeros(1) for key in keys}
        said = {f"modelspec.{key}": value for key, value in metadata.items()}
        save_file(tensors, models / "checkpoints" / name, said)

    return say


@pytest.mark.parametrize(
    ("told", "chosen", "hint", "message"),
    [
        ({"keys": ("v_pred",)}, "epsilon", "auto", "predicts v_prediction by its key v_pred: choose auto"),
        ({"keys": ("ztsnr",)}, "epsilon", "auto", "by its key ztsnr"),
        ({"prediction_type": "epsilon"}, "v_prediction", "auto", "by its metadata modelspec.prediction_type"),
        ({"predict_key": "v"}, "epsilon", "auto", "by its metadata modelspec.predict_key"),
        ({"keys": ("v_pred",), "prediction_type": "epsilon"}, "auto", "v_prediction", "contradicts itself"),
    ],
)  # fmt: skip
def test_a_prediction_type_that_the_file_contradicts_is_found(  # noqa: PLR0917 - a row of the table
    say: Callable[..., None], find: Find, told: Any, chosen: str, hint: str, message: str
) -> None:
    say("said.safetensors", **told)
    loaded = ("LoadCheckpoint", {"checkpoint": "said.safetensors", "prediction_type": chosen})
    (problem,) = find(base(checkpoint=loaded))
    assert (problem.node, problem.input) == ("checkpoint", "prediction_type")
    assert (problem.code, problem.hint) == ("prediction_mismatch", hint)
    assert message in problem.message


def test_a_prediction_type_that_cannot_end_in_noise_alone_is_found(find: Find) -> None:
    given = {"model": link("checkpoint", "model"), "zero_snr": True}
    nodes = base(said=("ModelSampling", given), sampler=sampler(model=link("said")))
    (problem,) = find(nodes)
    assert (problem.node, problem.input) == ("said", "zero_snr")
    assert "take another prediction_type, or zero_snr off" in problem.message


@pytest.mark.parametrize(
    ("told", "chosen", "meant"),
    [
        ({}, "auto", "epsilon"),
        ({}, "v_prediction", "v_prediction"),
        ({"prediction_type": "v"}, "auto", "v_prediction"),
        ({"keys": ("v_pred", "ztsnr")}, "v_prediction", "v_prediction"),
        ({"keys": ("v_pred",), "prediction_type": "epsilon"}, "epsilon", "epsilon"),
        ({"prediction_type": "of old habits"}, "auto", "epsilon"),
    ],
)
def test_a_prediction_type_is_taken_from_the_file_or_the_choice(
    say: Callable[..., None], pool: Pool, told: Any, chosen: Any, meant: str
) -> None:
    from nodes.loaders import load_checkpoint

    say("said.safetensors", **told)
    loaded = load_checkpoint(checkpoint="said.safetensors", prediction_type=chosen, folders=pool.folders)  # fmt: skip
    assert loaded.model.prediction_type == meant


def test_a_folder_says_what_it_predicts_in_its_scheduler(tiny: Tiny, tmp_path: Path) -> None:
    from shutil import copytree

    from nodes.loaders import load_checkpoint

    folder = copytree(tiny.root / "checkpoints" / tiny.folder, tmp_path / "checkpoints" / "v")
    config = folder / "scheduler" / "scheduler_config.json"
    folders = Folders((tmp_path,), ())
    with pytest.raises(InputError, match=r"predicts epsilon by its scheduler_config.json"):
        load_checkpoint(checkpoint="v", prediction_type="v_prediction", folders=folders)
    config.write_text(json.dumps({"prediction_type": "v_prediction"}))
    assert load_checkpoint(checkpoint="v", folders=folders).model.prediction_type == "v_prediction"
    vae = folder / "vae" / "config.json"
    vae.write_text(json.dumps(json.loads(vae.read_text()) | {"scaling_factor": 0.13025}))
    assert load_checkpoint(checkpoint="v", folders=folders).vae.scaling_factor == 0.13025


# Memory


def empty(width: int, height: int, batch_size: int = 1) -> tuple[str, dict[str, Any]]:
    return "EmptyLatent", {"width": width, "height": height, "batch_size": batch_size}


def decoding(width: int, height: int) -> Nodes:
    return base(
        empty=empty(width, height),
        decode=("VAEDecode", {"vae": link("checkpoint", "vae"), "latents": link("empty")}),
    )


def encoding(width: int, height: int) -> Nodes:
    size = {"kind": "exact", "width": width, "height": height}
    return base(
        photo=("LoadImage", {"image": "fits.png"}),
        large=("ResizeImage", {"image": link("photo", "image"), "to": size}),
        encode=("VAEEncode", {"vae": link("checkpoint", "vae"), "image": link("large")}),
        decode=("RepeatLatent", {"latents": link("encode")}),
    )


LARGE: dict[str, tuple[Nodes, int, tuple[str, str], str | None, Nodes | None]] = {
    "a batch": (base(empty=empty(512, 512, 8)), 210, ("sampler", "latents"), "a batch of 4", base(empty=empty(512, 512, 4))),
    "a picture": (base(empty=empty(2048, 1024)), 200, ("sampler", "latents"), "1520x760", base(empty=empty(1520, 760))),
    "a batch, step by step": (base(empty=empty(512, 512, 8), **steps()), 210, ("step", "state"), "a batch of 4", base(empty=empty(512, 512, 4), **steps())),
    "more than anything": (base(empty=empty(2048, 1024), sampler=sampler(guidance_scale=1.0)), 0, ("sampler", "latents"), None, None),
    "decoding": (decoding(1024, 1024), 200, ("decode", "latents"), "384x384", decoding(384, 384)),
    "encoding": (encoding(2048, 2048), 1024, ("encode", "image"), "1328x1328", encoding(1328, 1328)),
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
def test_too_little_memory_is_found_with_what_would_fit(
    name: str, find: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes, room, place, hint, smaller = LARGE[name]
    monkeypatch.setattr(foresight, "free", lambda _device: room * 2**20)
    target = "step.state" if place[0] == "step" else place[0]
    (problem,) = find(nodes, target)
    assert (problem.node, problem.input, problem.code) == (*place, "too_little_memory")
    assert problem.hint == hint
    assert "close other programs" in problem.message
    if smaller is not None:
        assert find(smaller, target) == []


def test_models_that_do_not_fit_are_named(runtime: Runtime, tmp_path: Path, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    half = Pool(pool.folders, dtype="float16")
    monkeypatch.setattr(foresight, "free", lambda _device: 2**20)
    lent = Runtime({Folders: pool.folders, Pool: half}, {}, runtime.codecs, runtime.delivery)
    (problem,) = check(document(base(), "decode"), CATALOG, lent)
    assert (problem.node, problem.input) == ("sampler", "model")
    assert "the models alone take" in problem.message


@pytest.mark.parametrize("name", ["a batch", "decoding", "encoding"])
def test_a_card_short_of_memory_is_asked_for_less_at_a_time(
    name: str, runtime: Runtime, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes, room, place, _, _ = LARGE[name]
    card = Pool(pool.folders, "cuda", "float32", budget=2**40)
    lent = Runtime({Folders: pool.folders, Pool: card}, {}, runtime.codecs, runtime.delivery)
    monkeypatch.setattr(foresight, "free", lambda _device: room * 2**20)
    assert check(document(nodes, place[0]), CATALOG, lent) == []
    part = foresight.of_part(Model(Weights("checkpoints", "tiny.safetensors", "")), "unet", pool)
    monkeypatch.setattr(foresight, "free", lambda _device: 4 * part.count + 2**10)
    problems = check(document(nodes, place[0]), CATALOG, lent)
    assert [problem.code for problem in problems] == ["too_little_memory"]


def test_prompts_that_guidance_holds_are_checked_before_the_run(find: Find) -> None:
    wide: Nodes = {
        "other": ("LoadCheckpoint", {"checkpoint": "wide.safetensors"}),
        "far": ("CLIPEncode", {"text_encoder": link("other", "text_encoder")}),
    }
    for kind, name in (("DualGuidance", "middle"), ("PerpendicularNegative", "empty")):
        guided = (kind, {"model": link("checkpoint", "model"), name: link("far")})
        through = sampler(model=link("rescaled"), guidance_scale=1.0)
        rescaled = ("RescaleGuidance", {"model": link("guided")})
        nodes = base(**wide, guided=guided, rescaled=rescaled, sampler=through)
        (problem,) = find(nodes)
        assert (problem.node, problem.input, problem.code) == ("sampler", "model", "width_mismatch")
        assert f"the {name} conditioning is 128 wide" in problem.message


def test_memory_that_cannot_be_told_is_no_problem(find: Find, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(foresight, "free", lambda _device: None)
    assert find(base(empty=("EmptyLatent", {"width": 16384, "height": 16384}))) == []


def test_what_the_pool_holds_counts_as_free(
    runtime: Runtime, find: Find, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(compile_graph(document(base(), "decode"), CATALOG, runtime), Store(), runtime)
    held = sum(part.bytes for part in pool.usage())
    assert held > 2**20
    monkeypatch.setattr(foresight, "free", lambda _device: 0)
    nodes = base(empty=("EmptyLatent", {"width": 64, "height": 48}))
    assert find(nodes) == []
