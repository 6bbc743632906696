"""Encoders of transformers as OpenCLIP stores them: the inverse of what the loader does."""

import re
from typing import Any

import torch
from torch import Tensor

from tests.nodes.conftest import TEXT, randomised

_NAMES = {
    "embeddings.token_embedding.weight": "token_embedding.weight",
    "embeddings.position_embedding.weight": "positional_embedding",
    "embeddings.class_embedding": "class_embedding",
    "embeddings.patch_embedding.weight": "conv1.weight",
    "final_layer_norm": "ln_final",
    "pre_layrnorm": "ln_pre",
    "post_layernorm": "ln_post",
    "encoder.layers.": "transformer.resblocks.",
    "layer_norm": "ln_",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}
_QUERY = re.compile(r"(.+)self_attn\.q_proj\.(weight|bias)$")


def original(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a text or image encoder under OpenCLIP's names."""
    found = {}
    for name, tensor in state.items():
        plain = name.removeprefix("text_model.").removeprefix("vision_model.")
        query = _QUERY.match(name)
        if query is not None:
            parts = [state[f"{query[1]}self_attn.{kind}_proj.{query[2]}"] for kind in "qkv"]
            layer = plain.split(".")[2]
            found[f"transformer.resblocks.{layer}.attn.in_proj_{query[2]}"] = torch.cat(parts)
        elif plain in {"text_projection.weight", "visual_projection.weight"}:
            found["text_projection" if "text" in plain else "proj"] = tensor.T
        elif ".k_proj." not in name and ".v_proj." not in name:
            for new, old in _NAMES.items():
                plain = plain.replace(new, old)
            found[plain] = tensor
    return found


def text(seed: int) -> dict[str, Tensor]:
    """A text encoder with a projection, as OpenCLIP stores it."""
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    config: Any = CLIPTextConfig(**TEXT | {"hidden_act": "gelu", "projection_dim": 64})
    return original(dict(randomised(CLIPTextModelWithProjection(config), seed).state_dict()))
