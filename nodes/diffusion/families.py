"""What each model family is: its constants, and how a file of it is recognised by its shapes."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from engine.errors import InputError
from nodes.values import TextEncoder
from nodes.widgets import FamilyName, PredictionType, TowerName

from . import taesd

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Tower:
    """A text encoder of a family."""

    part: TowerName
    activation: str
    pad: int
    """The token that fills a prompt up behind its end."""
    head_width: int = 64


@dataclass(frozen=True)
class Family:
    """The constants that every model of a family shares, and that its files do not hold."""

    name: FamilyName
    title: str
    train_steps: int
    """Timesteps of the noise schedule; betas are linear in their square roots ("scaled_linear")."""
    beta_start: float
    beta_end: float
    prediction_type: PredictionType
    scaling_factor: float
    """Latents = this times what the autoencoder's encoder gives."""
    latent_channels: int
    heads: int | None
    """Attention heads of the UNet, at every level; None: as many of `head_width` as each level's width holds."""
    norm_groups: int
    towers: tuple[Tower, ...]
    """The text encoders; what they read is joined along the width."""
    skip: int
    """Last layers of the text encoders that a prompt is not read from, unless a workflow says otherwise."""
    normed: bool
    """Whether the text encoders' last layer norm is applied to what is read."""
    channels: Mapping[int, str]
    """What a checkpoint with that many input channels is called."""
    head_width: int = 64


_END, _ZERO = 49407, 0
_CLIP_L = Tower("text_encoder", "quick_gelu", _END)
_BIG_G = Tower("text_encoder_2", "gelu", _ZERO)

SD1 = Family(
    name="sd1",
    title="SD 1.x",
    train_steps=1000,
    beta_start=0.00085,
    beta_end=0.012,
    prediction_type="epsilon",
    scaling_factor=0.18215,
    latent_channels=4,
    heads=8,
    norm_groups=32,
    towers=(_CLIP_L,),
    skip=0,
    normed=True,
    channels={
        4: "an SD 1.x checkpoint",
        8: "an InstructPix2Pix checkpoint of SD 1.x",
        9: "an SD 1.x inpainting checkpoint",
    },
)
SD2 = Family(
    name="sd2",
    title="SD 2.x",
    train_steps=1000,
    beta_start=0.00085,
    beta_end=0.012,
    prediction_type="epsilon",
    scaling_factor=0.18215,
    latent_channels=4,
    heads=None,
    norm_groups=32,
    towers=(Tower("text_encoder", "gelu", _ZERO),),
    skip=1,
    normed=True,
    channels={
        4: "an SD 2.x checkpoint",
        5: "an SD 2.x depth checkpoint",
        9: "an SD 2.x inpainting checkpoint",
    },
)
UPSCALER = Family(
    name="upscaler",
    title="the x4 upscaler",
    train_steps=1000,
    beta_start=0.0001,
    beta_end=0.02,
    prediction_type="v_prediction",
    scaling_factor=0.08333,
    latent_channels=4,
    heads=8,
    norm_groups=32,
    towers=SD2.towers,
    skip=1,
    normed=True,
    channels={7: "an SD 2.x upscaler checkpoint"},
)
SDXL = Family(
    name="sdxl",
    title="SDXL",
    train_steps=1000,
    beta_start=0.00085,
    beta_end=0.012,
    prediction_type="epsilon",
    scaling_factor=0.13025,
    latent_channels=4,
    heads=None,
    norm_groups=32,
    towers=(_CLIP_L, _BIG_G),
    skip=1,
    normed=False,
    channels={
        4: "an SDXL base checkpoint",
        8: "an InstructPix2Pix checkpoint of SDXL",
        9: "an SDXL inpainting checkpoint",
    },
)
REFINER = replace(
    SDXL,
    name="refiner",
    title="SDXL's refiner",
    towers=(_BIG_G,),
    channels={4: "an SDXL refiner checkpoint"},
)


def vae_title(scaling_factor: float) -> str:
    """What a VAE that stands alone is called."""
    titles = {UPSCALER.scaling_factor: UPSCALER.title, SDXL.scaling_factor: SDXL.title}
    return f"a VAE of {titles.get(scaling_factor, 'SD 1.x or 2.x')}"


