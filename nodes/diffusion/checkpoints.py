"""Files of weights taken apart: family, parts, sizes and where each tensor lies, from headers alone."""

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from engine.errors import InputError
from nodes.values import PredictionType

from .families import SD1, SDXL_SCALING_FACTOR, Family, Recognised, Shapes, recognise
from .headers import ITEM_SIZES, Header, read_header
from .layout import PREFIXES, PartName, diffusers_names, diffusers_shape
from .predictions import Prediction, of_file
from .sizes import Config, configuration

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")
PICKLE_ENDINGS = (".ckpt", ".pt", ".pth", ".bin")
INDEX = "model_index.json"
"""The file that makes a folder a diffusers folder."""
_FOLDERS: Mapping[PartName, tuple[str, ...]] = {
    "unet": ("diffusion_pytorch_model", "model"),
    "vae": ("diffusion_pytorch_model", "model"),
    "text_encoder": ("model", "diffusion_pytorch_model"),
}
_BARE: tuple[tuple[str, PartName], ...] = (
    ("zero_convs.0.0.weight", "controlnet"),
    ("controlnet_down_blocks.0.weight", "controlnet"),
    ("input_blocks.0.0.weight", "unet"),
    ("time_embedding.linear_1.weight", "unet"),
    ("decoder.conv_in.weight", "vae"),
    ("embeddings.token_embedding.weight", "text_encoder"),
    ("text_model.embeddings.token_embedding.weight", "text_encoder"),
)
"""What tells a file that holds one part without a prefix."""
_SDXL = "stable-diffusion-xl"


class Source(Protocol):
    """One tensor that has not been read yet. `shape` is that of the module's own tensor."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def count(self) -> int:
        """How many numbers it has."""
        ...


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor in a safetensors file: `size` bytes from `start`."""

    path: Path
    dtype: str
    shape: tuple[int, ...]
    start: int
    size: int

    @property
    def count(self) -> int:
        return self.size // ITEM_SIZES[self.dtype]


@dataclass(frozen=True, slots=True)
class Unpickled:
    """A tensor that was read out of a pickle (as a memory map of it, if the pickle is a zip)."""

    tensor: "Tensor"
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        return self.tensor.numel()


@dataclass(frozen=True)
class Part:
    """One model within the weights: its tensors by diffusers' names, and its configuration."""

    name: PartName
    tensors: Mapping[str, Source]
    config: Config
    family: Family = SD1

    @cached_property
    def sizes(self) -> Config | None:
        """The configuration by the tensors' shapes, whatever a config.json says; None if they tell none."""
        shapes = {name: source.shape for name, source in self.tensors.items()}
        try:
            return configuration(self.name, shapes, self.family)
        except InputError:
            return None

    @property
    def count(self) -> int:
        """How many numbers all its tensors have."""
        return sum(self.counts.values())

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How many numbers its tensors have by the dtype they are stored in: safetensors' name or torch's."""
        found: dict[str, int] = {}
        for source in self.tensors.values():
            kind = ""
            if isinstance(source, Stored):
                kind = source.dtype
            elif isinstance(source, Unpickled):
                kind = str(source.tensor.dtype)
            found[kind] = found.get(kind, 0) + source.count
        return found


@dataclass(frozen=True)
class Parts:
    """What a file or diffusers folder holds: the same for both."""

    path: Path
    title: str
    family: Family
    parts: Mapping[PartName, Part]
    predictions: tuple[Prediction, ...] = ()
    scaling_factor: float = SD1.scaling_factor
    files: tuple[Path, ...] = field(default=())
    """Every file that was read or will be: what a digest must cover."""

    @property
    def prediction_type(self) -> PredictionType:
        """What the UNet's output means: as the file says, or else as is usual in the family."""
        return self.predictions[0].type if self.predictions else self.family.prediction_type

    def without_tensors(self) -> "Parts":
        """The same, with only the shapes and types of what was read out of a pickle."""
        return replace(self, parts={name: _emptied(part) for name, part in self.parts.items()})

    def part(self, name: PartName) -> Part:
        """One of the parts.

        Raises:
            InputError: The weights do not have it (code "missing_part").
        """
        found = self.parts.get(name)
        if found is None:
            there = ", ".join(self.parts) or "nothing"
            raise InputError(
                f"{self.path.name} holds no {_WORDS[name]}, only {there}: {_REMEDIES[name]}",
                code="missing_part",
            )
        return found


