"""Recipes of models, and which part of its weights each one names."""

from nodes.values import (
    VAE,
    ControlNet,
    DepthEstimator,
    ImageEncoder,
    Karlo,
    Model,
    TextEncoder,
    Upscaler,
)

from .layout import PartName

Recipe = Model | TextEncoder | VAE | ControlNet | ImageEncoder | DepthEstimator | Karlo | Upscaler
_PARTS: dict[type, PartName] = {
    Model: "unet",
    VAE: "vae",
    ControlNet: "controlnet",
    ImageEncoder: "image_encoder",
    DepthEstimator: "depth_estimator",
    Upscaler: "upscaler",
}


def part_of(recipe: Recipe) -> PartName:
    """Which part of its weights a recipe names."""
    return recipe.part if isinstance(recipe, TextEncoder | Karlo) else _PARTS[type(recipe)]
