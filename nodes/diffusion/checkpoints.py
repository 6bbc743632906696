"""Files of weights taken apart: family, parts, sizes and where each tensor lies, from headers alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from nodes.widgets import PredictionType

from . import colours, predictions, taesd
from .components import inspect_component, is_component, open_component, part_of
from .families import (
    FAMILIES,
    SD1,
    SDXL_SCALING_FACTOR,
    Family,
    Recognised,
    accepted,
    recognise,
    vae_title,
)
from .headers import read_header
from .layout import MORE_PREFIXES, ONLY_PREFIX, PREFIXES, PartName
from .parts import Part, Parts, Source, Unpickled, make_part, numbers, stored
from .pipelines import inspect_folder, is_folder as is_pipeline, open_folder, parts_in

T = TypeVar("T")
PICKLE_ENDINGS = (".ckpt", ".pt", ".pth", ".bin")
_BARE: tuple[tuple[str, PartName], ...] = (
    ("zero_convs.0.0.weight", "controlnet"),
    ("controlnet_down_blocks.0.weight", "controlnet"),
    ("input_blocks.0.0.weight", "unet"),
    ("time_embedding.linear_1.weight", "unet"),
    ("decoder.conv_in.weight", "vae"),
    *((mark, "vae") for mark in taesd.MARKS),
    ("embeddings.token_embedding.weight", "text_encoder"),
    ("text_model.embeddings.token_embedding.weight", "text_encoder"),
    ("vision_model.embeddings.patch_embedding.weight", "image_encoder"),
    ("embeddings.patch_embedding.weight", "image_encoder"),
)
"""What tells a file that holds one part without a prefix."""
_TEXTS = "cond_stage_model.model."
_SDXL = "stable-diffusion-xl"
_UPSCALER_LEVELS = 3
"""Of the upscaler's VAE; the others have one more."""


def is_folder(path: Path) -> bool:
    """Whether the path is a folder of diffusers or transformers: a whole pipeline, or one part."""
    return is_pipeline(path) or is_component(path)


def inspect(path: Path) -> Recognised:
    """What a safetensors file or diffusers folder is, by its header alone; refuses nothing whole.

    Raises:
        InputError: It is damaged.
        OSError: It cannot be read.
    """
    if is_component(path):
        return inspect_component(path)
    if is_pipeline(path):
        return inspect_folder(path)
    return recognise({name: entry.shape for name, entry in read_header(path).entries.items()})


def kinds(path: Path) -> frozenset[PartName]:
    """Which parts a safetensors file or diffusers folder holds, by its header alone."""
    if is_component(path):
        part = part_of(path)
        return frozenset() if part is None else frozenset({part})
    if is_pipeline(path):
        return frozenset(parts_in(path))
    return frozenset(_split(read_header(path).entries))


def open_weights(path: Path) -> Parts:
    """Take a file or diffusers folder apart. Only headers are read, except of a pickle.

    Raises:
        InputError: It is damaged, unsafe, incomplete, or of a family that this version does not run.
        OSError: It cannot be read.
    """
    if is_component(path):
        return open_component(path)
    if is_pipeline(path):
        return open_folder(path)
    sources, metadata = _read(path)
    found = recognise({name: source.shape for name, source in sources.items()})
    family, title = accepted(found, path.name), found.title
    files: tuple[Path, ...] = (path,)
    if taesd.is_taesd(sources):
        sources, files = _with_other_half(path, sources)
    parts = {
        name: make_part(path, name, held, family) for name, held in _split(sources, family).items()
    }
    scale = family.scaling_factor
    if "unet" not in parts and "vae" in parts:
        title, scale = _vae_alone(parts["vae"], path, metadata)
    return Parts(
        path,
        title,
        family,
        parts,
        predictions.of_file(sources, metadata),
        _guessed(parts.get("unet"), family),
        predictions.ends_in_noise(sources),
        scale,
        files,
        colours=colours.of_file(metadata),
    )


def _read(path: Path) -> tuple[Mapping[str, Source], Mapping[str, str]]:
    """The tensors of a file, and its metadata."""
    if path.suffix.lower() in PICKLE_ENDINGS:
        from .pickles import read_pickle

        found = read_pickle(path)
        return {name: Unpickled(found[name], tuple(found[name].shape)) for name in found}, {}
    header = read_header(path)
    return stored(header), header.metadata


def _with_other_half(
    path: Path, sources: Mapping[str, Source]
) -> tuple[Mapping[str, Source], tuple[Path, ...]]:
    """A TAESD's tensors with those of its other half, if a file beside it holds that."""
    sources, other = taesd.named(sources), taesd.other_half(path)
    if other is None:
        return sources, (path,)
    more = _read(other)[0]
    accepted(recognise({name: source.shape for name, source in more.items()}), other.name)
    return {**taesd.named(more), **sources}, tuple(sorted((path, other)))


def _vae_alone(vae: Part, path: Path, metadata: Mapping[str, str]) -> tuple[str, float]:
    """What a VAE without a model is: those of SD and of SDXL look alike, so its maker's words count."""
    if vae.config.get("_class_name") == taesd.CLASS:
        is_xl = taesd.is_sdxl(path)
        return taesd.title(path), SDXL_SCALING_FACTOR if is_xl else SD1.scaling_factor
    if len(vae.config["block_out_channels"]) == _UPSCALER_LEVELS:
        scale = FAMILIES["upscaler"].scaling_factor
        return vae_title(scale), scale
    said = metadata.get("modelspec.architecture", "")
    is_xl = said.startswith(_SDXL) or (not said and "xl" in path.stem.lower())
    scale = SDXL_SCALING_FACTOR if is_xl else SD1.scaling_factor
    return vae_title(scale), scale


def _guessed(unet: Part | None, family: Family) -> PredictionType | None:
    """What the model probably predicts, where shapes cannot tell: SD 2.x came in two kinds."""
    if unet is None or family.name != "sd2" or unet.config["in_channels"] != family.latent_channels:
        return None
    if "class_embed_type" in unet.config:
        return "v_prediction"
    bias = predictions.telling_bias(unet.tensors)
    if bias is None:
        return None
    return predictions.by_bias(numbers(unet.tensors[bias]))


def _split(names: Mapping[str, T], family: Family | None = None) -> dict[PartName, dict[str, T]]:
    """The tensors of each part, by their names in it. Schedules, EMA copies and the like fall away."""
    prefixes = [(prefix, part) for part, prefix in PREFIXES.items()]
    has_both = any(name.startswith(PREFIXES["text_encoder_2"]) for name in names)
    if not has_both:
        is_sd2 = family is not None and family.name == "sd2"
        prefixes += [(ONLY_PREFIX, "text_encoder" if is_sd2 else "text_encoder_2")]
    found: dict[PartName, dict[str, T]] = {}
    for prefix, part in (*prefixes, *MORE_PREFIXES):
        if prefix == _TEXTS and any(name.startswith(f"{_TEXTS}visual.") for name in names):
            continue  # image variations keep rests of a text encoder there, which they do not read
        held = {
            name.removeprefix(prefix): item
            for name, item in names.items()
            if name.startswith(prefix)
        }
        if held and part not in found:
            found[part] = held
    if not found:
        only = next((part for mark, part in _BARE if mark in names), None)
        if only is not None:
            skipped = ("loss.", "model_ema.")
            found[only] = {
                name: item for name, item in names.items() if not name.startswith(skipped)
            }
    return found
