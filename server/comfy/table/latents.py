"""Nodes for latents."""

from collections.abc import Mapping
from typing import Any

from server.comfy.declared import (
    Codec,
    Entry,
    Given,
    Input,
    Preset,
    choice,
    flag,
    link,
    one,
    real,
    whole,
)

_LATENT, _IMAGE = (("LATENT", "LATENT"),), (("IMAGE", "IMAGE"),)
_LARGEST = 16384
_NO_CENTRE = "nothing is cut off here: the latents are stretched"


def _methods(*more: str) -> Input:
    words = {"nearest-exact": "nearest"} | {
        word: word for word in ("bilinear", "area", "bicubic", *more)
    }
    return Input(
        "upscale_method",
        "COMBO",
        words=words,
        near=lambda word: (
            "edges are filtered differently where a picture shrinks"
            if word in {"bilinear", "bicubic", "lanczos"}
            else ""
        ),
    )


def _given(values: Mapping[str, Any], name: str) -> bool:
    return values.get(name) != 0


_CROPPED = Preset("crop", "a picture whose sides are no multiples of 8 is cut there")
_TILES: dict[str, Any] = {"tile": Given("tile_size"), "overlap": Given("overlap")}
_TURNS = {"none": 0, "90 degrees": 90, "180 degrees": 180, "270 degrees": 270}
_TURN = Codec(
    lambda word: _TURNS.get(word, word),
    lambda turn: next((word for word, known in _TURNS.items() if known == turn), turn),
)
_AXES = {"x-axis: vertically": "vertical", "y-axis: horizontally": "horizontal"}
_SIZE: dict[str, Any] = {"width": Given("width"), "height": Given("height")}


def _sides(name: str, *, default: int = 0) -> Input:
    return whole(name, default, 0, _LARGEST, step=8)


