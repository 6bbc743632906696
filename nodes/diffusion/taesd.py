"""TAESD, the tiny autoencoder of Ollin Boer Bohan: the forms of its files, and its sizes.

The same tensors come in three layouts: each half numbered in a file of its own; both halves in one file
under `encoder.` and `decoder.`; and diffusers' `decoder.layers.`, whose numbers are one lower, as it does
not count the clamp that the decoder begins with.
"""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from engine.errors import InputError

T = TypeVar("T")
Half = Literal["encoder", "decoder"]
CLASS = "AutoencoderTiny"
"""What diffusers calls it."""
PREFIXES = ("", "encoder.", "decoder.", "taesd_encoder.", "taesd_decoder.",
            "encoder.layers.", "decoder.layers.")  # fmt: skip
MARKS = tuple(f"{prefix}3.conv.0.weight" for prefix in PREFIXES)
"""Tensors of which every file of it has one: number 3 is a block in both halves and all layouts."""
STEMS: Mapping[str, float] = {"taesd": 0.18215, "taesdxl": 0.13025}
"""What it is called, with the scaling factor of whose latents it decodes: those of SD, or of SDXL."""
LEVELS = 4
_NAMED = re.compile(r"(?:(?:taesd_)?(encoder|decoder)\.)?(layers\.)?(\d{1,2})\.(.+)")
_LAST_OF_ENCODER = "encoder.layers.14.weight"


def is_taesd(names: Collection[str]) -> bool:
    """Whether tensors of such names are those of a TAESD, or of half of one."""
    return any(mark in names for mark in MARKS)


def named(tensors: Mapping[str, T]) -> dict[str, T]:
    """The tensors of a TAESD by diffusers' names. What is not known keeps its name."""
    alone: Half = "encoder" if "0.weight" in tensors else "decoder"  # the decoder's 0 is the clamp
    found = {}
    for name, tensor in tensors.items():
        match = _NAMED.fullmatch(name)
        if match is None:
            found[name] = tensor
            continue
        half, is_diffusers, number, rest = match.groups()
        half = half or alone
        index = int(number) - (half == "decoder" and not is_diffusers)
        found[f"{half}.layers.{index}.{rest}"] = tensor
    return found


def latent_channels(shapes: Mapping[str, tuple[int, ...]]) -> int:
    """How many channels the latents of a TAESD have; 0 if that cannot be told."""
    ours = named(shapes)
    first, last = ours.get("decoder.layers.0.weight", ()), ours.get(_LAST_OF_ENCODER, ())
    if len(first) == 4:
        return first[1]
    return last[0] if len(last) == 4 else 0


def configuration(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """Its sizes, of tensors by diffusers' names."""
    halves = tuple(
        half
        for half in ("encoder", "decoder")
        if any(name.startswith(f"{half}.layers.") for name in shapes)
    )
    width = shapes[f"{halves[0]}.layers.0.weight"][0]
    return {
        "_class_name": CLASS,
        "halves": halves,
        "latent_channels": latent_channels(shapes),
        "block_out_channels": (width,) * LEVELS,
    }


def check_config(config: Mapping[str, Any], path: Path) -> None:
    """Refuse a diffusers folder of a TAESD that computes otherwise than the published ones.

    Raises:
        InputError: It does.
    """
    usual = {
        "act_fn": "relu",
        "upsample_fn": "nearest",
        "upsampling_scaling_factor": 2,
    }
    for key, value in usual.items():
        if config.get(key, value) != value:
            raise InputError(
                f"{path.name} is a TAESD whose {key} is {config[key]!r}; this version runs those with"
                f" {value!r}, as the published ones have it: choose one of them",
                code="unsupported_family",
            )


def is_sdxl(path: Path) -> bool:
    """Whether a TAESD is for SDXL's latents: only its name tells."""
    return "xl" in path.stem.lower()


def title(path: Path) -> str:
    """What a TAESD is called."""
    return f"a TAESD for {'SDXL' if is_sdxl(path) else 'SD 1.x and 2.x'}"


def other_half(path: Path) -> Path | None:
    """The file of the other half, where a file is named after one: `taesd_encoder` for `taesd_decoder`."""
    wanted = other_name(path.name)
    if wanted is None:
        return None
    other = path.with_name(wanted)
    is_beside = other.is_file() and other.resolve().parent == path.resolve().parent
    return other if is_beside else None  # a link could lead out of the folders of models


def other_name(name: str) -> str | None:
    """What the file of the other half is called; None where the name tells of no half."""
    if "tae" not in name.lower():
        return None
    if "decoder" in name:
        return name.replace("decoder", "encoder")
    return name.replace("encoder", "decoder") if "encoder" in name else None


def check_half(halves: Collection[str] | None, wanted: Half, file: str) -> None:
    """Raise `InputError` unless a VAE has the half that is wanted; one that names no halves has both."""
    if halves is None or wanted in halves:
        return
    name = other_name(file)
    raise InputError(
        f"{file} holds no {wanted}, only the other half of a TAESD:"
        + (f" put {name} beside it" if name else " choose a file with both"),
        code="missing_part",
        input="vae",
    )
