"""Folders of a single part, as diffusers and transformers save it: weights beside a config.json."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.errors import InputError

from . import taesd
from .families import SD1, SDXL, Recognised, accepted, recognise, vae_title
from .layout import PLAIN, PartName
from .parts import Parts, make_part
from .pipelines import STEMS, read_json, sources_in

CONFIG = "config.json"
_CLASSES: Mapping[str, PartName] = {
    "AutoencoderKL": "vae",
    taesd.CLASS: "vae",
    "UNet2DConditionModel": "unet",
    "ControlNetModel": "controlnet",
    "CLIPTextModel": "text_encoder",
    "CLIPTextModelWithProjection": "text_encoder_2",
    "CLIPVisionModelWithProjection": "image_encoder",
    "DPTForDepthEstimation": "depth_estimator",
    "PriorTransformer": "prior",
}
_TITLES: Mapping[PartName, str] = {
    "depth_estimator": "a depth estimator (DPT)",
    "prior": "an unCLIP prior",
}


def is_component(path: Path) -> bool:
    """Whether the path is such a folder."""
    return (path / CONFIG).is_file() and any(
        (path / f"{stem}{ending}").is_file()
        for stem in STEMS
        for ending in (".safetensors", ".fp16.safetensors", ".safetensors.index.json")
    )


def part_of(path: Path) -> PartName | None:
    """Which part a folder holds, by the class that its config.json names."""
    config = read_json(path / CONFIG)
    named = config.get("architectures")
    kinds = named if isinstance(named, list) else [config.get("_class_name")]
    return next(
        (_CLASSES[kind] for kind in kinds if isinstance(kind, str) and kind in _CLASSES), None
    )


def inspect_component(path: Path) -> Recognised:
    """What such a folder is.

    Raises:
        InputError: It is damaged.
    """
    name = part_of(path)
    if name is not None and name in _TITLES:
        return Recognised(_TITLES[name], SD1)
    return recognise({key: source.shape for key, source in sources_in(path, STEMS).items()})


def open_component(path: Path) -> Parts:
    """Take such a folder apart. Only headers and JSON are read.

    Raises:
        InputError: It is damaged, or of a class or family that this version does not run.
        OSError: It cannot be read.
    """
    config, name = read_json(path / CONFIG), part_of(path)
    if name is None:
        said = config.get("architectures") or config.get("_class_name")
        raise InputError(
            f"{path.name} is a folder of {said!r} by its {CONFIG}; this version runs"
            f" {', '.join(_CLASSES)}: choose a folder of one of them",
            code="unsupported_family",
        )
    sources = sources_in(path, STEMS)
    found = inspect_component(path)
    family = accepted(found, path.name)
    title, scale = found.title, family.scaling_factor
    if taesd.is_taesd(sources):
        title, scale = taesd.title(path), SDXL.scaling_factor if taesd.is_sdxl(path) else scale
    elif name == "vae":
        scale = _scale(path, config, scale)
        title = vae_title(scale)
    # A ControlNet's config.json has settings of old versions; what shapes tell is always right.
    settings: dict[str, Any] | None = config if name in PLAIN or name == "vae" else None
    part = make_part(path, name, sources, family, settings)
    files = {source.path for source in sources.values()} | {path / CONFIG}
    return Parts(
        path,
        title,
        family,
        {name: part},
        scaling_factor=scale,
        files=tuple(sorted(files)),
    )


def _scale(path: Path, config: Mapping[str, Any], usual: float) -> float:
    said = config.get("scaling_factor", usual)
    if not isinstance(said, int | float):
        raise InputError(
            f"{path / CONFIG} has the scaling_factor {said!r}, no number: download it again",
            code="damaged_file",
        )
    return float(said)
