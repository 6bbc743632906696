"""Diffusers folders: one part in each of their folders, under diffusers' names, sizes in JSON."""

import itertools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from engine.errors import InputError

from . import taesd
from .families import SD1, SD2, VARIATIONS, Recognised, Shapes, accepted, recognise
from .headers import read_header
from .layout import PartName
from .parts import Parts, Stored, make_part, stored
from .predictions import Prediction

INDEX = "model_index.json"
"""The file that makes a folder a diffusers folder."""
NORMALIZER = "image_normalizer/diffusion_pytorch_model.safetensors"
"""The file with the statistics of the embeddings that an unCLIP model reads."""
FOLDERS: Mapping[PartName, tuple[str, ...]] = {
    "unet": ("diffusion_pytorch_model", "model"),
    "vae": ("diffusion_pytorch_model", "model"),
    "text_encoder": ("model", "diffusion_pytorch_model"),
    "text_encoder_2": ("model", "diffusion_pytorch_model"),
    "image_encoder": ("model", "diffusion_pytorch_model"),
    "depth_estimator": ("model", "diffusion_pytorch_model"),
}
"""The names of the files of weights in the folder of each part."""
STEMS = ("diffusion_pytorch_model", "model")
"""What a file of weights is called."""
_LAYERS_OF_SD2 = 24
_KARLO: Mapping[PartName, str] = {
    "prior": "prior",
    "text_encoder_2": "text_encoder",
    "text_proj": "text_proj",
    "decoder": "decoder",
    "super_res_first": "super_res_first",
    "super_res_last": "super_res_last",
}
"""The folders of Karlo's parts; its text encoder has a projection."""


def is_folder(path: Path) -> bool:
    """Whether the path is a diffusers folder."""
    return (path / INDEX).is_file()


def is_karlo(path: Path) -> bool:
    """Whether a diffusers folder is Karlo's: a prior, and no model of this program's families."""
    return (path / "prior").is_dir() and not (path / "unet").is_dir()


def parts_in(path: Path) -> list[PartName]:
    """The parts that a folder holds."""
    if is_karlo(path):
        return [name for name, folder in _KARLO.items() if (path / folder).is_dir()]
    return [name for name in FOLDERS if (path / name).is_dir()]


def open_folder(path: Path) -> Parts:
    """Take a diffusers folder apart. Only headers and JSON are read.

    Raises:
        InputError: It is damaged, incomplete, or of a family that this version does not run.
        OSError: It cannot be read.
    """
    if is_karlo(path):
        return _open_karlo(path)
    if not (path / "unet").is_dir():
        accepted(inspect_folder(path), path.name)
    held = {name: folder_sources(path, name) for name in parts_in(path)}
    shapes: Shapes = {name: source.shape for name, source in held.get("unet", {}).items()}
    found = recognise(shapes)
    family = accepted(found, path.name)
    configs = {name: read_json(path / name / "config.json") for name in held}
    parts = {
        name: make_part(path, name, sources, family, configs[name])
        for name, sources in held.items()
    }
    scheduler = path / "scheduler" / "scheduler_config.json"
    settings = read_json(scheduler) if scheduler.is_file() else {}
    said = settings.get("prediction_type")
    if said not in {None, "epsilon", "v_prediction", "sample"}:
        raise InputError(
            f"{scheduler} has the unknown prediction_type {said!r}", code="damaged_file"
        )
    predictions = (Prediction(said, "its scheduler_config.json"),) if said else ()
    zero_snr = settings.get("rescale_betas_zero_snr") is True
    scale = configs.get("vae", {}).get("scaling_factor", family.scaling_factor)
    if taesd.is_taesd(held.get("vae", {})):  # whose own factor is 1: it knows scaled latents only
        scale = family.scaling_factor
    if not isinstance(scale, int | float):
        raise InputError(
            f"{path / 'vae' / 'config.json'} has the scaling_factor {scale!r}, no number",
            code="damaged_file",
        )
    files = {source.path for sources in held.values() for source in sources.values()}
    files |= {path / name / "config.json" for name in held} | {path / INDEX}
    files |= {file for file in (scheduler, path / NORMALIZER) if file.is_file()}
    # diffusers leaves out the last layer of this encoder, which the models do not read.
    layers = configs.get("text_encoder", {}).get("num_hidden_layers", 0)
    is_cut = family.towers == SD2.towers and layers < _LAYERS_OF_SD2
    shows = family is SD1 and "image_encoder" in held and "text_encoder" not in held
    return Parts(
        path,
        VARIATIONS if shows else found.title,
        family,
        parts,
        predictions,
        zero_snr=zero_snr,
        scaling_factor=float(scale),
        files=tuple(sorted(files)),
        cut=int(is_cut),
    )