_WORDS: Mapping[PartName, str] = {
    "unet": "UNet",
    "vae": "VAE",
    "text_encoder": "text encoder",
    "controlnet": "ControlNet",
}
_REMEDIES: Mapping[PartName, str] = {
    "unet": "choose a checkpoint",
    "vae": "load one with LoadVAE",
    "text_encoder": "take the text encoder of another checkpoint",
    "controlnet": "choose a ControlNet",
}


def is_folder(path: Path) -> bool:
    """Whether the path is a diffusers folder."""
    return (path / INDEX).is_file()


def inspect(path: Path) -> Recognised:
    """What a safetensors file or diffusers folder is, by its header alone; refuses nothing whole.

    Raises:
        InputError: It is damaged.
        OSError: It cannot be read.
    """
    if is_folder(path):
        found = _folder_sources(path, "unet")
        return recognise({name: source.shape for name, source in found.items()})
    return recognise({name: entry.shape for name, entry in read_header(path).entries.items()})


def kinds(path: Path) -> frozenset[PartName]:
    """Which parts a safetensors file or diffusers folder holds, by its header alone."""
    if is_folder(path):
        return frozenset(name for name in _FOLDERS if (path / name).is_dir())
    return frozenset(_split(read_header(path).entries))


def open_weights(path: Path) -> Parts:
    """Take a file or diffusers folder apart. Only headers are read, except of a pickle.

    Raises:
        InputError: It is damaged, unsafe, incomplete, or of a family that this version does not run.
        OSError: It cannot be read.
    """
    if is_folder(path):
        return _open_folder(path)
    sources: Mapping[str, Source]
    metadata: Mapping[str, str] = {}
    if path.suffix.lower() in PICKLE_ENDINGS:
        from .pickles import read_pickle

        sources = {
            name: Unpickled(tensor, tuple(tensor.shape))
            for name, tensor in read_pickle(path).items()
        }
    else:
        header = read_header(path)
        sources, metadata = _stored(header), header.metadata
    shapes = {name: source.shape for name, source in sources.items()}
    title, family = _accept(path, recognise(shapes))
    parts: dict[PartName, Part] = {}
    for name, held in _split(sources).items():
        parts[name] = _part(path, name, held, family)
    scale = family.scaling_factor
    if "unet" not in parts and metadata.get("modelspec.architecture", "").startswith(_SDXL):
        title, scale = "a VAE of SDXL", SDXL_SCALING_FACTOR
    return Parts(path, title, family, parts, of_file(sources, metadata), scale, (path,))


def _emptied(part: Part) -> Part:
    emptied = {
        name: Unpickled(source.tensor.to("meta"), source.shape)
        for name, source in part.tensors.items()
        if isinstance(source, Unpickled)
    }
    return replace(part, tensors=emptied or part.tensors)


def _accept(path: Path, found: Recognised) -> tuple[str, Family]:
    if found.family is None:
        raise InputError(
            f"{path.name} is {found.title}; this version runs SD 1.x: choose a file of that family",
            code="unsupported_family",
        )
    return found.title, found.family


def _stored(header: Header) -> dict[str, Stored]:
    return {
        name: Stored(header.path, entry.dtype, entry.shape, entry.start, entry.size)
        for name, entry in header.entries.items()
    }


def _split(names: Mapping[str, T]) -> dict[PartName, dict[str, T]]:
    """The tensors of each part, by their names in it. Schedules, EMA copies and the like fall away."""
    found: dict[PartName, dict[str, T]] = {}
    for part, prefix in PREFIXES.items():
        held = {
            name.removeprefix(prefix): item
            for name, item in names.items()
            if name.startswith(prefix)
        }
        if held:
            found[part] = held
    if not found:
        only = next((part for mark, part in _BARE if mark in names), None)
        if only is not None:
            skipped = ("loss.", "model_ema.")
            found[only] = {
                name: item for name, item in names.items() if not name.startswith(skipped)
            }
    return found


