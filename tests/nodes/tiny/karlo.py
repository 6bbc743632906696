"""Karlo's networks, tiny, and the diffusers folder that holds them."""

import importlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from tests.nodes.conftest import randomised

from . import models

diffusers: Any = importlib.import_module("diffusers")
unclip: Any = importlib.import_module("diffusers.pipelines.deprecated.unclip")


@cache
def parts() -> dict[str, Any]:
    """Karlo's networks, tiny."""
    blocks = {"block_out_channels": (32, 64), "layers_per_block": 1, "norm_num_groups": 32}
    down, up = "ResnetDownsampleBlock2D", "ResnetUpsampleBlock2D"
    enlarging = {
        "sample_size": 32, "in_channels": 6, "out_channels": 3, "add_attention": False,
        "down_block_types": (down, down), "up_block_types": (up, up),
        "resnet_time_scale_shift": "scale_shift",
    }  # fmt: skip
    made = {
        "prior": diffusers.PriorTransformer(
            num_attention_heads=2, attention_head_dim=16, num_layers=2, embedding_dim=models.WIDTH
        ),
        "text_proj": unclip.UnCLIPTextProjModel(
            clip_embeddings_dim=models.WIDTH, time_embed_dim=128, cross_attention_dim=models.WIDTH
        ),
        "decoder": diffusers.UNet2DConditionModel(
            sample_size=16, in_channels=3, out_channels=6, cross_attention_dim=models.WIDTH,
            attention_head_dim=8, class_embed_type="identity",
            down_block_types=(down, "SimpleCrossAttnDownBlock2D"),
            mid_block_type="UNetMidBlock2DSimpleCrossAttn",
            up_block_types=("SimpleCrossAttnUpBlock2D", up),
            resnet_time_scale_shift="scale_shift", **blocks,
        ),
        "super_res_first": diffusers.UNet2DModel(**enlarging, **blocks),
        "super_res_last": diffusers.UNet2DModel(**enlarging, **blocks),
    }  # fmt: skip
    found = {name: randomised(module, 20 + i) for i, (name, module) in enumerate(made.items())}
    return found | {"text_encoder": models.big_g()}


def write(root: Path, name: str = "tiny") -> str:
    """Save them into a folder of models; their name there."""
    for part, module in parts().items():
        module.save_pretrained(root / "karlo" / name / part)
    index = json.dumps({"_class_name": "UnCLIPPipeline"})
    (root / "karlo" / name / "model_index.json").write_text(index)
    return name
