"""A model's sizes, read off the shapes of its tensors: the configurations that its modules are built from."""

import math
import re
from collections.abc import Mapping
from typing import Any

from engine.errors import InputError
from nodes.widgets import TowerName

from . import taesd
from .families import Family, Shapes
from .layout import PartName

Config = dict[str, Any]


def configuration(part: PartName, shapes: Shapes, family: Family) -> Config:
    """What diffusers' or transformers' class of that part needs to be built for these tensors.

    Args:
        part: Which part the tensors are.
        shapes: By diffusers' names.
        family: Gives what shapes cannot tell, such as the number of heads.

    Raises:
        InputError: A tensor is missing that tells a size, or a size does not fit the family.
    """
    try:
        return _READERS[part](shapes, family)
    except KeyError as error:
        raise InputError(
            f"the {part} lacks the tensor {error.args[0]!r}: the file is incomplete; download it again",
            code="incomplete_file",
        ) from error
    except IndexError as error:
        raise InputError(
            f"the {part} has a tensor with too few dimensions: the file is none of {family.title}",
            code="incomplete_file",
        ) from error


def _unet(shapes: Shapes, family: Family) -> Config:
    config = _half_unet(shapes, family)
    levels = len(config["block_out_channels"])
    config["out_channels"] = shapes["conv_out.weight"][0]
    config["up_block_types"] = tuple(
        "CrossAttnUpBlock2D" if _count(shapes, f"up_blocks.{level}.attentions.") else "UpBlock2D"
        for level in range(levels)
    )
    return config


