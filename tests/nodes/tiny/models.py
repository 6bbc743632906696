"""The modules of each family, tiny, and the files that hold them in the original layout."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from nodes.diffusion import layout
from nodes.diffusion.layout import PartName
from tests.nodes.conftest import TEXT, VAE, randomised, save

from . import openclip

if TYPE_CHECKING:
    from torch import Tensor

Kind = Literal[
    "sd1", "sd1-inpaint", "edit", "variations", "lcm",
    "sd2", "sd2-inpaint", "depth", "unclip", "upscaler",
    "sdxl", "sdxl-inpaint", "refiner",
]  # fmt: skip
WIDTH = 64
"""Of every encoder."""
_CHANNELS: Mapping[str, int] = {
    "sd1-inpaint": 9,
    "sd2-inpaint": 9,
    "sdxl-inpaint": 9,
    "edit": 8,
    "depth": 5,
    "upscaler": 7,
}
_CROSS, _PLAIN = "CrossAttnDownBlock2D", "DownBlock2D"
_SD1: dict[str, Any] = {
    "block_out_channels": (32, 64),
    "down_block_types": (_CROSS, _PLAIN),
    "layers_per_block": 1,
    "cross_attention_dim": WIDTH,
    "attention_head_dim": 8,
}
_SD2 = _SD1 | {
    "block_out_channels": (64, 128),
    "attention_head_dim": (1, 2),
    "use_linear_projection": True,
}
_SDXL: dict[str, Any] = {
    "block_out_channels": (64, 128),
    "down_block_types": (_PLAIN, _CROSS),
    "layers_per_block": 1,
    "transformer_layers_per_block": (1, 2),
    "cross_attention_dim": 2 * WIDTH,
    "attention_head_dim": (1, 2),
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": WIDTH + 6 * 256,
}
_UNETS: Mapping[str, dict[str, Any]] = {
    "sd1": _SD1,
    "edit": _SD1,
    "lcm": _SD1 | {"time_cond_proj_dim": 256},
    "variations": _SD1,
    "sd2": _SD2,
    "depth": _SD2,
    "unclip": _SD2
    | {"class_embed_type": "projection", "projection_class_embeddings_input_dim": 2 * WIDTH},
    "sdxl": _SDXL,
    "refiner": _SDXL
    | {
        "block_out_channels": (64, 64, 64),
        "down_block_types": (_PLAIN, _CROSS, _PLAIN),
        "attention_head_dim": (1, 1, 1),
        "transformer_layers_per_block": 2,
        "cross_attention_dim": WIDTH,
        "projection_class_embeddings_input_dim": WIDTH + 5 * 256,
    },
    # As in the published one, a level that attends to the text alone is as wide as none of its texts.
    "upscaler": {
        "block_out_channels": (64, 128, 64),
        "down_block_types": (_PLAIN, _CROSS, _CROSS),
        "layers_per_block": 1,
        "cross_attention_dim": WIDTH,
        "attention_head_dim": 8,
        "use_linear_projection": True,
        "only_cross_attention": (True, True, False),
        "num_class_embeds": 1000,
    },
}


@cache
def unet(kind: Kind) -> Any:
    """A UNet, the same one each time: leave its weights as they are."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    config = _UNETS[kind.removesuffix("-inpaint")]
    up = tuple(name.replace("Down", "Up") for name in reversed(config["down_block_types"]))
    made = UNet2DConditionModel(
        sample_size=64,
        in_channels=_CHANNELS.get(kind, 4),
        out_channels=4,
        up_block_types=up,
        **config,
    )
    return randomised(made, 1)


