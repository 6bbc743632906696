"""Models as parts of files: which tensors each has and where they lie, nothing of it read yet."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from engine.errors import InputError
from nodes.widgets import PredictionType

from . import openclip, taesd
from .colours import Colours
from .families import SD1, VARIATIONS, Family
from .headers import ITEM_SIZES, Header
from .layout import PLAIN, PartName, diffusers_names, diffusers_shape
from .predictions import Prediction
from .sizes import Config, configuration

if TYPE_CHECKING:
    from torch import Tensor


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
    is_transposed: bool = False
    """Whether the file holds its columns as rows."""

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


def piece(source: Source, third: int | None, *, is_transposed: bool) -> Source:
    """A third of a tensor's rows, or all of them, or the tensor lying across.

    Raises:
        ValueError: It has no such rows, or is no matrix to lie across.
    """
    shape = source.shape
    if third is not None:
        if not shape or shape[0] % 3:
            raise ValueError(shape)
        shape = (shape[0] // 3, *shape[1:])
    if is_transposed:
        if len(shape) != 2:
            raise ValueError(shape)
        shape = shape[::-1]
    if isinstance(source, Stored):
        size = source.size if third is None else source.size // 3
        start = source.start + size * (third or 0)
        return Stored(source.path, source.dtype, shape, start, size, is_transposed)
    tensor = cast(Unpickled, source).tensor
    tensor = tensor if third is None else tensor.chunk(3)[third]
    return Unpickled(tensor.T if is_transposed else tensor, shape)


def numbers(source: Source) -> list[float]:
    """All numbers of a small tensor, read without any library; none if they are of an unusual type."""
    if isinstance(source, Unpickled):
        return [float(number) for number in source.tensor.flatten().tolist()]
    kept = cast(Stored, source)
    with kept.path.open("rb") as file:
        file.seek(kept.start)
        data = file.read(kept.size)
    if kept.dtype == "BF16":  # the upper half of a float32
        data = b"".join(b"\0\0" + data[at : at + 2] for at in range(0, len(data), 2))
    letter = {"F16": "e", "F32": "f", "F64": "d", "BF16": "f"}.get(kept.dtype)
    if letter is None:
        return []
    return [float(number) for (number,) in struct.iter_unpack(f"<{letter}", data)]


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
    guessed: PredictionType | None = None
    """What the UNet's output probably means, by its weights, where the file does not say."""
    zero_snr: bool = False
    """Whether the file says that the UNet's training noise ends in noise alone."""
    scaling_factor: float = SD1.scaling_factor
    files: tuple[Path, ...] = field(default=())
    """Every file that was read or will be: what a digest must cover."""
    cut: int = 0
    """Last layers of the text encoder that are left out in the weights."""
    colours: Colours | None = None
    """What the latents' channels look like, if the autoencoder is none of a family's usual ones."""

    @property
    def prediction_type(self) -> PredictionType:
        """What the UNet's output means: as the file says, or else as is usual in the family."""
        if self.predictions:
            return self.predictions[0].type
        return self.guessed or self.family.prediction_type

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
            remedy = _REMEDIES[name]
            if name == "text_encoder" and self.title == VARIATIONS:
                remedy = (
                    "it reads a picture in place of a prompt, so load it with LoadUnCLIPCheckpoint and"
                    " give it the picture by VariationConditioning"
                )
            raise InputError(
                f"{self.path.name} holds no {WORDS[name]}, only {there}: {remedy}",
                code="missing_part",
            )
        return found