ENTRIES = (
    Entry(
        "EmptyLatentImage",
        (
            whole("width", 512, 16, _LARGEST, step=8),
            whole("height", 512, 16, _LARGEST, step=8),
            whole("batch_size", 1, 1, 4096),
        ),
        _LATENT,
        (one("EmptyLatent", **_SIZE, batch_size=Given("batch_size")),),
        "latent",
        "Empty Latent Image",
    ),
    Entry(
        "VAEDecode",
        (link("samples", "LATENT"), link("vae", "VAE")),
        _IMAGE,
        (one("VAEDecode", vae=Given("vae"), latents=Given("samples")),),
        "latent",
        "VAE Decode",
    ),
    Entry(
        "VAEEncodeTiled",
        (
            link("pixels", "IMAGE"),
            link("vae", "VAE"),
            whole("tile_size", 512, 64, 4096, step=64),
            whole("overlap", 64, 0, 4096, step=32),
            whole("temporal_size", 64, 8, 4096, step=4),
            whole("temporal_overlap", 8, 4, 4096, step=4),
        ),
        _LATENT,
        (
            one(
                "VAEEncodeTiled",
                vae=Given("vae"),
                image=Given("pixels"),
                odd_size=_CROPPED,
                says={"temporal_size": 64, "temporal_overlap": 8},
                **_TILES,
            ),
        ),
        "_for_testing",
        "VAE Encode (Tiled)",
    ),
    Entry(
        "VAEDecodeTiled",
        (
            link("samples", "LATENT"),
            link("vae", "VAE"),
            whole("tile_size", 512, 64, 4096, step=32),
            whole("overlap", 64, 0, 4096, step=32),
            whole("temporal_size", 64, 8, 4096, step=4),
            whole("temporal_overlap", 8, 4, 4096, step=4),
        ),
        _IMAGE,
        (
            one(
                "VAEDecodeTiled",
                vae=Given("vae"),
                latents=Given("samples"),
                says={"temporal_size": 64, "temporal_overlap": 8},
                **_TILES,
            ),
        ),
        "_for_testing",
        "VAE Decode (Tiled)",
    ),
    Entry(
        "VAEEncode",
        (link("pixels", "IMAGE"), link("vae", "VAE")),
        _LATENT,
        (
            one(
                "VAEEncode",
                vae=Given("vae"),
                image=Given("pixels"),
                sample=False,
                seed=0,
                odd_size=_CROPPED,
            ),
        ),
        "latent",
        "VAE Encode",
    ),
    Entry(
        "LatentUpscale",
        (
            link("samples", "LATENT"),
            _methods("bislerp"),
            _sides("width", default=512),
            _sides("height", default=512),
            Input(
                "crop",
                "COMBO",
                words={"disabled": "disabled", "center": "center"},
                near=lambda word: _NO_CENTRE if word == "center" else "",
            ),
        ),
        _LATENT,
        (
            one(
                "LatentUpscale",
                latents=Given("samples"),
                to={"kind": "exact", **_SIZE},
                interpolation=Given("upscale_method"),
                says={"crop": "disabled"},
                when=lambda values: _given(values, "width") and _given(values, "height"),
            ),
        ),
        "latent",
        "Upscale Latent",
        limits="width and height must both be given",
    ),
    Entry(
        "LatentUpscaleBy",
        (link("samples", "LATENT"), _methods("bislerp"), real("scale_by", 1.5, 0.01, 8.0)),
        _LATENT,
        (
            one(
                "LatentUpscale",
                latents=Given("samples"),
                to={"kind": "scale", "factor": Given("scale_by")},
                interpolation=Given("upscale_method"),
            ),
        ),
        "latent",
        "Upscale Latent By",
    ),
    Entry(
        "RepeatLatentBatch",
        (link("samples", "LATENT"), whole("amount", 1, 1, 64)),
        _LATENT,
        (one("RepeatLatent", latents=Given("samples"), times=Given("amount")),),
        "latent/batch",
        "Repeat Latent Batch",
    ),
    Entry(
        "LatentComposite",
        (
            link("samples_to", "LATENT"),
            link("samples_from", "LATENT"),
            _sides("x"),
            _sides("y"),
            _sides("feather"),
        ),
        _LATENT,
        (
            one(
                "LatentComposite",
                base=Given("samples_to"),
                overlay=Given("samples_from"),
                x=Given("x"),
                y=Given("y"),
                feather=Given("feather"),
            ),
        ),
        "latent",
        "Latent Composite",
    ),
    Entry(
        "LatentCompositeMasked",
        (
            link("destination", "LATENT"),
            link("source", "LATENT"),
            _sides("x"),
            _sides("y"),
            flag("resize_source", default=False),
            link("mask", "MASK", required=False),
        ),
        _LATENT,
        (
            one(
                "LatentComposite",
                when=lambda values: values.get("resize_source") is False,
                says={"resize_source": False},
                base=Given("destination"),
                overlay=Given("source"),
                mask=Given("mask"),
                x=Given("x"),
                y=Given("y"),
                feather=0,
            ),
        ),
        "latent",
        "Latent Composite Masked",
        limits="resize_source must be off",
    ),
    Entry(
        "LatentFromBatch",
        (link("samples", "LATENT"), whole("batch_index", 0, 0, 63), whole("length", 1, 1, 64)),
        _LATENT,
        (
            one(
                "LatentFromBatch",
                latents=Given("samples"),
                first=Given("batch_index"),
                count=Given("length"),
            ),
        ),
        "latent/batch",
        "Latent From Batch",
    ),
    Entry(
        "LatentCrop",
        (
            link("samples", "LATENT"),
            whole("width", 512, 64, _LARGEST, step=8),
            whole("height", 512, 64, _LARGEST, step=8),
            _sides("x"),
            _sides("y"),
        ),
        _LATENT,
        (one("LatentCrop", latents=Given("samples"), x=Given("x"), y=Given("y"), **_SIZE),),
        "latent/transform",
        "Crop Latent",
    ),
    Entry(
        "LatentFlip",
        (link("samples", "LATENT"), Input("flip_method", "COMBO", words=_AXES)),
        _LATENT,
        (one("LatentFlip", latents=Given("samples"), axis=Given("flip_method")),),
        "latent/transform",
        "Flip Latent",
    ),
    Entry(
        "LatentRotate",
        (link("samples", "LATENT"), choice("rotation", *_TURNS)),
        _LATENT,
        (one("LatentRotate", latents=Given("samples"), degrees=Given("rotation", _TURN)),),
        "latent/transform",
        "Rotate Latent",
    ),
    Entry(
        "LatentBatch",
        (link("samples1", "LATENT"), link("samples2", "LATENT")),
        _LATENT,
        (
            one(
                "ConcatenateLatents",
                latents=[Given("samples1"), Given("samples2")],
                near="both must be of one size here",
            ),
        ),
        "latent/batch",
        "Latent Batch",
    ),
)
