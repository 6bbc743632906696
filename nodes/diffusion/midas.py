"""MiDaS's hybrid DPT under transformers' names: how the checkpoint of SD 2's depth model holds it."""

import math
import re
from collections.abc import Callable, Collection, Mapping

from .openclip import Piece
from .sizes import Config

MARK = "pretrained.model.cls_token"
"""A tensor that every such network has."""
_PATCH = 16
"""Pixels to a place of the transformer: its stem divides by four, its stages by two twice."""
_HEAD = 64
"""The width of an attention head."""
_CLASSIFIER = "pretrained.model.head."
"""What the transformer was trained with before, and nothing reads."""
_STEM = r"pretrained\.model\.patch_embed\.backbone\."
_BIT = "dpt.embeddings.backbone.bit."
_BLOCK = r"pretrained\.model\.blocks\.(\d{1,3})\."
_QKV = re.compile(_BLOCK + r"attn\.qkv\.(weight|bias)$")
_THIRDS = ("query", "key", "value")
_Rule = str | Callable[[re.Match[str]], str]


def _below(name: str) -> _Rule:
    """The name with the number of the match, counted from 0."""
    return lambda match: name.format(int(match[1]) - 1)


def _fused(match: re.Match[str]) -> str:
    """A stage of the fusion, which transformers counts from the coarsest."""
    return f"neck.fusion_stage.layers.{4 - int(match[1])}."


_NAMES: tuple[tuple[re.Pattern[str], _Rule], ...] = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"pretrained\.model\.cls_token$", "dpt.embeddings.cls_token"),
        (r"pretrained\.model\.pos_embed$", "dpt.embeddings.position_embeddings"),
        (r"pretrained\.model\.patch_embed\.proj\.", "dpt.embeddings.projection."),
        (_STEM + r"stem\.conv\.", f"{_BIT}embedder.convolution."),
        (_STEM + r"stem\.norm\.", f"{_BIT}embedder.norm."),
        (_STEM + r"stages\.(\d)\.blocks\.(\d{1,2})\.", rf"{_BIT}encoder.stages.\1.layers.\2."),
        (r"pretrained\.model\.norm\.", "dpt.layernorm."),
        (_BLOCK + r"norm1\.", r"dpt.encoder.layer.\1.layernorm_before."),
        (_BLOCK + r"norm2\.", r"dpt.encoder.layer.\1.layernorm_after."),
        (_BLOCK + r"attn\.proj\.", r"dpt.encoder.layer.\1.attention.output.dense."),
        (_BLOCK + r"mlp\.fc1\.", r"dpt.encoder.layer.\1.intermediate.dense."),
        (_BLOCK + r"mlp\.fc2\.", r"dpt.encoder.layer.\1.output.dense."),
        (
            r"pretrained\.act_postprocess([34])\.0\.project\.0\.",
            _below("neck.reassemble_stage.readout_projects.{}.0."),
        ),
        (
            r"pretrained\.act_postprocess([34])\.3\.",
            _below("neck.reassemble_stage.layers.{}.projection."),
        ),
        (r"pretrained\.act_postprocess4\.4\.", "neck.reassemble_stage.layers.3.resize."),
        (r"scratch\.layer([1-4])_rn\.", _below("neck.convs.{}.")),
        (
            r"scratch\.refinenet([1-4])\.resConfUnit([12])\.conv([12])\.",
            lambda match: f"{_fused(match)}residual_layer{match[2]}.convolution{match[3]}.",
        ),
        (r"scratch\.refinenet([1-4])\.out_conv\.", lambda match: f"{_fused(match)}projection."),
        (r"scratch\.output_conv\.", "head.head."),
    )
)


def is_midas(names: Collection[str]) -> bool:
    """Whether the names of one part are MiDaS's."""
    return MARK in names


def pieces(name: str) -> tuple[Piece, ...]:
    """What becomes of one tensor of MiDaS's; one that is not known keeps its name."""
    if name.startswith(_CLASSIFIER):
        return ()
    joined = _QKV.match(name)
    if joined is not None:
        layer = f"dpt.encoder.layer.{joined[1]}.attention.attention"
        return tuple(Piece(f"{layer}.{kind}.{joined[2]}", at) for at, kind in enumerate(_THIRDS))
    for pattern, rule in _NAMES:
        found, count = pattern.subn(rule, name, count=1)
        if count:
            return (Piece(found),)
    return (Piece(name),)


def configuration(shapes: Mapping[str, tuple[int, ...]]) -> Config:
    """The config.json of transformers' DPT, read off the shapes under its names.

    Raises:
        KeyError: A tensor that tells of the sizes is missing.
    """
    width = shapes["dpt.embeddings.cls_token"][-1]
    side = math.isqrt(shapes["dpt.embeddings.position_embeddings"][1] - 1)
    layers = _count(shapes, r"dpt\.encoder\.layer\.(\d+)\.")
    stages = [f"{_BIT}encoder.stages.{at}." for at in range(_count(shapes, rf"{_STAGES}(\d+)\."))]
    widths = [shapes[f"{stage}layers.0.conv3.weight"][0] for stage in stages]
    return {
        "is_hybrid": True,
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": max(1, width // _HEAD),
        "intermediate_size": shapes["dpt.encoder.layer.0.intermediate.dense.weight"][0],
        "image_size": side * _PATCH,
        "patch_size": _PATCH,
        "backbone_out_indices": [0, 1, 3 * layers // 4 - 1, layers - 1],
        "backbone_featmap_shape": [1, widths[-1], side, side],
        "neck_hidden_sizes": [shapes[f"neck.convs.{at}.weight"][1] for at in range(4)],
        "neck_ignore_stages": [0, 1],
        "fusion_hidden_size": shapes["neck.convs.0.weight"][0],
        "reassemble_factors": [1, 1, 1, 0.5],
        "readout_type": "project",
        "use_batch_norm_in_fusion_residual": False,
        "backbone_config": {
            "model_type": "bit",
            "embedding_size": shapes[f"{_BIT}embedder.convolution.weight"][0],
            "hidden_sizes": widths,
            "depths": [_count(shapes, rf"{re.escape(stage)}layers\.(\d+)\.") for stage in stages],
            "layer_type": "bottleneck",
            "global_padding": "same",
            "embedding_dynamic_padding": True,
            "out_features": [f"stage{at + 1}" for at in range(len(stages))],
        },
    }


_STAGES = re.escape(f"{_BIT}encoder.stages.")


def _count(names: Collection[str], pattern: str) -> int:
    """How many things are numbered where the pattern has its group."""
    found = re.compile(pattern)
    return len({match[1] for match in map(found.match, names) if match is not None})
