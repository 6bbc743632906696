"""Modules out of stored weights: built without memory, filled tensor for tensor from a memory map."""

import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from engine.errors import InputError

from . import taesd, waiting
from .layout import PartName
from .parts import Part, Source, Stored, Unpickled
from .sizes import Config

_DTYPES = {
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
    "F64": torch.float64,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
}


class MappedFiles:
    """Memory maps of files, one for each; private, so that nothing written ever reaches a file."""

    def __init__(self) -> None:
        self._maps: dict[Path, Tensor] = {}

    def tensor(self, stored: Stored, wanted: torch.dtype) -> Tensor:
        """The stored tensor: mapped, reading nothing yet, if it may stay as it is stored.

        One that will be converted, or lies unaligned, is read into memory of its own: mapped pages
        would stay beside the converted copy until the file is closed, a third more at the peak.

        Raises:
            InputError: It holds no floating-point numbers.
        """
        dtype = _DTYPES.get(stored.dtype)
        if dtype is None:
            raise InputError(
                f"{stored.path.name} stores weights as {stored.dtype}: use a file in F16, BF16 or F32",
                code="unsupported_dtype",
            )
        if stored.size == 0:
            return torch.empty(stored.shape, dtype=dtype)
        if dtype != wanted or stored.start % dtype.itemsize:
            data = _read_bytes(stored)
        else:
            data = self._bytes(stored.path)[stored.start : stored.start + stored.size]
        if stored.is_transposed:
            return data.view(dtype).reshape(stored.shape[::-1]).T.contiguous()
        return data.view(dtype).reshape(stored.shape)

    def _bytes(self, path: Path) -> Tensor:
        """All bytes of the file."""
        found = self._maps.get(path)
        if found is None:
            size = path.stat().st_size
            storage: Any = torch.UntypedStorage.from_file(str(path), shared=False, nbytes=size)
            found = self._maps[path] = torch.empty(0, dtype=torch.uint8).set_(storage)
        return found


@torch.inference_mode(mode=False)  # the caller may sample in it, but the weights are for others too
def load(part: Part, device: str, dtype: torch.dtype, terms: "Terms | None" = None) -> nn.Module:
    """The part as a module in `eval()`, on that device and in that dtype, without gradients.

    On the CPU a tensor that is stored in the wanted dtype is used where it lies, without a copy.
    Others are converted one at a time, so the peak is the module plus one tensor.

    Args:
        part: The part.
        device: Where it computes.
        dtype: What it computes in.
        terms: How much of it may be there at once; by default all.

    Raises:
        InputError: Tensors are missing, left over or of the wrong shape.
    """
    with torch.device("meta"):
        module = build(part.name, part.config)
    _check(part, module)
    terms = terms or Terms()
    files = MappedFiles()
    able = _able(part, module, device, dtype)
    small = frozenset(waiting.candidates(module)) if terms.is_small else frozenset()
    item = 1 if terms.is_small else dtype.itemsize
    room = sys.maxsize if terms.room is None else terms.room
    away = waiting.choose(module, room, item, small if device != "cpu" and small else able - small)
    state, scales = {}, {}
    for name, source in sorted(part.tensors.items(), key=lambda item: _place(item[1])):
        named = _named(part, module, name)
        here = "cpu" if named in away else device
        if named in small:
            state[named], scales[named] = waiting.keep_small(_read(source, files, torch.float32))
        elif named in away:
            state[named] = _read(source, files, _stored_as(source))
        else:
            state[named] = _read(source, files, dtype).to(device=device, dtype=dtype)
        state[named] = state[named].to(here)
    module.load_state_dict(state | _counters(module), assign=True)
    waiting.wait(module, away | small, terms.tally, scales)
    _make_buffers(module, device, dtype)
    return module.eval().requires_grad_(requires_grad=False)


@dataclass(frozen=True)
class Terms:
    """On what terms a part is loaded.

    Args:
        room: Bytes for its weights on the device. Those beyond it wait elsewhere, see `waiting`.
        is_small: Whether weights are kept in float8, which rounds them.
        tally: Counts the weights that come and go.
    """

    room: int | None = None
    is_small: bool = False
    tally: waiting.Tally = field(default_factory=waiting.Tally)


def _able(part: Part, module: nn.Module, device: str, dtype: torch.dtype) -> frozenset[str]:
    """The weights that take less memory where they wait than where they are used."""
    able = frozenset(waiting.candidates(module))
    if device != "cpu":
        return able
    # On the CPU, what is stored as it is used stays in its file anyway.
    stored = {_named(part, module, name): _stored_as(each) for name, each in part.tensors.items()}
    return frozenset(name for name in able if stored[name] != dtype)


def _stored_as(source: Source) -> torch.dtype:
    if isinstance(source, Stored):
        return _DTYPES.get(source.dtype, torch.float32)
    return cast(Unpickled, source).tensor.dtype


