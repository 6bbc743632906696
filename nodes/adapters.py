"""Nodes for what is added to a checkpoint's models: LoRAs and textual-inversion embeddings."""

from dataclasses import replace
from typing import Annotated, NamedTuple

from pydantic import Field

from engine.node import node

from .diffusion.families import recipes
from .diffusion.lora import Lora, open_lora
from .folders import Folders, standard
from .values import Model, Patch, TextEncoder, Weights
from .widgets import LoraName

LoraStrength = Annotated[float, Field(ge=-100, le=100, json_schema_extra={"step": 0.05})]


class Adapted(NamedTuple):
    """A model and its text encoder, with a LoRA in them."""

    model: Model
    text_encoder: TextEncoder


def lora_digest(lora: str, folders: Folders) -> str:
    """What the LoRA's bytes are, after a look at whether it can be used."""
    open_lora(folders.find("loras", lora))
    return folders.digest("loras", lora)


@node("LoadLora", category="loaders", fingerprint=lora_digest, early=True)
def load_lora(
    model: Model,
    text_encoder: TextEncoder,
    *,
    lora: LoraName,
    strength: LoraStrength = 1.0,
    text_strength: LoraStrength = 1.0,
    folders: Folders = standard,
) -> Adapted:
    """Put a LoRA into a model and its text encoder. Several in a row add up.

    Args:
        lora: A .safetensors file of the model's family, as kohya's programs, PEFT or diffusers write it.
        strength: How much it counts in the model; 0 is off, below 0 it acts the other way.
        text_strength: How much it counts in the text encoder, if it has a part for it.
    """
    weights, opened = _opened(lora, folders)
    towers = (recipe.part for recipe in recipes(text_encoder))
    opened.check_parts(("unet", *towers), text_encoder.weights.name)
    return Adapted(
        _in_model(model, opened, Patch(weights, strength), folders),
        _in_text_encoder(text_encoder, opened, Patch(weights, text_strength), folders),
    )


@node("LoadModelLora", category="loaders", fingerprint=lora_digest, early=True)
def load_model_lora(
    model: Model,
    *,
    lora: LoraName,
    strength: LoraStrength = 1.0,
    folders: Folders = standard,
) -> Model:
    """Put a LoRA into a model, and leave its text encoder as it is. Several in a row add up.

    Args:
        lora: A .safetensors file of the model's family, as kohya's programs, PEFT or diffusers write it.
        strength: How much it counts; 0 is off, below 0 it acts the other way.
    """
    weights, opened = _opened(lora, folders)
    opened.check_part("unet")
    return _in_model(model, opened, Patch(weights, strength), folders)


def _opened(lora: str, folders: Folders) -> tuple[Weights, Lora]:
    weights = Weights("loras", lora, folders.digest("loras", lora))
    return weights, open_lora(folders.find("loras", lora))


def _in_model(model: Model, lora: Lora, patch: Patch, folders: Folders) -> Model:
    part = folders.open(model.weights.kind, model.weights.name).part("unet")
    shapes = {name: source.shape for name, source in part.tensors.items()}
    found = lora.matched("unet", shapes, model.weights.name)
    return replace(model, patches=(*model.patches, patch)) if found else model


def _in_text_encoder(
    text_encoder: TextEncoder, lora: Lora, patch: Patch, folders: Folders
) -> TextEncoder:
    weights = text_encoder.weights
    parts = folders.open(weights.kind, weights.name)
    found = False
    for recipe in recipes(text_encoder):
        tensors = parts.part(recipe.part).tensors
        shapes = {name: source.shape for name, source in tensors.items()}
        found |= bool(lora.matched(recipe.part, shapes, weights.name))
    return replace(text_encoder, patches=(*text_encoder.patches, patch)) if found else text_encoder
