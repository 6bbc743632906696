import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.errors import InputError
from nodes.diffusion import layout
from nodes.diffusion.checkpoints import kinds, open_weights
from nodes.diffusion.layout import PartName
from nodes.diffusion.parts import Part, Stored
from nodes.diffusion.weights import MappedFiles, build, load
from tests.nodes.conftest import TEXT, Tiny, hollow, real_shapes, save

Tensors = dict[str, torch.Tensor]


def _equal(
    found: torch.nn.Module, wanted: torch.nn.Module, dtype: torch.dtype = torch.float32
) -> None:
    expected = wanted.state_dict()
    state = found.state_dict()
    assert state.keys() == expected.keys()
    assert all(state[name].equal(expected[name].to(dtype)) for name in expected)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        *(
            (name, {"unet", "vae", "text_encoder"})
            for name in (
                *("sd15", "sd15_inpaint", "sd15_ip2p"),
                *("sd2_base_or_v", "sd2_depth", "sd2_inpaint", "x4_upscaler"),
            )
        ),
        ("controlnet11_sd15", {"controlnet"}),
        *(
            (f"sd21_unclip_{size}", {"unet", "vae", "text_encoder", "image_encoder"})
            for size in "lh"
        ),
        *(
            (name, {"unet", "vae", "text_encoder", "text_encoder_2"})
            for name in ("sdxl_base_or_turbo", "sdxl_inpaint")
        ),
        ("sdxl_refiner", {"unet", "vae", "text_encoder_2"}),
    ],
)
def test_published_files_fit_the_libraries_modules_key_for_key(
    name: str, parts: set[PartName], tmp_path: Path
) -> None:
    path = hollow(tmp_path / "model.safetensors", real_shapes(name))

    opened = open_weights(path)

    assert opened.parts.keys() == parts == kinds(path)
    for part in opened.parts.values():
        with torch.device("meta"):
            module = build(part.name, part.config)
        wanted = {
            key.removeprefix("text_model.").removeprefix("vision_model."): tuple(tensor.shape)
            for key, tensor in module.state_dict().items()
        }
        assert {key: source.shape for key, source in part.tensors.items()} == wanted


def test_sizes_of_the_published_checkpoint(tmp_path: Path) -> None:
    opened = open_weights(hollow(tmp_path / "model.safetensors", real_shapes("sd15")))

    unet, vae, text = (opened.part(name).config for name in ("unet", "vae", "text_encoder"))
    assert unet["block_out_channels"] == (320, 640, 1280, 1280)
    assert unet["down_block_types"] == ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",)
    assert unet["up_block_types"] == ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3
    assert (unet["layers_per_block"], unet["cross_attention_dim"], unet["attention_head_dim"]) == (
        2,
        768,
        8,
    )
    assert unet["transformer_layers_per_block"] == 1
    assert (vae["block_out_channels"], vae["layers_per_block"]) == ((128, 256, 512, 512), 2)
    assert (text["num_hidden_layers"], text["hidden_size"], text["num_attention_heads"]) == (
        12,
        768,
        12,
    )
    assert (text["vocab_size"], text["eos_token_id"], text["hidden_act"]) == (
        49408,
        49407,
        "quick_gelu",
    )
    assert opened.part("unet").count == 859_520_964


