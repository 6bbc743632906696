"""OpenCLIP's encoders under transformers' names: some of its tensors are several of theirs, some lie across."""

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

MARK = "transformer.resblocks.0.ln_1.weight"
"""A tensor that every encoder of OpenCLIP has."""


class Piece(NamedTuple):
    """What transformers takes out of one tensor: third number `third` of its rows, or all of them."""

    name: str
    third: int | None = None
    is_transposed: bool = False


_LAYER = re.compile(r"transformer\.resblocks\.(\d{1,3})\.(.+)\.?(weight|bias)$")
_WITHIN: Mapping[str, str] = {
    "ln_1.": "layer_norm1.",
    "ln_2.": "layer_norm2.",
    "mlp.c_fc.": "mlp.fc1.",
    "mlp.c_proj.": "mlp.fc2.",
    "attn.out_proj.": "self_attn.out_proj.",
}
_ENDS: Mapping[str, str] = {
    "token_embedding.weight": "embeddings.token_embedding.weight",
    "positional_embedding": "embeddings.position_embedding.weight",
    "ln_final.weight": "final_layer_norm.weight",
    "ln_final.bias": "final_layer_norm.bias",
    "class_embedding": "embeddings.class_embedding",
    "conv1.weight": "embeddings.patch_embedding.weight",
    "ln_pre.weight": "pre_layrnorm.weight",
    "ln_pre.bias": "pre_layrnorm.bias",
    "ln_post.weight": "post_layernorm.weight",
    "ln_post.bias": "post_layernorm.bias",
}
_ACROSS: Mapping[str, str] = {
    "text_projection": "text_projection.weight",
    "proj": "visual_projection.weight",
}


def is_openclip(names: Collection[str]) -> bool:
    """Whether the names of one part are OpenCLIP's."""
    return MARK in names


def pieces(name: str) -> tuple[Piece, ...]:
    """What becomes of one tensor of OpenCLIP's; one that is not known keeps its name."""
    layer = _LAYER.match(name)
    if layer is not None:
        number, _, ending = layer.groups()
        inside = name.removeprefix(f"transformer.resblocks.{number}.")
        if inside == f"attn.in_proj_{ending}":
            return tuple(
                Piece(f"encoder.layers.{number}.self_attn.{kind}_proj.{ending}", third)
                for third, kind in enumerate("qkv")
            )
        for old, new in _WITHIN.items():
            if inside == old + ending:
                return (Piece(f"encoder.layers.{number}.{new}{ending}"),)
        return (Piece(name),)
    if name in _ACROSS:
        return (Piece(_ACROSS[name], is_transposed=True),)
    return (Piece(_ENDS.get(name, name)),)