WORDS: Mapping[PartName, str] = {
    "unet": "UNet",
    "vae": "VAE",
    "text_encoder": "text encoder",
    "text_encoder_2": "second text encoder",
    "image_encoder": "image encoder",
    "controlnet": "ControlNet",
    "depth_estimator": "depth estimator",
    "prior": "prior",
    "text_proj": "projection of texts",
    "decoder": "decoder",
    "super_res_first": "super-resolution network",
    "super_res_last": "last super-resolution network",
}
"""What a part is called in messages."""
_REMEDIES: Mapping[PartName, str] = {
    "unet": "choose a checkpoint",
    "vae": "load one with LoadVAE",
    "text_encoder": "take the text encoder of another checkpoint",
    "text_encoder_2": "take the text encoder of another checkpoint",
    "image_encoder": "load one with LoadImageEncoder",
    "controlnet": "choose a ControlNet",
    "depth_estimator": "choose a folder of a DPT model, or give DepthConditioning a map of your own",
    "prior": "choose Karlo's folder",
    "text_proj": "download Karlo's folder again, with its text_proj",
    "decoder": "download Karlo's folder again, with its decoder",
    "super_res_first": "download Karlo's folder again, with its super_res_first",
    "super_res_last": "download Karlo's folder again, with its super_res_last",
}


def stored(header: Header) -> dict[str, Stored]:
    """The tensors of a safetensors file, by their names in it."""
    return {
        name: Stored(header.path, entry.dtype, entry.shape, entry.start, entry.size)
        for name, entry in header.entries.items()
    }


def make_part(
    path: Path,
    name: PartName,
    sources: Mapping[str, Source],
    family: Family,
    config: Config | None = None,
) -> Part:
    """A part out of its tensors in a file, under whatever names.

    Args:
        path: For messages.
        name: Which part.
        sources: Without the prefix of a whole checkpoint.
        family: Of the file.
        config: By default read off the shapes.

    Raises:
        InputError: Tensors are there twice, are missing, or do not fit the family.
    """
    if name == "vae" and taesd.is_taesd(sources):
        taesd.check_config(config or {}, path)
        sources, config = taesd.named(sources), None
    if name in PLAIN:
        kept = {key: item for key, item in sources.items() if not key.endswith(_COUNTERS)}
        return Part(name, kept, config or {}, family)
    left_out = _BUFFERS if name in _PROJECTED else (*_BUFFERS, *_PROJECTIONS)
    weights = _plain(
        path, {key: source for key, source in sources.items() if not key.endswith(left_out)}
    )
    renamed = diffusers_names(name, weights)
    tensors: dict[str, Source] = {}
    for key, source in weights.items():
        shape = diffusers_shape(name, key, source.shape)
        tensors[renamed[key]] = source if shape == source.shape else _reshaped(source, shape)
    if len(tensors) != len(weights):
        raise InputError(
            f"{path.name} holds tensors of the {WORDS[name]} twice: save it again",
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


_BUFFERS = ("position_ids", "logit_scale", "attn_mask")
"""Endings of what some files hold beside the weights: modules make it themselves or do without."""
_COUNTERS = "num_batches_tracked"
"""What only training reads."""
_PROJECTIONS = ("text_projection", "text_projection.weight")
_PROJECTED: tuple[PartName, ...] = ("text_encoder_2", "image_encoder")
"""What gives one vector, by a projection of its own."""


def _plain(path: Path, sources: Mapping[str, Source]) -> Mapping[str, Source]:
    """The tensors with those of OpenCLIP's under transformers' names."""
    if not openclip.is_openclip(sources):
        return sources
    found: dict[str, Source] = {}
    for name, source in sources.items():
        for named, third, is_transposed in openclip.pieces(name):
            try:
                found[named] = (
                    source
                    if third is None and not is_transposed
                    else piece(source, third, is_transposed=is_transposed)
                )
            except ValueError as error:
                raise InputError(
                    f"{path.name} holds {name!r} of shape {list(source.shape)}, which does not come"
                    " apart: the file is damaged; download it again",
                    code="damaged_file",
                ) from error
    return found


def _reshaped(source: Source, shape: tuple[int, ...]) -> Source:
    if isinstance(source, Stored):
        return replace(source, shape=shape)
    return Unpickled(cast(Unpickled, source).tensor, shape)


def _emptied(part: Part) -> Part:
    emptied = {
        name: Unpickled(source.tensor.to("meta"), source.shape)
        for name, source in part.tensors.items()
        if isinstance(source, Unpickled)
    }
    return replace(part, tensors=emptied or part.tensors)