@cache
def vae(kind: Kind) -> Any:
    """An autoencoder; the upscaler's halves twice, the others' three times."""
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    changes: dict[str, Any] = {}
    if kind == "upscaler":
        changes = {
            "block_out_channels": (32, 32, 64),
            "down_block_types": ("DownEncoderBlock2D",) * 3,
            "up_block_types": ("UpDecoderBlock2D",) * 3,
            "scaling_factor": 0.08333,
        }
    elif kind in {"sdxl", "sdxl-inpaint", "refiner"}:
        changes = {"scaling_factor": 0.13025}
    return randomised(AutoencoderKL(**VAE | changes), 2)


@cache
def clip_l() -> Any:
    """The text encoder of SD 1.x, and the first one of SDXL."""
    from transformers import CLIPTextConfig, CLIPTextModel

    return randomised(CLIPTextModel(CLIPTextConfig(**TEXT)), 3)


@cache
def open_clip(layers: int = 3) -> Any:
    """The text encoder of SD 2.x; with the layers of another count, one that is cut off there."""
    from transformers import CLIPTextConfig, CLIPTextModel

    changes = {"hidden_act": "gelu", "pad_token_id": 0, "num_hidden_layers": layers}
    made = CLIPTextModel(CLIPTextConfig(**TEXT | changes))
    if layers == 3:
        return randomised(made, 4)
    whole = open_clip().state_dict()
    made.load_state_dict({name: whole[name] for name in made.state_dict()})
    return cast(Any, made).eval().requires_grad_(requires_grad=False)


@cache
def big_g() -> Any:
    """The second text encoder of SDXL, and its refiner's only one."""
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    changes = {"hidden_act": "gelu", "pad_token_id": 0, "projection_dim": WIDTH}
    return randomised(CLIPTextModelWithProjection(CLIPTextConfig(**TEXT | changes)), 5)


@cache
def image_encoder() -> Any:
    """CLIP's encoder of pictures."""
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    config: Any = CLIPVisionConfig(
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=16,
        image_size=28,
        patch_size=14,
        projection_dim=WIDTH,
        hidden_act="gelu",
    )
    return randomised(CLIPVisionModelWithProjection(config), 6)


@cache
def depth_estimator() -> Any:
    """A DPT that estimates depth in pictures of 64 pixels."""
    from transformers import DPTConfig, DPTForDepthEstimation

    config: Any = DPTConfig(
        hidden_size=32, num_hidden_layers=4, num_attention_heads=2, intermediate_size=64,
        image_size=64, patch_size=16, backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[8, 8, 16, 16], fusion_hidden_size=16, is_hybrid=False,
    )  # fmt: skip
    return randomised(DPTForDepthEstimation(config), 7)


def original(kind: Kind) -> "dict[str, Tensor]":
    """A whole checkpoint as its makers published it."""
    parts: dict[PartName, Any] = {"unet": unet(kind).state_dict(), "vae": vae(kind).state_dict()}
    encoders: dict[str, Any] = {}
    if kind.startswith("sdxl"):
        encoders["conditioner.embedders.1.model."] = openclip.original(big_g().state_dict())
        plain = layout.to_original("text_encoder", clip_l().state_dict())
        encoders["conditioner.embedders.0.transformer."] = plain
    elif kind == "refiner":
        encoders["conditioner.embedders.0.model."] = openclip.original(big_g().state_dict())
    elif kind in {"sd1", "sd1-inpaint", "edit", "lcm"}:
        parts["text_encoder"] = clip_l().state_dict()
    elif kind != "variations":
        encoders["cond_stage_model.model."] = openclip.original(open_clip().state_dict())
    if kind == "variations":
        encoders["cond_stage_model.model.visual."] = openclip.original(image_encoder().state_dict())
    if kind == "unclip":
        encoders["embedder.model.visual."] = openclip.original(image_encoder().state_dict())
    named = {
        prefix + name: item for prefix, each in encoders.items() for name, item in each.items()
    }
    return layout.to_checkpoint(parts) | named


def write(kind: Kind, root: Path) -> str:
    """Save a checkpoint into a folder of models; its name there."""
    name = f"{kind}.safetensors"
    save(root / "checkpoints" / name, original(kind))
    return name
