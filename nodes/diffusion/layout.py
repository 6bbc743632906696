"""The two layouts of the same tensors: the original one of .safetensors and .ckpt files, and diffusers'.

A table of prefixes, original to diffusers', is built from the names and counts of either layout;
renaming follows the table one way or the other. So any number of levels and of blocks per level fits.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

PartName = Literal[
    "unet", "vae", "text_encoder", "text_encoder_2", "image_encoder", "controlnet", "upscaler",
    "depth_estimator", "prior", "text_proj", "decoder", "super_res_first", "super_res_last",
]  # fmt: skip
PLAIN: tuple[PartName, ...] = (
    "depth_estimator", "prior", "text_proj", "decoder", "super_res_first", "super_res_last",
)  # fmt: skip
"""Parts that are held under the names that their modules have, in folders at least."""
Table = dict[str, str]
"""Prefix of a name to prefix of a name; the longest that fits counts."""

PREFIXES: Mapping[PartName, str] = {
    "unet": "model.diffusion_model.",
    "vae": "first_stage_model.",
    "text_encoder": "cond_stage_model.transformer.",
    "text_encoder_2": "conditioner.embedders.1.model.",
    "image_encoder": "embedder.model.visual.",
    "controlnet": "control_model.",
}
"""What the names of a part begin with in a checkpoint of the original layout."""
MORE_PREFIXES: tuple[tuple[str, PartName], ...] = (
    ("cond_stage_model.model.visual.", "image_encoder"),
    ("cond_stage_model.model.", "text_encoder"),
    ("conditioner.embedders.0.transformer.", "text_encoder"),
    ("depth_model.model.", "depth_estimator"),
)
"""The same of other families."""
ONLY_PREFIX = "conditioner.embedders.0.model."
"""Of the one text encoder of SDXL's refiner, and of SD 2.x as SDXL's makers store it."""

_RESNET = {
    "in_layers.0": "norm1",
    "in_layers.2": "conv1",
    "emb_layers.1": "time_emb_proj",
    "out_layers.0": "norm2",
    "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut",
}
_ENDS = {
    "time_embed.0": "time_embedding.linear_1",
    "time_embed.2": "time_embedding.linear_2",
    "input_blocks.0.0": "conv_in",
    "out.0": "conv_norm_out",
    "out.2": "conv_out",
    "middle_block.1": "mid_block.attentions.0",
    "middle_block_out.0": "controlnet_mid_block",
}
_VAE_ATTENTION = {
    "norm": "group_norm",
    "q": "to_q",
    "k": "to_k",
    "v": "to_v",
    "proj_out": "to_out.0",
}
_OLD_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
_TOWER = ("embeddings", "encoder", "final_layer_norm", "pre_layrnorm", "post_layernorm")
_INNER: Mapping[PartName, str] = {
    "text_encoder": "text_model.",
    "text_encoder_2": "text_model.",
    "image_encoder": "vision_model.",
}
"""One more level in the names of transformers' modules, which not all of its releases have."""
_POINTWISE = re.compile(r"\.attn_1\.(q|k|v|proj_out)\.weight$")
_LINEAR = re.compile(r"\.attentions\.0\.(to_q|to_k|to_v|to_out\.0)\.weight$")


@dataclass(frozen=True)
class _Levels:
    """The levels of a UNet: blocks in each, and the original's slot for what changes the resolution."""

    down: tuple[tuple[int, bool], ...]
    up: tuple[tuple[int, str], ...]


def to_diffusers(part: PartName, state_dict: "Mapping[str, Tensor]") -> "dict[str, Tensor]":
    """The tensors of a part under diffusers' names; the autoencoder's attention becomes linear.

    Names carry no prefix of the whole checkpoint (see `PREFIXES`). What is not renamed is kept.
    """
    renamed = diffusers_names(part, state_dict)
    return {
        renamed[name]: tensor.reshape(diffusers_shape(part, name, tuple(tensor.shape)))
        for name, tensor in state_dict.items()
    }


def to_original(part: PartName, state_dict: "Mapping[str, Tensor]") -> "dict[str, Tensor]":
    """The tensors of a part under the original names: the inverse of `to_diffusers`."""
    renamed = original_names(part, state_dict)
    pointwise = {name for name in state_dict if part == "vae" and _LINEAR.search(name)}
    return {
        renamed[name]: tensor.reshape(*tensor.shape, 1, 1) if name in pointwise else tensor
        for name, tensor in state_dict.items()
    }