SDXL_SCALING_FACTOR = SDXL.scaling_factor
FAMILIES: Mapping[FamilyName, Family] = {
    family.name: family for family in (SD1, SD2, UPSCALER, SDXL, REFINER)
}
TITLES = "SD 1.x, SD 2.x, its upscaler, SDXL and its refiner"
"""What this version runs, for messages."""


def recipes(text_encoder: TextEncoder) -> tuple[TextEncoder, ...]:
    """The text encoders that read a prompt for a recipe's family, each as a recipe of its own."""
    return tuple(
        replace(text_encoder, part=tower.part) for tower in FAMILIES[text_encoder.family].towers
    )


@dataclass(frozen=True)
class Recognised:
    """What a file is. `family` is none for what this version cannot run."""

    title: str
    family: Family | None = None
    mark: str = ""
    """The tensor that tells, of what this version cannot run."""


def accepted(found: Recognised, file: str) -> Family:
    """The family of a file.

    Raises:
        InputError: This version does not run it; names the tensor that tells.
    """
    if found.family is None:
        mark = f" (it holds {found.mark!r})" if found.mark else ""
        raise InputError(
            f"{file} is {found.title}{mark}; this version runs {TITLES}: choose a file of one of them",
            code="unsupported_family",
        )
    return found.family


_FOREIGN = (
    ("double_blocks.", "a Flux model"),
    ("joint_blocks.", "an SD3 model"),
    ("transformer_blocks.0.attn.add_k_proj", "an SD3 or Flux model"),
    ("lora_down.weight", "a LoRA"),
    ("lora_A.weight", "a LoRA"),
    ("lora.down.weight", "a LoRA"),
    ("string_to_param", "a textual inversion embedding"),
    ("emb_params", "a textual inversion embedding"),
    ("clip_g", "a textual inversion embedding of SDXL"),
    ("ip_adapter.", "an IP-Adapter"),
    ("image_proj.", "an IP-Adapter"),
    ("adapter.body.", "a T2I-Adapter"),
    ("motion_modules.", "an AnimateDiff motion module"),
    ("RRDB_trunk.", "an upscaler (ESRGAN)"),
    ("conv_first.weight", "an upscaler (ESRGAN)"),
)
_UNCLIP = {1536: "an unCLIP-L checkpoint of SD 2.1", 2048: "an unCLIP-H checkpoint of SD 2.1"}
VARIATIONS = "a checkpoint of SD image variations"
"""Its title; it reads a picture in place of a prompt."""
_TAUGHT = ("time_embed.cond_proj.weight", "time_embedding.cond_proj.weight")
"""Reads the guidance scale."""
_PREFIXES = ("model.diffusion_model.", "control_model.", "")
_LABELS = (
    "label_emb.0.0.weight",
    "add_embedding.linear_1.weight",
    "class_embedding.linear_1.weight",
)
_LEVELS = ("label_emb.weight", "class_embedding.weight")
_ATTENTION = re.compile(r"(input_blocks|down_blocks)\.(\d{1,3})\.(?:1|attentions\.\d{1,3})\.norm\.")
_BLOCK = re.compile(r"(input_blocks|down_blocks)\.(\d{1,3})\.")


def recognise(shapes: Shapes) -> Recognised:
    """What the tensors of a file are together, in the original layout or in that of diffusers.

    Nothing depends on the widths of a model, so that narrow ones are recognised too.
    """
    conv_in = _first(shapes, ("input_blocks.0.0.weight", "conv_in.weight"))
    if conv_in is not None and len(conv_in) == 4:
        return _recognise_unet(shapes, conv_in[1])
    vae = _recognise_vae(shapes)
    if vae is not None:
        return vae
    if any(name.endswith("embeddings.token_embedding.weight") for name in shapes):
        return Recognised("a CLIP text encoder", SD1)
    if any(name.endswith(("visual.conv1.weight", "patch_embedding.weight")) for name in shapes):
        return Recognised("a CLIP image encoder", SD1)
    for mark, title in _FOREIGN:
        found = next((name for name in shapes if mark in name), "")
        if found:
            return Recognised(title, mark=found)
    return Recognised("of an unknown kind", mark=next(iter(shapes), ""))