def inspect_folder(path: Path) -> Recognised:
    """What a diffusers folder is, by the header of its UNet, or else by the class that its index names.

    Raises:
        InputError: It is damaged.
    """
    if is_karlo(path):
        return Recognised(KARLO_TITLE, SD1)
    if (path / "unet").is_dir():
        return recognise({n: s.shape for n, s in folder_sources(path, "unet").items()})
    kind = read_json(path / INDEX).get("_class_name")
    mark = ""
    if (path / "transformer").is_dir():
        mark = f"transformer/{min(sources_in(path / 'transformer', STEMS), default='')}"
    return Recognised(f"a folder of a {kind} without a unet", mark=mark)


def folder_sources(path: Path, part: PartName) -> dict[str, Stored]:
    """The tensors in one part's folder, in one file or in the several that an index names."""
    return sources_in(path / part, FOLDERS[part])


def sources_in(folder: Path, stems: Iterable[str]) -> dict[str, Stored]:
    """The tensors of the file of weights in a folder, which has one of the names.

    Raises:
        InputError: There is none, or it is damaged.
    """
    for stem, variant in itertools.product(stems, ("", ".fp16")):
        index = folder / f"{stem}.safetensors.index{variant}.json"
        if index.is_file():
            return _sharded(index)
        file = folder / f"{stem}{variant}.safetensors"
        if file.is_file():
            return stored(read_header(file))
    raise InputError(
        f"{folder.parent.name}/{folder.name} holds no .safetensors file: open the folder with diffusers"
        " (from_pretrained) and write it anew by save_pretrained, which makes such files",
        code="missing_file",
    )


def _open_karlo(path: Path) -> Parts:
    held = {name: path / _KARLO[name] for name in parts_in(path)}
    sources = {name: sources_in(folder, STEMS) for name, folder in held.items()}
    parts = {
        name: make_part(path, name, sources[name], SD1, read_json(folder / "config.json"))
        for name, folder in held.items()
    }
    files = {source.path for found in sources.values() for source in found.values()}
    files |= {folder / "config.json" for folder in held.values()} | {path / INDEX}
    return Parts(path, KARLO_TITLE, SD1, parts, files=tuple(sorted(files)))


KARLO_TITLE = "Karlo: a prior, a decoder and super-resolution"


def _sharded(index: Path) -> dict[str, Stored]:
    table = read_json(index).get("weight_map")
    if not isinstance(table, dict) or not all(isinstance(name, str) for name in table.values()):
        raise InputError(
            f"{index} has no weight_map of file names; download it again", code="damaged_file"
        )
    found: dict[str, Stored] = {}
    for shard in sorted(set(table.values())):
        if Path(shard).name != shard:
            raise InputError(
                f"{index} names {shard!r}, which is outside its folder", code="outside_roots"
            )
        tensors = stored(read_header(index.parent / shard))
        found |= {name: source for name, source in tensors.items() if table.get(name) == shard}
    missing = sorted(set(table) - set(found))
    if missing:
        raise InputError(
            f"{index} names {missing[0]!r}, which its files lack; download them again",
            code="damaged_file",
        )
    return found


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object in a file.

    Raises:
        InputError: It is none.
    """
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path} is not JSON ({error}); download it again", code="damaged_file"
        ) from error
    if not isinstance(tree, dict):
        raise InputError(f"{path} is not a JSON object; download it again", code="damaged_file")
    return tree