def to_checkpoint(parts: "Mapping[PartName, Mapping[str, Tensor]]") -> "dict[str, Tensor]":
    """One checkpoint in the original layout out of the state dicts of diffusers' modules."""
    return {
        PREFIXES[part] + name: tensor
        for part, state_dict in parts.items()
        for name, tensor in to_original(part, state_dict).items()
    }


def diffusers_names(part: PartName, names: Collection[str]) -> Table:
    """Every name, and what diffusers calls it. Old names of diffusers are accepted too."""
    if part in PLAIN:
        return {name: name for name in names}
    if part in _INNER:
        return {name: name.removeprefix(_INNER[part]) for name in names}
    if part == "vae":
        table = _vae_table(_vae_levels(names)) | _old_vae_table()
    else:
        table = _unet_table(_original_levels(names)) | _control_table(names) | _labels(names)
    return {name: _rename(name, table) for name in names}


def original_names(part: PartName, names: Collection[str]) -> Table:
    """Every name of diffusers', and what the original layout calls it."""
    if part in _INNER:
        inner = _INNER[part]
        return {name: inner + name if name.startswith(_TOWER) else name for name in names}
    if part == "vae":
        table = _vae_table(_vae_levels(names))
    else:
        table = _unet_table(_diffusers_levels(names)) | _control_table(names) | _labels(names)
    inverse = {new: old for old, new in table.items()}
    return {name: _rename(name, inverse) for name in names}