def build(name: PartName, config: Config) -> nn.Module:
    """The module of a part, with whatever values it starts from.

    `config` is a `sizes.configuration` or a config.json of diffusers or transformers.
    """
    if name == "text_proj":
        from .karlo import Projection

        return Projection(**{key: config[key] for key in Projection.SIZES})
    if config.get("_class_name") == taesd.CLASS:
        from .tiny import TinyAutoencoder

        return TinyAutoencoder(config)
    if name in _ENCODERS or name == "depth_estimator":
        import transformers

        kind: Any = getattr(transformers, _ENCODERS.get(name, "DPTForDepthEstimation"))
        return cast(nn.Module, kind(kind.config_class.from_dict(dict(config))))
    import diffusers

    cls: Any = {
        "unet": diffusers.UNet2DConditionModel,
        "vae": diffusers.AutoencoderKL,
        "controlnet": diffusers.ControlNetModel,
        "prior": diffusers.PriorTransformer,
        "decoder": diffusers.UNet2DConditionModel,
        "super_res_first": diffusers.UNet2DModel,
        "super_res_last": diffusers.UNet2DModel,
    }[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of keys that other versions of diffusers know
        return cast(nn.Module, cls.from_config(dict(config)))


_ENCODERS: Mapping[PartName, str] = {
    "text_encoder": "CLIPTextModel",
    "text_encoder_2": "CLIPTextModelWithProjection",
    "image_encoder": "CLIPVisionModelWithProjection",
}
_COUNTERS = "num_batches_tracked"
_INNER = ("text_model", "vision_model")
"""One more level, which not all classes of all releases of transformers have."""


def _named(part: Part, module: nn.Module, name: str) -> str:
    """What the module calls a tensor of its part."""
    if part.name not in _ENCODERS or "_projection." in name:
        return name
    inner = next((each for each in _INNER if hasattr(module, each)), "")
    return f"{inner}.{name}" if inner else name


def _check(part: Part, module: nn.Module) -> None:
    wanted = {
        name: tuple(item.shape)
        for name, item in module.state_dict().items()
        if not name.endswith(_COUNTERS)
    }
    if part.name in _ENCODERS:
        wanted = {_outer(name): shape for name, shape in wanted.items()}
    given = {name: source.shape for name, source in part.tensors.items()}
    faults = [f"lacks {name}" for name in wanted if name not in given]
    faults += [
        f"has {name}, which no {part.name} of this family has"
        for name in given
        if name not in wanted
    ]
    faults += [
        f"has {name} of shape {list(given[name])} where {list(shape)} belongs"
        for name, shape in wanted.items()
        if name in given and given[name] != shape
    ]
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise InputError(
            f"{_file_name(part.tensors)}: the {part.name} {faults[0]}{more}: "
            "the file is incomplete or of another kind; download it again or choose another",
            code="incomplete_file",
        )


def _outer(name: str) -> str:
    first, _, rest = name.partition(".")
    return rest if first in _INNER else name


def _counters(module: nn.Module) -> dict[str, Tensor]:
    """Zero for what batch norms count in training."""
    names = (name for name in module.state_dict() if name.endswith(_COUNTERS))
    return {name: torch.zeros((), dtype=torch.int64) for name in names}


def _file_name(tensors: Mapping[str, Source]) -> str:
    first = next(iter(tensors.values()), None)
    return first.path.name if isinstance(first, Stored) else "the checkpoint"


def _place(source: Source) -> tuple[str, int]:
    return (str(source.path), source.start) if isinstance(source, Stored) else ("", 0)


def _read(source: Source, files: MappedFiles, wanted: torch.dtype) -> Tensor:
    if isinstance(source, Stored):
        return files.tensor(source, wanted)
    unpickled = cast(Unpickled, source)
    return unpickled.tensor.reshape(unpickled.shape)


def _read_bytes(stored: Stored) -> Tensor:
    data = torch.empty(stored.size, dtype=torch.uint8)
    with stored.path.open("rb") as file:
        file.seek(stored.start)
        if file.readinto(data.numpy().data) != stored.size:
            raise InputError(
                f"{stored.path.name} ended early while it was read: it is being replaced; try again",
                code="changed_file",
            )
    return data


def _make_buffers(module: nn.Module, device: str, dtype: torch.dtype) -> None:
    """Fill the buffers that no file holds, and that were built without memory."""
    for name, buffer in module.named_buffers():
        if not buffer.is_meta:
            continue
        owner = module.get_submodule(name.rpartition(".")[0])
        if name == "causal_attention_mask":  # each token of a prior sees those before it
            size = buffer.shape[-1]
            ahead = torch.full((1, size, size), -10000.0, device=device).triu(1)
            owner.register_buffer(name, ahead.to(dtype), persistent=False)
            continue
        if not name.endswith("position_ids"):
            raise InputError(
                f"the installed transformers or diffusers has the buffer {name!r}, which Darkroom cannot fill: "
                "install the versions in constraints.txt",
                code="unsupported_version",
            )
        owner.register_buffer(
            "position_ids",
            torch.arange(buffer.shape[-1], device=device).expand((1, -1)),
            persistent=False,
        )
