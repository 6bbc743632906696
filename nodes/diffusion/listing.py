"""What a file of a model is called where all are listed: its title and family, by its header alone."""

from collections.abc import Collection, Mapping
from pathlib import Path

from nodes.widgets import FamilyName

from . import embeddings, enlarging, lora
from .additions import open_addition
from .checkpoints import open_weights
from .families import FAMILIES, SDXL
from .layout import PartName

_READ_WIDTHS: Mapping[int, FamilyName] = {768: "sd1", 1024: "sd2", 2048: "sdxl", 1280: "refiner"}
"""How wide the text is that the UNets of each family read."""
_ATTENTION = "attn2_to_k"
_WORDS: tuple[tuple[str, FamilyName], ...] = (
    ("stable-diffusion-xl", "sdxl"),
    ("stable-diffusion-v1", "sd1"),
    ("stable-diffusion-v2", "sd2"),
    ("sdxl", "sdxl"),
    ("sd_v1", "sd1"),
    ("sd_v2", "sd2"),
)
_METADATA = ("modelspec.architecture", "ss_base_model_version")
_OWN: Collection[PartName] = ("unet", "controlnet")
"""Parts that belong to one family; encoders that stand alone serve several."""


def listed(kind: str, path: Path) -> tuple[str, str]:
    """The title and the family's name; an empty one for what goes with several families, or with none.

    Raises:
        InputError: It is damaged, or not of the kind.
        OSError: It cannot be read.
    """
    if kind == "loras":
        return "a LoRA", of_lora(lora.open_lora(path))
    if kind == "embeddings":
        return "a textual inversion embedding", embeddings.family(embeddings.open_embedding(path))
    if kind == "upscale_models":
        return f"an upscaler (ESRGAN), x{enlarging.sizes(open_addition(path)).scale:g}", ""
    parts = open_weights(path)
    if not parts.parts.keys().isdisjoint(_OWN):
        return parts.title, parts.family.name
    if "vae" not in parts.parts:
        return parts.title, ""
    scale = parts.scaling_factor
    near = (each.name for each in FAMILIES.values() if each.scaling_factor == scale)
    return parts.title, next(near, "")


def of_lora(opened: lora.Lora) -> str:
    """The family that a LoRA is made for, as far as its shapes or its maker's words tell."""
    unet = opened.pairs.get("unet", {})
    for name, pair in unet.items():
        if name.endswith(_ATTENTION):
            return _READ_WIDTHS.get(opened.file.shape(pair.down)[1], "")
    if "text_encoder_2" in opened.pairs:
        return SDXL.name
    said = " ".join(opened.file.metadata.get(key, "") for key in _METADATA).lower()
    return next((family for word, family in _WORDS if word in said), "")