def diffusers_shape(part: PartName, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape in diffusers' layout of the tensor that is called `name` in its own."""
    is_pointwise = (
        part == "vae"
        and shape[2:] == (1, 1)
        and (_POINTWISE.search(name) or _is_old_attention(name))
    )
    return shape[:2] if is_pointwise else shape


def _is_old_attention(name: str) -> bool:
    return ".attentions.0." in name and name.endswith(".weight")


def _rename(name: str, table: Table) -> str:
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        found = table.get(".".join(parts[:length]))
        if found is not None:
            return ".".join([found, *parts[length:]])
    return name


def _indexes(names: Collection[str], prefix: str) -> int:
    """How many numbers, counted from 0, follow the prefix. A number over 999 is no index."""
    pattern = re.compile(re.escape(prefix) + r"(\d{1,3})\.")
    return max((int(found[1]) for found in map(pattern.match, names) if found), default=-1) + 1


def _original_levels(names: Collection[str]) -> _Levels:
    down, blocks = [], 0
    for index in range(1, _indexes(names, "input_blocks.")):
        if f"input_blocks.{index}.0.op.weight" in names:
            down.append((blocks, True))
            blocks = 0
        else:
            blocks += 1
    down.append((blocks, False))
    up, blocks = [], 0
    for index in range(_indexes(names, "output_blocks.")):
        blocks += 1
        slot = next(
            (s for s in ("1", "2") if f"output_blocks.{index}.{s}.conv.weight" in names), ""
        )
        if slot:
            up.append((blocks, slot))
            blocks = 0
    up.append((blocks, ""))
    return _Levels(tuple(down), tuple(up))


def _diffusers_levels(names: Collection[str]) -> _Levels:
    down = tuple(
        (
            _indexes(names, f"down_blocks.{level}.resnets."),
            f"down_blocks.{level}.downsamplers.0.conv.weight" in names,
        )
        for level in range(_indexes(names, "down_blocks."))
    )
    up = []
    for level in range(_indexes(names, "up_blocks.")):
        slot = (
            "2" if any(name.startswith(f"up_blocks.{level}.attentions.") for name in names) else "1"
        )
        is_last = f"up_blocks.{level}.upsamplers.0.conv.weight" not in names
        up.append((_indexes(names, f"up_blocks.{level}.resnets."), "" if is_last else slot))
    return _Levels(down, tuple(up))


def _unet_table(levels: _Levels) -> Table:
    table = dict(_ENDS)
    table |= _resnet("middle_block.0", "mid_block.resnets.0")
    table |= _resnet("middle_block.2", "mid_block.resnets.1")
    index = 1
    for level, (blocks, is_followed) in enumerate(levels.down):
        for block in range(blocks):
            table |= _resnet(f"input_blocks.{index}.0", f"down_blocks.{level}.resnets.{block}")
            table[f"input_blocks.{index}.1"] = f"down_blocks.{level}.attentions.{block}"
            index += 1
        if is_followed:
            table[f"input_blocks.{index}.0.op"] = f"down_blocks.{level}.downsamplers.0.conv"
            index += 1
    index = 0
    for level, (blocks, slot) in enumerate(levels.up):
        for block in range(blocks):
            table |= _resnet(f"output_blocks.{index}.0", f"up_blocks.{level}.resnets.{block}")
            table[f"output_blocks.{index}.1"] = f"up_blocks.{level}.attentions.{block}"
            index += 1
        if slot:
            table[f"output_blocks.{index - 1}.{slot}.conv"] = f"up_blocks.{level}.upsamplers.0.conv"
    return table


def _labels(names: Collection[str]) -> Table:
    """What is added to the model's clock: noise levels by a table, pictures or sizes by two layers."""
    if any(name.startswith(("label_emb.weight", "class_embedding.weight")) for name in names):
        return {"label_emb": "class_embedding"}
    is_plain = any(name.startswith(_FIRST_ATTENTION) for name in names)
    owner = "class_embedding" if is_plain else "add_embedding"
    return {
        "label_emb.0.0": f"{owner}.linear_1",
        "label_emb.0.2": f"{owner}.linear_2",
        "time_embed.cond_proj": "time_embedding.cond_proj",
    }


_FIRST_ATTENTION = ("input_blocks.1.1.", "down_blocks.0.attentions.")
"""SD 2.x attends to the text at its first level, SDXL does not."""


def _resnet(original: str, diffusers: str) -> Table:
    return {f"{original}.{old}": f"{diffusers}.{new}" for old, new in _RESNET.items()}


def _control_table(names: Collection[str]) -> Table:
    outputs = max(_indexes(names, "zero_convs."), _indexes(names, "controlnet_down_blocks."))
    table = {f"zero_convs.{index}.0": f"controlnet_down_blocks.{index}" for index in range(outputs)}
    hint = "controlnet_cond_embedding"
    # The original counts the activations between the convolutions too: every second number is free.
    between = max(_indexes(names, "input_hint_block.") // 2 - 1, _indexes(names, f"{hint}.blocks."))
    table["input_hint_block.0"] = f"{hint}.conv_in"
    table |= {
        f"input_hint_block.{2 * index + 2}": f"{hint}.blocks.{index}" for index in range(between)
    }
    table[f"input_hint_block.{2 * between + 2}"] = f"{hint}.conv_out"
    return table


def _vae_levels(names: Collection[str]) -> dict[str, tuple[int, int]]:
    """(levels, most blocks in a level) for each half, in either layout."""
    found = {}
    for half, old, new in (("encoder", "down", "down_blocks"), ("decoder", "up", "up_blocks")):
        levels = max(_indexes(names, f"{half}.{old}."), _indexes(names, f"{half}.{new}."))
        counts = [
            max(
                _indexes(names, f"{half}.{old}.{i}.block."),
                _indexes(names, f"{half}.{new}.{i}.resnets."),
            )
            for i in range(levels)
        ]
        found[half] = (levels, max(counts, default=0))
    return found


def _vae_table(levels: Mapping[str, tuple[int, int]]) -> Table:
    table: Table = {}
    for half, (count, blocks) in levels.items():
        table |= dict(_vae_half(half, count, blocks))
        table[f"{half}.norm_out"] = f"{half}.conv_norm_out"
        for old, new in (("block_1", "resnets.0"), ("block_2", "resnets.1")):
            table[f"{half}.mid.{old}"] = f"{half}.mid_block.{new}"
            table[f"{half}.mid.{old}.nin_shortcut"] = f"{half}.mid_block.{new}.conv_shortcut"
        for old, new in _VAE_ATTENTION.items():
            table[f"{half}.mid.attn_1.{old}"] = f"{half}.mid_block.attentions.0.{new}"
    return table


def _vae_half(half: str, levels: int, blocks: int) -> Iterator[tuple[str, str]]:
    old, new, sampler = (
        ("down", "down_blocks", "downsample")
        if half == "encoder"
        else ("up", "up_blocks", "upsample")
    )
    for level in range(levels):
        # The original numbers the decoder's levels by resolution, diffusers in the order they run.
        number = level if half == "encoder" else levels - 1 - level
        yield f"{half}.{old}.{number}.{sampler}.conv", f"{half}.{new}.{level}.{sampler}rs.0.conv"
        for block in range(blocks):
            source, target = (
                f"{half}.{old}.{number}.block.{block}",
                f"{half}.{new}.{level}.resnets.{block}",
            )
            yield source, target
            yield f"{source}.nin_shortcut", f"{target}.conv_shortcut"


def _old_vae_table() -> Table:
    return {
        f"{half}.mid_block.attentions.0.{old}": f"{half}.mid_block.attentions.0.{new}"
        for half in ("encoder", "decoder")
        for old, new in _OLD_ATTENTION.items()
    }
