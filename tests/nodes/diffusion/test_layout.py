import importlib
from typing import Any

import pytest
import torch

from nodes.diffusion import layout
from nodes.diffusion.layout import PREFIXES, PartName
from tests.nodes.conftest import UNET, VAE, Tiny, randomised, real_shapes

PARTS: tuple[PartName, ...] = ("unet", "vae", "text_encoder", "controlnet")
diffusers: Any = importlib.import_module("diffusers")
converters: Any = importlib.import_module("diffusers.loaders.single_file_utils")

Tensors = dict[str, torch.Tensor]


def _same(found: Tensors, wanted: Tensors) -> None:
    assert found.keys() == wanted.keys()
    assert all(found[name].equal(wanted[name]) for name in wanted)


def _by_diffusers(part: PartName, original: Tensors, module: Any) -> Tensors:
    """The same conversion by diffusers' own code."""
    named = {PREFIXES[part] + name: tensor for name, tensor in original.items()}
    convert: Any = {
        "unet": lambda: converters.convert_ldm_unet_checkpoint(named, module.config),
        "controlnet": lambda: converters.convert_controlnet_checkpoint(named, module.config),
        "vae": lambda: converters.convert_ldm_vae_checkpoint(named, module.config),
        "text_encoder": lambda: {
            name.removeprefix("text_model."): tensor
            for name, tensor in converters.convert_ldm_clip_checkpoint(dict(named)).items()
        },
    }[part]
    return dict(convert())


@pytest.mark.parametrize("part", PARTS)
def test_layouts_are_inverse_to_each_other(part: PartName, tiny: Tiny) -> None:
    wanted = dict(tiny.pipeline().modules[part].state_dict())

    original = layout.to_original(part, wanted)

    assert original.keys() != wanted.keys()
    assert len(original) == len(wanted)
    _same(layout.to_diffusers(part, original), wanted)


@pytest.mark.parametrize("part", PARTS)
def test_conversion_is_that_of_diffusers(part: PartName, tiny: Tiny) -> None:
    module = tiny.pipeline().modules[part]

    original = layout.to_original(part, dict(module.state_dict()))

    _same(_by_diffusers(part, original, module), dict(module.state_dict()))


@pytest.mark.parametrize(("levels", "layers"), [(1, 1), (2, 3), (3, 1), (4, 2), (5, 2)])
def test_any_number_of_levels_and_layers(levels: int, layers: int) -> None:
    crossed = [level % 2 == 0 for level in range(levels)]
    module: Any = randomised(
        diffusers.UNet2DConditionModel(
            block_out_channels=(32,) * levels,
            down_block_types=tuple(
                "CrossAttnDownBlock2D" if has else "DownBlock2D" for has in crossed
            ),
            up_block_types=tuple(
                "CrossAttnUpBlock2D" if has else "UpBlock2D" for has in reversed(crossed)
            ),
            layers_per_block=layers,
            cross_attention_dim=32,
        ),
        seed=0,
    )
    wanted = dict(module.state_dict())

    original = layout.to_original("unet", wanted)

    _same(layout.to_diffusers("unet", original), wanted)
    _same(_by_diffusers("unet", original, module), wanted)


@pytest.mark.parametrize(("name", "parts"), [("sd15", PARTS[:3]), ("controlnet11_sd15", PARTS[3:])])
def test_published_files_keep_their_names_on_the_way_there_and_back(
    name: str, parts: tuple[PartName, ...]
) -> None:
    shapes = real_shapes(name)

    for part in parts:
        prefix = PREFIXES[part]
        original = {key.removeprefix(prefix) for key in shapes if key.startswith(prefix)}
        original = {key for key in original if not key.endswith("position_ids")}
        renamed = layout.diffusers_names(part, original)
        back = layout.original_names(part, set(renamed.values()))
        assert set(renamed.values()).isdisjoint(original) or part == "vae"
        assert {back[renamed[key]] for key in original} == original
        assert all(back[renamed[key]] == key for key in original)


def test_old_attention_names_of_diffusers_are_understood() -> None:
    wanted = dict(randomised(diffusers.AutoencoderKL(**VAE), 5).state_dict())
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    named = {}
    for name, tensor in wanted.items():
        new = next((new for new in old if f".attentions.0.{new}." in name), None)
        named[name if new is None else name.replace(new, old[new])] = tensor

    assert named.keys() != wanted.keys()
    _same(layout.to_diffusers("vae", named), wanted)


def test_absurd_numbers_are_no_indexes() -> None:
    name = "input_blocks.99999999999.0.op.weight"

    assert layout.to_diffusers("unet", {name: torch.zeros(1)}).keys() == {name}


def test_checkpoint_has_the_prefixes_of_its_parts(tiny: Tiny) -> None:
    modules = tiny.pipeline().modules

    made = layout.to_checkpoint({part: dict(modules[part].state_dict()) for part in PARTS})

    assert "model.diffusion_model.input_blocks.0.0.weight" in made
    assert "first_stage_model.decoder.up.0.block.0.conv1.weight" in made
    assert "cond_stage_model.transformer.text_model.final_layer_norm.weight" in made
    assert "control_model.zero_convs.0.0.weight" in made
    assert (
        UNET["cross_attention_dim"]
        == made[
            "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
        ].shape[1]
    )
