"""What this package lends to a run: folders, the model pool, tensors' codec, the numeric profile."""

from collections.abc import Iterable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from engine.artifacts import Delivery
from engine.codecs import Buffer, Codec, Codecs
from engine.difference import Difference
from engine.runtime import Files, Runtime, Services

from . import devices, metering, provenance
from .diffusion.pool import Pool
from .folders import Folders, open_folders
from .free import memory

if TYPE_CHECKING:
    from torch import Tensor

PreviewMethod = Literal["auto", "factors", "none"]
LIBRARIES = ("torch", "diffusers", "transformers", "tokenizers", "numpy", "pillow")
DTYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64",
    "I32": "int32", "I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool",
}  # fmt: skip
"""safetensors' codes of dtypes, and torch's names."""


def open_runtime(
    data: Path,
    *,
    device: str | None = None,
    output: Path | None = None,
    near: Iterable[Path] = (),
    precision: str | None = None,
    model_memory: int | None = None,
    float8: bool = False,
    compiled: bool = False,
    previews: PreviewMethod = "auto",
) -> Runtime:
    """What a run gets on this machine. Quick: nothing is loaded, torch is not imported.

    Args:
        data: The folder for models, inputs, outputs and the store.
        device: As for `devices.choose`.
        output: Where files are delivered, instead of `data / "outputs"`.
        near: Further folders to look for pictures in, such as the workflow's own.
        precision: What models compute in; see `Pool`.
        model_memory: Bytes of models to keep on the device; see `Pool`.
        float8: Whether weights are kept in float8.
        compiled: Whether UNets are compiled.
        previews: What latents are shown by; see `Pool`.

    Raises:
        InputError: There is no such device here.
    """
    chosen = devices.choose(device)
    folders = open_folders(data, near)
    pool = Pool(
        folders,
        chosen,
        precision,
        budget=model_memory,
        is_small=float8,
        compiles=compiled,
        previews="auto" if previews == "none" else previews,
    )
    return Runtime(
        services={Folders: folders, Pool: pool},
        profile=profile(pool),
        codecs=Codecs(frozenset({"engine", "nodes"}), {TENSOR.type_name: TENSOR}),
        delivery=Delivery(output or data / "outputs", data / "previews"),
        compare=compare,
        files=folders,
        meter=partial(metering.metered, chosen),
        machine=partial(metering.machine, chosen),
        lend_from=partial(_lent, folders, pool),
        picture=None if previews == "none" else picture,
        thumbnail=thumbnail,
        probe=probe,
        merged=merged,
        embedded=provenance.embedded,
        warm=pool.names,
        free=pool.release,
        memory=partial(memory, chosen),
    )


def _lent(folders: Folders, pool: Pool, roots: Sequence[Path]) -> tuple[Services, Files]:
    """What a run gets that also finds pictures in the roots."""
    found = folders.with_images(*roots)
    return {Folders: found, Pool: pool}, found


def profile(pool: Pool) -> dict[str, str]:
    """What numbers depend on, beside code and inputs."""
    libraries = {name: version(name) for name in LIBRARIES}
    told = {"device": pool.device.partition(":")[0], "dtype": pool.dtype_name}
    # Only what is not as usual, so that results from before stay known.
    if pool.is_small:
        told["weights"] = "float8_e4m3"
    if pool.compiles:
        told["compiled"] = "yes"
    return told | libraries


def compare(before: Path, after: Path) -> Difference:
    """How far a delivered file is from an earlier one; see `diffusion.difference.compare`."""
    from .diffusion import difference

    return difference.compare(before, after)


def picture(shades: Any) -> bytes:
    """A preview as a JPEG; see `diffusion.thumbnails.preview`."""
    from .diffusion import thumbnails

    return thumbnails.preview(shades)


def thumbnail(path: Path, size: int) -> bytes:
    """A picture file made small; see `diffusion.thumbnails.thumbnail`."""
    from .diffusion import thumbnails

    return thumbnails.thumbnail(path, size)


def probe(path: Path) -> dict[str, Any]:
    """What a picture file's header tells; see `diffusion.readers.measure`."""
    from .diffusion import readers

    return readers.measure(path)._asdict()


def merged(colours: Path | None, alpha: Path | None) -> bytes:
    """A PNG with the colours of one file and the alpha of another; see `diffusion.alpha.merged`."""
    from .diffusion import alpha as channels

    return channels.merged(colours, alpha)


def _size(tensor: "Tensor") -> int:
    return tensor.nbytes


def _encode(tensor: "Tensor") -> Buffer:
    import torch

    name = str(tensor.dtype).removeprefix("torch.")
    code = next(code for code, known in DTYPES.items() if known == name)
    flat = tensor.detach().cpu().contiguous().flatten().view(torch.uint8)
    return Buffer(code, tuple(tensor.shape), flat.numpy().data)


def _decode(buffer: Buffer) -> "Tensor":
    import torch

    dtype: torch.dtype = getattr(torch, DTYPES[buffer.dtype])
    if not buffer.data:
        return torch.empty(buffer.shape, dtype=dtype)
    return torch.frombuffer(bytearray(buffer.data), dtype=dtype).reshape(buffer.shape)


TENSOR = Codec("torch.Tensor", _size, _encode, _decode)