def _recognise_vae(shapes: Shapes) -> Recognised | None:
    latents = shapes.get("first_stage_model.decoder.conv_in.weight") or shapes.get(
        "decoder.conv_in.weight"
    )
    if latents is not None and len(latents) == 4:
        if latents[1] == SD1.latent_channels:
            return Recognised("a VAE of SD 1.x or 2.x", SD1)
        return Recognised(f"a VAE with {latents[1]} latent channels", mark="decoder.conv_in.weight")
    if taesd.is_taesd(shapes):
        channels = taesd.latent_channels(shapes)
        if channels == SD1.latent_channels:
            return Recognised("a TAESD", SD1)
        mark = next(name for name in taesd.MARKS if name in shapes)
        return Recognised(f"a TAESD with {channels or 'unknown'} latent channels", mark=mark)
    return None


def _recognise_unet(shapes: Shapes, channels: int) -> Recognised:
    is_control = any("zero_convs." in name or "controlnet_" in name for name in shapes)
    family = _family_of_unet(shapes)
    if family is None or channels not in family.channels:
        what = "ControlNet" if is_control else "UNet"
        return Recognised(f"a {what} of an unknown family: {_deciding(shapes)}")
    title = family.channels[channels]
    label = _first(shapes, _LABELS)
    if family is SD2 and label is not None:
        title = _UNCLIP.get(label[-1], "an unCLIP checkpoint of SD 2.1")
    if any(name.endswith(_TAUGHT) for name in shapes):
        title = f"a latent consistency (LCM) checkpoint of {family.title}"
    if family is SD1 and channels == SD1.latent_channels and _reads_pictures(shapes):
        title = VARIATIONS
    if is_control:
        title = f"a ControlNet for {family.title}"
    return Recognised(title, family)


def _reads_pictures(shapes: Shapes) -> bool:
    """Whether an encoder of pictures stands where others have that of texts."""
    return any(name.startswith("cond_stage_model.model.visual.") for name in shapes)


def _deciding(shapes: Shapes) -> str:
    """The tensors that tell a UNet's family, with their shapes."""
    endings = (
        "input_blocks.0.0.weight",
        "conv_in.weight",
        *_LABELS,
        *_LEVELS,
        ".attn2.to_k.weight",
    )
    found = {ending: name for name in shapes for ending in endings if name.endswith(ending)}
    told = [f"{name} is {list(shapes[name])}" for name in dict.fromkeys(found.values())]
    reads = any(name.endswith(".attn2.to_k.weight") for name in shapes)
    return ", ".join(told) + ("" if reads else ", and no attn2.to_k.weight reads a text")


def _family_of_unet(shapes: Shapes) -> Family | None:
    """By what is built where, not by how wide it is."""
    projections = _matching(shapes, ".proj_in.weight")
    if not projections:
        return None
    if _first(shapes, _LEVELS) is not None:
        return UPSCALER
    if _first(shapes, _LABELS) is None:
        return SD2 if any(len(shape) == 2 for shape in projections) else SD1
    crossed = _numbers(shapes, _ATTENTION)
    first, last = min(crossed, default=0), max(crossed, default=0)
    # The original counts blocks, of which number 0 is the first convolution; diffusers counts levels.
    is_original = _first(shapes, ("input_blocks.0.0.weight",)) is not None
    if crossed and first == (1 if is_original else 0):
        return SD2
    if not crossed:  # a small ControlNet
        return SDXL
    return SDXL if last == max(_numbers(shapes, _BLOCK), default=0) else REFINER


def _numbers(names: Collection[str], pattern: re.Pattern[str]) -> set[int]:
    """The numbers of the blocks on the way down that have what the pattern asks for."""
    found = (
        pattern.match(name.removeprefix(prefix))
        for name in names
        for prefix in _PREFIXES[:2]
        if "_blocks." in name
    )
    return {int(match[2]) for match in found if match is not None}


def _first(shapes: Shapes, names: Iterable[str]) -> tuple[int, ...] | None:
    for name in names:
        for prefix in _PREFIXES:
            found = shapes.get(prefix + name)
            if found is not None:
                return found
    return None


def _matching(shapes: Shapes, ending: str) -> list[tuple[int, ...]]:
    """The shapes of a UNet's tensors with that ending; those of an EMA copy are not among them."""
    return [
        shape
        for name, shape in shapes.items()
        if name.endswith(ending) and not name.startswith("model_ema.")
    ]