def _part(
    path: Path,
    name: PartName,
    sources: Mapping[str, Source],
    family: Family,
    config: Config | None = None,
) -> Part:
    weights = {key: source for key, source in sources.items() if not key.endswith(_BUFFERS)}
    renamed = diffusers_names(name, weights)
    tensors: dict[str, Source] = {}
    for key, source in weights.items():
        shape = diffusers_shape(name, key, source.shape)
        tensors[renamed[key]] = source if shape == source.shape else _reshaped(source, shape)
    if len(tensors) != len(weights):
        raise InputError(
            f"{path.name} holds tensors of the {_WORDS[name]} twice: save it again",
            code="damaged_file",
        )
    if config is None:
        try:
            config = configuration(
                name, {key: source.shape for key, source in tensors.items()}, family
            )
        except InputError as error:
            raise InputError(f"{path.name}: {error}", code=error.code) from error
    return Part(name, tensors, config, family)


_BUFFERS = ("position_ids", "logit_scale", "text_projection", "text_projection.weight")
"""Endings of what some files hold beside the weights: modules make it themselves or do without."""


def _reshaped(source: Source, shape: tuple[int, ...]) -> Source:
    if isinstance(source, Stored):
        return Stored(source.path, source.dtype, shape, source.start, source.size)
    return Unpickled(cast(Unpickled, source).tensor, shape)


def _open_folder(path: Path) -> Parts:
    held = {name: _folder_sources(path, name) for name in _FOLDERS if (path / name).is_dir()}
    shapes: Shapes = {name: source.shape for name, source in held.get("unet", {}).items()}
    title, family = _accept(path, recognise(shapes))
    configs = {name: _read_json(path / name / "config.json") for name in held}
    parts = {
        name: _part(path, name, sources, family, configs[name]) for name, sources in held.items()
    }
    scheduler = path / "scheduler" / "scheduler_config.json"
    settings = _read_json(scheduler) if scheduler.is_file() else {}
    said = settings.get("prediction_type")
    if said not in {None, "epsilon", "v_prediction", "sample"}:
        raise InputError(
            f"{scheduler} has the unknown prediction_type {said!r}", code="damaged_file"
        )
    predictions = (Prediction(said, "its scheduler_config.json"),) if said else ()
    scale = configs.get("vae", {}).get("scaling_factor", family.scaling_factor)
    if not isinstance(scale, int | float):
        raise InputError(
            f"{path / 'vae' / 'config.json'} has the scaling_factor {scale!r}, no number",
            code="damaged_file",
        )
    files = {source.path for sources in held.values() for source in sources.values()}
    files |= {path / name / "config.json" for name in held} | {path / INDEX}
    files |= {scheduler} if scheduler.is_file() else set()
    return Parts(path, title, family, parts, predictions, float(scale), tuple(sorted(files)))


def _folder_sources(path: Path, part: PartName) -> dict[str, Stored]:
    """The tensors in one part's folder, in one file or in the several that an index names."""
    for stem, variant in itertools.product(_FOLDERS[part], ("", ".fp16")):
        index = path / part / f"{stem}.safetensors.index{variant}.json"
        if index.is_file():
            return _sharded(index)
        file = path / part / f"{stem}{variant}.safetensors"
        if file.is_file():
            return _stored(read_header(file))
    raise InputError(
        f"{path.name}/{part} holds no .safetensors file; convert its weights to safetensors",
        code="missing_file",
    )


def _sharded(index: Path) -> dict[str, Stored]:
    table = _read_json(index).get("weight_map")
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
        tensors = _stored(read_header(index.parent / shard))
        found |= {name: source for name, source in tensors.items() if table.get(name) == shard}
    missing = sorted(set(table) - set(found))
    if missing:
        raise InputError(
            f"{index} names {missing[0]!r}, which its files lack; download them again",
            code="damaged_file",
        )
    return found


def _read_json(path: Path) -> dict[str, Any]:
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path} is not JSON ({error}); download it again", code="damaged_file"
        ) from error
    if not isinstance(tree, dict):
        raise InputError(f"{path} is not a JSON object; download it again", code="damaged_file")
    return tree
