"""A small DPT of MiDaS's hybrid kind, and its tensors as SD 2's depth checkpoint holds them."""

import re
from typing import Any

import torch
from torch import Tensor

from tests.nodes.conftest import randomised

_WHOLE = (
    ("dpt.embeddings.cls_token", "pretrained.model.cls_token"),
    ("dpt.embeddings.position_embeddings", "pretrained.model.pos_embed"),
    ("dpt.embeddings.projection", "pretrained.model.patch_embed.proj"),
    ("dpt.embeddings.backbone.bit.embedder.convolution", "STEM.stem.conv"),
    ("dpt.embeddings.backbone.bit.embedder.norm", "STEM.stem.norm"),
    ("dpt.embeddings.backbone.bit.encoder.stages", "STEM.stages"),
    ("dpt.encoder.layer", "pretrained.model.blocks"),
    ("dpt.layernorm", "pretrained.model.norm"),
    ("layernorm_before", "norm1"),
    ("layernorm_after", "norm2"),
    ("attention.output.dense", "attn.proj"),
    ("intermediate.dense", "mlp.fc1"),
    ("output.dense", "mlp.fc2"),
    ("neck.reassemble_stage.readout_projects.2", "pretrained.act_postprocess3.0.project"),
    ("neck.reassemble_stage.readout_projects.3", "pretrained.act_postprocess4.0.project"),
    ("neck.reassemble_stage.layers.2.projection", "pretrained.act_postprocess3.3"),
    ("neck.reassemble_stage.layers.3.projection", "pretrained.act_postprocess4.3"),
    ("neck.reassemble_stage.layers.3.resize", "pretrained.act_postprocess4.4"),
    *((f"neck.convs.{at}", f"scratch.layer{at + 1}_rn") for at in range(4)),
    *((f"neck.fusion_stage.layers.{at}", f"scratch.refinenet{4 - at}") for at in range(4)),
    (".projection.", ".out_conv."),
    ("residual_layer", "resConfUnit"),
    ("convolution", "conv"),
    ("head.head", "scratch.output_conv"),
    ("STEM", "pretrained.model.patch_embed.backbone"),
)


def hybrid() -> Any:
    """A network for pictures of 32 pixels."""
    from transformers import DPTConfig, DPTForDepthEstimation

    config: Any = DPTConfig(
        is_hybrid=True, hidden_size=64, num_hidden_layers=4, num_attention_heads=1,
        intermediate_size=96, image_size=32, patch_size=16, backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[128, 128, 64, 64], fusion_hidden_size=16, readout_type="project",
        backbone_featmap_shape=[1, 256, 2, 2], reassemble_factors=[1, 1, 1, 0.5],
        neck_ignore_stages=[0, 1], use_batch_norm_in_fusion_residual=False,
        backbone_config={
            "model_type": "bit", "embedding_size": 32, "hidden_sizes": [128, 128, 256],
            "depths": [1, 1, 2], "layer_type": "bottleneck", "global_padding": "same",
            "embedding_dynamic_padding": True, "out_features": ["stage1", "stage2", "stage3"],
        },
    )  # fmt: skip
    return randomised(DPTForDepthEstimation(config), 9)


def original(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under MiDaS's names, with a classifier that nothing reads."""
    made = {"pretrained.model.head.weight": torch.zeros(3, 64)}
    for name, tensor in state.items():
        if ".attention.attention." in name:
            continue
        for ours, theirs in _WHOLE:
            name = name.replace(ours, theirs)  # noqa: PLW2901
        if ".stages." in name:
            name = name.replace(".layers.", ".blocks.")  # noqa: PLW2901
        made[name] = tensor
    for name in state:
        layer = re.match(r"dpt\.encoder\.layer\.(\d+)\.attention\.attention\.query\.(\w+)", name)
        if layer is not None:
            parts = [state[name.replace("query", kind)] for kind in ("query", "key", "value")]
            made[f"pretrained.model.blocks.{layer[1]}.attn.qkv.{layer[2]}"] = torch.cat(parts)
    return made