def _half_unet(shapes: Shapes, family: Family) -> Config:
    """What a UNet and a ControlNet have in common: the way down."""
    levels = _count(shapes, "down_blocks.")
    crossed = [bool(_count(shapes, f"down_blocks.{level}.attentions.")) for level in range(levels)]
    depths = [_depth(shapes, f"down_blocks.{level}.attentions.0.") or 1 for level in range(levels)]
    middle = _depth(shapes, "mid_block.attentions.0.") or 1
    if levels and not crossed[-1]:
        depths[-1] = middle  # diffusers reads the middle's depth from the last level
    widths = tuple(
        shapes[f"down_blocks.{level}.resnets.0.conv1.weight"][0] for level in range(levels)
    )
    _check_multiple("UNet", widths, family.norm_groups, family)
    if family.heads is None:
        _check_multiple("UNet", widths, family.head_width, family)
    contexts = {shape[1] for name, shape in shapes.items() if name.endswith(".attn2.to_k.weight")}
    if len(contexts) != 1:
        raise InputError(
            f"the UNet reads texts of {len(contexts)} widths; it must be one",
            code="incomplete_file",
        )
    projection = next(
        (shape for name, shape in shapes.items() if name.endswith(".proj_in.weight")), ()
    )
    return _added(shapes) | {
        "in_channels": shapes["conv_in.weight"][1],
        "block_out_channels": widths,
        "down_block_types": tuple(
            "CrossAttnDownBlock2D" if has else "DownBlock2D" for has in crossed
        ),
        "layers_per_block": _count(shapes, "down_blocks.0.resnets."),
        "cross_attention_dim": contexts.pop(),
        "transformer_layers_per_block": 1 if set(depths) == {1} else tuple(depths),
        # diffusers calls the number of heads so.
        "attention_head_dim": family.heads or tuple(width // family.head_width for width in widths),
        "use_linear_projection": len(projection) == 2,
        "only_cross_attention": _crossed_only(shapes, widths, crossed),
        "norm_num_groups": family.norm_groups,
    }


def _added(shapes: Shapes) -> Config:
    """What is added to the model's clock, if anything is."""
    found: Config = {}
    for owner, said in (
        ("class_embedding", {"class_embed_type": "projection"}),
        (
            "add_embedding",
            {"addition_embed_type": "text_time", "addition_time_embed_dim": _WAVES},
        ),
    ):
        layer = shapes.get(f"{owner}.linear_1.weight")
        if layer is not None:
            found |= said | {"projection_class_embeddings_input_dim": layer[1]}
    if "class_embedding.weight" in shapes:
        found["num_class_embeds"] = shapes["class_embedding.weight"][0]
    if "time_embedding.cond_proj.weight" in shapes:
        found["time_cond_proj_dim"] = shapes["time_embedding.cond_proj.weight"][1]
    return found


_WAVES = 256
"""Numbers that stand for each size that SDXL is told."""


def _crossed_only(
    shapes: Shapes, widths: tuple[int, ...], crossed: list[bool]
) -> bool | tuple[bool, ...]:
    """For each level whether it attends to the text alone, as the upscaler's do, and not to itself."""
    key = "down_blocks.{}.attentions.0.transformer_blocks.0.attn1.to_k.weight"
    found = tuple(
        not has or shapes.get(key.format(level), (0, width))[1] != width
        for level, (width, has) in enumerate(zip(widths, crossed, strict=True))
    )
    alone = [only for only, has in zip(found, crossed, strict=True) if has]
    return found if any(alone) else False


def _controlnet(shapes: Shapes, family: Family) -> Config:
    hint = "controlnet_cond_embedding"
    blocks = _count(shapes, f"{hint}.blocks.")
    widths = [shapes[f"{hint}.conv_in.weight"][0]]
    widths += [shapes[f"{hint}.blocks.{index}.weight"][0] for index in range(1, blocks, 2)]
    return _half_unet(shapes, family) | {
        "conditioning_channels": shapes[f"{hint}.conv_in.weight"][1],
        "conditioning_embedding_out_channels": tuple(widths),
    }


def _vae(shapes: Shapes, family: Family) -> Config:
    if taesd.is_taesd(shapes):
        return taesd.configuration(shapes)
    levels = _count(shapes, "encoder.down_blocks.")
    widths = tuple(
        shapes[f"encoder.down_blocks.{level}.resnets.0.conv1.weight"][0] for level in range(levels)
    )
    _check_multiple("VAE", widths, family.norm_groups, family)
    return {
        "in_channels": shapes["encoder.conv_in.weight"][1],
        "out_channels": shapes["decoder.conv_out.weight"][0],
        "latent_channels": shapes["decoder.conv_in.weight"][1],
        "block_out_channels": widths,
        "down_block_types": ("DownEncoderBlock2D",) * levels,
        "up_block_types": ("UpDecoderBlock2D",) * levels,
        "layers_per_block": _count(shapes, "encoder.down_blocks.0.resnets."),
        "norm_num_groups": family.norm_groups,
        "scaling_factor": family.scaling_factor,
        "use_quant_conv": "quant_conv.weight" in shapes,
        "use_post_quant_conv": "post_quant_conv.weight" in shapes,
        "mid_block_add_attention": _count(shapes, "encoder.mid_block.attentions.") > 0,
    }


def _text_encoder(shapes: Shapes, family: Family) -> Config:
    return _tower(shapes, family, "text_encoder")


def _text_encoder_2(shapes: Shapes, family: Family) -> Config:
    projected = shapes["text_projection.weight"][0]
    return _tower(shapes, family, "text_encoder_2") | {"projection_dim": projected}


def _tower(shapes: Shapes, family: Family, part: TowerName) -> Config:
    tower = next((tower for tower in family.towers if tower.part == part), family.towers[0])
    vocabulary, width = shapes["embeddings.token_embedding.weight"][:2]
    _check_multiple("text encoder", (width,), tower.head_width, family)
    return {
        "vocab_size": vocabulary,
        "hidden_size": width,
        "intermediate_size": shapes["encoder.layers.0.mlp.fc1.weight"][0],
        "num_hidden_layers": _count(shapes, "encoder.layers."),
        "num_attention_heads": width // tower.head_width,
        "max_position_embeddings": shapes["embeddings.position_embedding.weight"][0],
        "hidden_act": tower.activation,
        "bos_token_id": vocabulary - 2,
        "eos_token_id": vocabulary - 1,
        "pad_token_id": min(tower.pad, vocabulary - 1),
    }


def _image_encoder(shapes: Shapes, family: Family) -> Config:
    width, colours, patch, _ = shapes["embeddings.patch_embedding.weight"]
    _check_multiple("image encoder", (width,), _VISION_HEADS, family)
    side = math.isqrt(shapes["embeddings.position_embedding.weight"][0] - 1)
    projected = shapes["visual_projection.weight"][0]
    return {
        "hidden_size": width,
        "intermediate_size": shapes["encoder.layers.0.mlp.fc1.weight"][0],
        "num_hidden_layers": _count(shapes, "encoder.layers."),
        "num_attention_heads": _VISION_HEADS,
        "num_channels": colours,
        "image_size": side * patch,
        "patch_size": patch,
        "projection_dim": projected,
        "hidden_act": "quick_gelu" if projected == _OPENAI else "gelu",
    }


_VISION_HEADS = 16
"""Of ViT-L, ViT-H and ViT-bigG alike."""
_OPENAI = 768
"""The width of what OpenAI's own ViT-L gives, which was trained with another activation than OpenCLIP's."""


_READERS = {
    "unet": _unet,
    "vae": _vae,
    "text_encoder": _text_encoder,
    "text_encoder_2": _text_encoder_2,
    "image_encoder": _image_encoder,
    "controlnet": _controlnet,
}


def _check_multiple(what: str, widths: tuple[int, ...], unit: int, family: Family) -> None:
    if not widths or any(width == 0 or width % unit for width in widths):
        raise InputError(
            f"the {what} has the widths {list(widths)}; those of {family.title} are multiples of {unit}",
            code="incomplete_file",
        )


def _depth(shapes: Shapes, prefix: str) -> int:
    return _count(shapes, f"{prefix}transformer_blocks.")


def _count(shapes: Mapping[str, object], prefix: str) -> int:
    """How many numbers, counted from 0, follow the prefix."""
    pattern = re.compile(re.escape(prefix) + r"(\d{1,3})\.")
    return len({found[1] for found in map(pattern.match, shapes) if found})