def test_opening_reads_no_tensor_and_needs_no_torch(tmp_path: Path) -> None:
    import subprocess

    path = hollow(tmp_path / "model.safetensors", real_shapes("sd15"))
    code = (
        "import sys; from pathlib import Path; from nodes.diffusion.checkpoints import open_weights;"
        f"print(open_weights(Path({str(path)!r})).title);"
        "print({'torch', 'numpy', 'safetensors', 'diffusers', 'transformers'} & set(sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split("\n")[:2] == ["an SD 1.x checkpoint", "set()"]


@pytest.mark.parametrize("stored", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("wanted", [torch.float16, torch.float32])
def test_every_precision_is_read(
    stored: torch.dtype, wanted: torch.dtype, tiny: Tiny, tmp_path: Path
) -> None:
    vae = tiny.pipeline().vae
    save(
        tmp_path / "vae.safetensors",
        {name: tensor.to(stored) for name, tensor in vae.state_dict().items()},
    )

    module = load(open_weights(tmp_path / "vae.safetensors").part("vae"), "cpu", wanted)

    for name, tensor in module.state_dict().items():
        assert tensor.equal(vae.state_dict()[name].to(stored).to(wanted))


def _place(module: torch.nn.Module) -> range:
    addresses = [tensor.data_ptr() for tensor in module.parameters()]
    return range(min(addresses), max(addresses) + 1)


def test_tensors_of_the_wanted_precision_are_not_copied(tiny: Tiny) -> None:
    path = tiny.root / "checkpoints" / tiny.checkpoint

    module = load(open_weights(path).part("unet"), "cpu", torch.float32)

    storages = {tensor.untyped_storage().data_ptr() for tensor in module.parameters()}
    assert len(storages) == 1
    maps = Path("/proc/self/maps")
    if maps.exists():
        start = next(iter(storages))
        assert any(
            line.startswith(f"{start:x}-") and path.name in line
            for line in maps.read_text().splitlines()
        )


def test_writing_into_a_mapped_tensor_leaves_the_file_as_it_is(tiny: Tiny, tmp_path: Path) -> None:
    path = tmp_path / "vae.safetensors"
    shutil.copy(tiny.root / "vae" / tiny.vae, path)
    before = path.read_bytes()

    module = load(open_weights(path).part("vae"), "cpu", torch.float32)
    with torch.no_grad():
        next(iter(module.parameters())).zero_()

    assert path.read_bytes() == before


def test_unaligned_tensors_are_read(tmp_path: Path) -> None:
    path = tmp_path / "odd.safetensors"
    header = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    header += b" " * ((3 - len(header)) % 4)
    path.write_bytes(
        len(header).to_bytes(8, "little") + header + torch.tensor([1.5, -2.0]).numpy().tobytes()
    )
    assert (8 + len(header)) % 4

    found = MappedFiles().tensor(Stored(path, "F32", (2,), 8 + len(header), 8), torch.float32)

    assert found.tolist() == [1.5, -2.0]


def test_what_is_no_weight_is_ignored(tiny: Tiny, tmp_path: Path) -> None:
    tensors = load_file(tiny.root / "checkpoints" / tiny.checkpoint)
    tensors |= {
        "cond_stage_model.transformer.text_model.embeddings.position_ids": torch.arange(77)[None],
        "model_ema.decay": torch.tensor(0.999),
        "model_ema.diffusion_modelinput_blocks00weight": torch.zeros(3),
        "alphas_cumprod": torch.zeros(1000),
        "betas": torch.zeros(1000),
    }
    save(tmp_path / "more.safetensors", tensors)

    opened = open_weights(tmp_path / "more.safetensors")

    made = tiny.pipeline()
    _equal(load(opened.part("unet"), "cpu", torch.float32), made.unet)
    _equal(load(opened.part("text_encoder"), "cpu", torch.float32), made.text_encoder)


def test_text_encoder_is_read_without_its_inner_prefix(tiny: Tiny, tmp_path: Path) -> None:
    tensors = load_file(tiny.root / "checkpoints" / tiny.checkpoint)
    save(
        tmp_path / "flat.safetensors",
        {name.replace(".text_model.", "."): tensor for name, tensor in tensors.items()},
    )

    found = load(
        open_weights(tmp_path / "flat.safetensors").part("text_encoder"), "cpu", torch.float32
    )

    _equal(found, tiny.pipeline().text_encoder)
    assert found.get_buffer("embeddings.position_ids").tolist() == [list(range(77))]


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder", "controlnet"])
@pytest.mark.parametrize("form", ["original", "prefixed", "diffusers"])
def test_a_part_is_read_from_a_file_of_its_own(
    part: PartName, form: str, tiny: Tiny, tmp_path: Path
) -> None:
    module = tiny.pipeline().modules[part]
    state = dict(module.state_dict())
    original = layout.to_original(part, state)
    prefixed = {layout.PREFIXES[part] + name: tensor for name, tensor in original.items()}
    save(
        tmp_path / "part.safetensors",
        {"original": original, "prefixed": prefixed, "diffusers": state}[form],
    )

    opened = open_weights(tmp_path / "part.safetensors")

    assert list(opened.parts) == [part]
    _equal(load(opened.part(part), "cpu", torch.float32), module)


def test_v_prediction_is_told_by_its_mark(tiny: Tiny, tmp_path: Path) -> None:
    save(
        tmp_path / "v.safetensors",
        dict(tiny.pipeline().unet.state_dict()) | {"v_pred": torch.zeros(1)},
    )

    with pytest.raises(InputError, match="has v_pred, which no unet"):
        load(open_weights(tmp_path / "v.safetensors").part("unet"), "cpu", torch.float32)
    whole = layout.to_checkpoint({"unet": dict(tiny.pipeline().unet.state_dict())}) | {
        "v_pred": torch.zeros(1)
    }
    save(tmp_path / "v.safetensors", whole)
    assert open_weights(tmp_path / "v.safetensors").prediction_type == "v_prediction"


def _without_a_tensor(tensors: Tensors) -> None:
    del tensors["model.diffusion_model.out.2.bias"]


def _with_a_stranger(tensors: Tensors) -> None:
    tensors["model.diffusion_model.stranger.weight"] = torch.zeros(1)


def _with_a_wrong_shape(tensors: Tensors) -> None:
    tensors["model.diffusion_model.out.2.bias"] = torch.zeros(5)


def _with_integers(tensors: Tensors) -> None:
    tensors["model.diffusion_model.out.2.bias"] = torch.zeros(4, dtype=torch.int32)


def _without_a_size(tensors: Tensors) -> None:
    del tensors["model.diffusion_model.out.2.weight"]


def _of_odd_width(tensors: Tensors) -> None:
    tensors["model.diffusion_model.input_blocks.1.0.in_layers.2.weight"] = torch.zeros(33, 32, 3, 3)


def _of_two_contexts(tensors: Tensors) -> None:
    name = next(name for name in tensors if name.endswith("attn2.to_k.weight"))
    tensors[name] = torch.zeros(32, 65)


def _with_a_flat_tensor(tensors: Tensors) -> None:
    tensors["model.diffusion_model.input_blocks.1.0.in_layers.2.weight"] = torch.tensor(1.0)


@pytest.mark.parametrize(
    ("change", "fault", "code"),
    [
        (_without_a_tensor, "bad.safetensors: the unet lacks conv_out.bias", "incomplete_file"),
        (
            _with_a_stranger,
            "the unet has stranger.weight, which no unet of this family has",
            "incomplete_file",
        ),
        (
            _with_a_wrong_shape,
            r"the unet has conv_out.bias of shape \[5\] where \[4\] belongs",
            "incomplete_file",
        ),
        (_with_integers, "bad.safetensors stores weights as I32", "unsupported_dtype"),
        (
            _without_a_size,
            "bad.safetensors: the unet lacks the tensor 'conv_out.weight'",
            "incomplete_file",
        ),
        (_of_odd_width, r"the UNet has the widths \[33, 64\]", "incomplete_file"),
        (_of_two_contexts, "the UNet reads texts of 2 widths", "incomplete_file"),
        (_with_a_flat_tensor, "has a tensor with too few dimensions", "incomplete_file"),
    ],
)
def test_files_that_do_not_fit_are_refused(
    change: Callable[[Tensors], None], fault: str, code: str, tiny: Tiny, tmp_path: Path
) -> None:
    tensors = load_file(tiny.root / "checkpoints" / tiny.checkpoint)
    change(tensors)
    save(tmp_path / "bad.safetensors", tensors)

    with pytest.raises(InputError, match=fault) as raised:
        load(open_weights(tmp_path / "bad.safetensors").part("unet"), "cpu", torch.float32)
    assert raised.value.code == code


@pytest.fixture
def folder(tiny: Tiny, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny.root / "checkpoints" / tiny.folder, tmp_path / "folder"))


def _parts_are_equal(folder: Path, tiny: Tiny) -> None:
    opened = open_weights(folder)
    for name in ("unet", "vae", "text_encoder"):
        part: Part = opened.part(name)
        _equal(load(part, "cpu", torch.float32), tiny.pipeline().modules[name])


def test_folder_is_read_with_its_own_configuration(folder: Path, tiny: Tiny) -> None:
    _edit(folder / "vae" / "config.json", scaling_factor=0.25)
    _edit(folder / "scheduler" / "scheduler_config.json", prediction_type="v_prediction")

    opened = open_weights(folder)

    assert (opened.scaling_factor, opened.prediction_type) == (0.25, "v_prediction")
    assert all(path.is_file() for path in opened.files)
    assert {path.name for path in opened.files} > {
        "model_index.json",
        "scheduler_config.json",
        "model.safetensors",
    }
    _parts_are_equal(folder, tiny)


def test_folder_with_the_former_names_is_read(folder: Path, tiny: Tiny) -> None:
    text = folder / "text_encoder" / "model.safetensors"
    save(text, {f"text_model.{name}": tensor for name, tensor in load_file(text).items()})
    vae = folder / "vae" / "diffusion_pytorch_model.safetensors"
    former = {
        ".to_q.": ".query.",
        ".to_k.": ".key.",
        ".to_v.": ".value.",
        ".to_out.0.": ".proj_attn.",
    }
    tensors = load_file(vae)
    for new, old in former.items():
        tensors = {name.replace(new, old): tensor for name, tensor in tensors.items()}
    save(vae, tensors)

    _parts_are_equal(folder, tiny)


@pytest.mark.parametrize("variant", ["", ".fp16"])
def test_sharded_folder_is_read(variant: str, folder: Path, tiny: Tiny) -> None:
    whole = folder / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(whole)
    whole.unlink()
    names = list(tensors)
    weight_map: dict[str, str] = {}
    for number, held in enumerate((names[::2], names[1::2])):
        shard = f"diffusion_pytorch_model{variant}-0000{number + 1}-of-00002.safetensors"
        save(whole.parent / shard, {name: tensors[name] for name in held})
        weight_map |= dict.fromkeys(held, shard)
    index = whole.parent / f"diffusion_pytorch_model.safetensors.index{variant}.json"
    index.write_text(json.dumps({"weight_map": weight_map}))

    _parts_are_equal(folder, tiny)
    for bad, fault in (
        (
            {"weight_map": weight_map | {"more.weight": weight_map[names[0]]}},
            "names 'more.weight', which its files lack",
        ),
        ({"weight_map": {"a": "../../other.safetensors"}}, "which is outside its folder"),
        ({"weight_map": [1]}, "has no weight_map"),
        ([], "is not a JSON object"),
    ):
        index.write_text(json.dumps(bad))
        with pytest.raises(InputError, match=fault):
            open_weights(folder)


def test_half_precision_variant_is_read(folder: Path, tiny: Tiny) -> None:
    whole = folder / "unet" / "diffusion_pytorch_model.safetensors"
    save_file(
        {name: tensor.half() for name, tensor in load_file(whole).items()},
        whole.with_suffix(".fp16.safetensors"),
    )
    whole.unlink()

    module = load(open_weights(folder).part("unet"), "cpu", torch.float16)

    _equal(module, tiny.pipeline().unet, torch.float16)


def _edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        ("unet/config.json", "{", "is not JSON"),
        (
            "scheduler/scheduler_config.json",
            '{"prediction_type": "magic"}',
            "the unknown prediction_type 'magic'",
        ),
        ("vae/config.json", '{"scaling_factor": "big"}', "has the scaling_factor 'big'"),
    ],
)
def test_damaged_folder_is_refused(file: str, text: str, fault: str, folder: Path) -> None:
    (folder / file).write_text(text)

    with pytest.raises(InputError, match=fault):
        open_weights(folder)


