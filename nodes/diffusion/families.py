"""What each model family is: its constants, and how a file of it is recognised by its shapes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nodes.values import FamilyName, PredictionType

Shapes = Mapping[str, tuple[int, ...]]


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
    heads: int
    """Attention heads of the UNet, at every level."""
    norm_groups: int
    text_activation: str
    text_head_width: int


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
    text_activation="quick_gelu",
    text_head_width=64,
)
SDXL_SCALING_FACTOR = 0.13025
FAMILIES: Mapping[FamilyName, Family] = {"sd1": SD1}


@dataclass(frozen=True)
class Recognised:
    """What a file is. `family` is none for what this version cannot run."""

    title: str
    family: Family | None = None


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
_BY_LABEL_WIDTH = {
    1536: "an unCLIP-L checkpoint of SD 2.1",
    2048: "an unCLIP-H checkpoint of SD 2.1",
    2560: "an SDXL refiner checkpoint",
    2816: "an SDXL base checkpoint",
}
_BY_CHANNELS = {
    4: "an SD 2.x checkpoint",
    5: "an SD 2.x depth checkpoint",
    7: "an SD 2.x upscaler checkpoint",
    9: "an SD 2.x inpainting checkpoint",
}
_SD1_BY_CHANNELS = {
    8: "an InstructPix2Pix checkpoint of SD 1.x",
    9: "an SD 1.x inpainting checkpoint",
}
_PREFIXES = ("model.diffusion_model.", "control_model.", "")


def recognise(shapes: Shapes) -> Recognised:
    """What the tensors of a file are together, in the original layout or in that of diffusers.

    Nothing depends on the widths of an SD 1.x model, so that narrow ones are recognised too.
    """
    conv_in = _first(shapes, ("input_blocks.0.0.weight", "conv_in.weight"))
    if conv_in is not None and len(conv_in) == 4:
        return _recognise_unet(shapes, conv_in[1])
    latents = shapes.get("first_stage_model.decoder.conv_in.weight") or shapes.get(
        "decoder.conv_in.weight"
    )
    if latents is not None and len(latents) == 4:
        if latents[1] == SD1.latent_channels:
            return Recognised("a VAE of SD 1.x or 2.x", SD1)
        return Recognised(f"a VAE with {latents[1]} latent channels")
    if any(name.endswith("embeddings.token_embedding.weight") for name in shapes):
        return Recognised("a CLIP text encoder", SD1)
    for mark, title in _FOREIGN:
        if any(mark in name for name in shapes):
            return Recognised(title)
    return Recognised("of an unknown kind")


def _recognise_unet(shapes: Shapes, channels: int) -> Recognised:
    is_control = any("zero_convs." in name or "controlnet_" in name for name in shapes)
    label = _first(
        shapes,
        (
            "label_emb.0.0.weight",
            "label_emb.weight",
            "add_embedding.linear_1.weight",
            "class_embedding.linear_1.weight",
            "class_embedding.weight",
        ),
    )
    projections = _matching(shapes, ".proj_in.weight")
    is_linear = any(len(shape) == 2 for shape in projections)
    if label is not None:
        found = _BY_LABEL_WIDTH.get(label[-1])
        if found == "an SDXL base checkpoint" and channels == 9:
            found = "an SDXL inpainting checkpoint"
        if channels == 7:
            found = "an SD 2.x upscaler checkpoint"
        found = found or "a checkpoint with class labels, of an unknown family"
    elif is_linear:
        found = _BY_CHANNELS.get(channels, f"an SD 2.x checkpoint with {channels} input channels")
    elif channels == SD1.latent_channels and projections:
        title = "a ControlNet for SD 1.x" if is_control else "an SD 1.x checkpoint"
        return Recognised(title, SD1)
    elif channels in _SD1_BY_CHANNELS and projections and not is_control:
        return Recognised(_SD1_BY_CHANNELS[channels], SD1)
    else:
        found = f"a UNet with {channels} input channels, of an unknown family"
    if is_control:
        found = found.replace("a checkpoint", "a ControlNet").replace("checkpoint", "ControlNet")
    return Recognised(found)


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