def test_folder_of_pickles_is_refused(folder: Path) -> None:
    whole = folder / "unet" / "diffusion_pytorch_model.safetensors"
    whole.rename(whole.with_suffix(".bin"))

    with pytest.raises(
        InputError, match=r"folder/unet holds no .safetensors file: open .* save_pretrained"
    ):
        open_weights(folder)


def test_text_encoder_is_built_as_its_configuration_says(folder: Path) -> None:
    part = open_weights(folder).part("text_encoder")

    module = load(part, "cpu", torch.float32)

    assert {key: module.config.to_dict()[key] for key in TEXT} == TEXT  # type: ignore[operator, union-attr]


def test_tensors_that_come_twice_are_refused(tiny: Tiny, tmp_path: Path) -> None:
    state = dict(tiny.pipeline().text_encoder.state_dict())
    again = {name: item.clone() for name, item in layout.to_original("text_encoder", state).items()}
    save(tmp_path / "twice.safetensors", state | again)

    with pytest.raises(
        InputError, match=r"twice.safetensors holds tensors of the text encoder twice"
    ):
        open_weights(tmp_path / "twice.safetensors")


def test_buffer_that_nothing_fills_is_refused(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    from nodes.diffusion import weights

    def built(*args: Any) -> torch.nn.Module:
        module = build(*args)
        module.register_buffer("stranger", torch.empty(1, device="meta"), persistent=False)
        return module

    monkeypatch.setattr(weights, "build", built)
    part = open_weights(tiny.root / "vae" / tiny.vae).part("vae")

    with pytest.raises(InputError, match="has the buffer 'stranger'") as raised:
        load(part, "cpu", torch.float32)
    assert raised.value.code == "unsupported_version"
