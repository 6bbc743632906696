"""Nodes for masks."""

from collections.abc import Mapping
from typing import Any

from server.comfy.declared import (
    Codec,
    Condition,
    Entry,
    Given,
    Made,
    Part,
    Preset,
    Recipe,
    UntranslatableError,
    choice,
    files,
    flag,
    link,
    one,
    real,
    whole,
)

_MASK, _LATENT, _IMAGE = (("MASK", "MASK"),), (("LATENT", "LATENT"),), (("IMAGE", "IMAGE"),)
_LARGEST = 16384
_SOFT = "soft masks combine in another way; hard ones alike"


def _is_tapered(wanted: bool) -> Condition:
    return lambda values: values.get("tapered_corners") is wanted


def _half(width: int) -> int:
    return width // 2


def _box() -> dict[str, Part]:
    size = {"width": Given("width"), "height": Given("height")}
    canvas = {"canvas_width": Given("width"), "canvas_height": Given("height")}
    return {"box": Part("MaskFromBox", {"x": 0, "y": 0, **size, **canvas})}


def _combined(operation: str, word: str, near: str = _SOFT) -> Recipe:
    return one(
        "CombineMasks",
        first=Given("destination"),
        second=Given("source"),
        operation=operation,
        near=near,
        says={"operation": word, "x": 0, "y": 0},
        when=lambda values: _in_place(values) and values.get("operation") == word,
    )


def _hard(operation: str, word: str) -> Recipe:
    """ComfyUI rounds both masks first."""
    return Recipe(
        {
            "first": Part("ThresholdMask", {"mask": Given("destination"), "threshold": 0.5}),
            "second": Part("ThresholdMask", {"mask": Given("source"), "threshold": 0.5}),
            "both": Part(
                "CombineMasks",
                {"first": Made("first"), "second": Made("second"), "operation": operation},
            ),
        },
        (Made("both"),),
        says={"operation": word, "x": 0, "y": 0},
        when=lambda values: _in_place(values) and values.get("operation") == word,
    )


def _in_place(values: Mapping[str, Any]) -> bool:
    return values.get("x") == 0 and values.get("y") == 0


def _from_zero(value: float) -> float:
    if not 0 <= value <= 1:
        raise UntranslatableError("give a number from 0 to 1")
    return value


ENTRIES = (
    Entry(
        "VAEEncodeForInpaint",
        (
            link("pixels", "IMAGE"),
            link("vae", "VAE"),
            link("mask", "MASK"),
            whole("grow_mask_by", 6, 0, 64),
        ),
        _LATENT,
        (
            # Grey under the mask: the mean of a picture and its negative is grey everywhere.
            Recipe(
                {
                    "mask": Part("ThresholdMask", {"mask": Given("mask"), "threshold": 0.5}),
                    "negative": Part("InvertImage", {"image": Given("pixels")}),
                    "grey": Part(
                        "BlendImages",
                        {"first": Given("pixels"), "second": Made("negative"), "amount": 0.5},
                    ),
                    "hidden": Part(
                        "CompositeImage",
                        {
                            "base": Given("pixels"),
                            "overlay": Made("grey"),
                            "mask": Made("mask"),
                            "x": 0,
                            "y": 0,
                        },
                    ),
                    "encoded": Part(
                        "VAEEncode",
                        {"vae": Given("vae"), "image": Made("hidden"), "sample": False, "seed": 0},
                    ),
                    "grown": Part(
                        "GrowMask",
                        {
                            "mask": Made("mask"),
                            "pixels": Given(
                                "grow_mask_by", Codec(_half, lambda radius: 2 * radius)
                            ),
                            "shape": "square",
                        },
                    ),
                    "masked": Part(
                        "SetLatentMask",
                        {
                            "latents": Made("encoded"),
                            "mask": Made("grown"),
                            "interpolation": Preset("nearest"),
                        },
                    ),
                },
                (Made("masked"),),
                near="the mask's edge may lie one latent further in or out",
            ),
        ),
        "latent/inpaint",
        "VAE Encode (for Inpainting)",
    ),
    Entry(
        "SetLatentNoiseMask",
        (link("samples", "LATENT"), link("mask", "MASK")),
        _LATENT,
        (
            one(
                "SetLatentMask",
                latents=Given("samples"),
                mask=Given("mask"),
                interpolation=Preset("nearest", "the mask's edge is made softer there"),
            ),
        ),
        "latent/inpaint",
        "Set Latent Noise Mask",
    ),
    Entry(
        "LoadImageMask",
        (
            files("image", "images", image_upload=True),
            choice("channel", "alpha", "red", "green", "blue"),
        ),
        _MASK,
        (one("LoadMask", image=Given("image"), channel=Given("channel")),),
        "mask",
        "Load Image (as Mask)",
    ),
    Entry(
        "ImageToMask",
        (link("image", "IMAGE"), choice("channel", "red", "green", "blue", "alpha")),
        _MASK,
        (
            one(
                "ImageToMask",
                image=Given("image"),
                channel=Given("channel"),
                when=lambda values: values.get("channel") != "alpha",
            ),
        ),
        "mask",
        "Convert Image to Mask",
        limits="pictures have no alpha channel here: take the mask of LoadImage",
    ),
    Entry(
        "MaskToImage",
        (link("mask", "MASK"),),
        _IMAGE,
        (one("MaskToImage", mask=Given("mask")),),
        "mask",
        "Convert Mask to Image",
    ),
    Entry(
        "InvertMask",
        (link("mask", "MASK"),),
        _MASK,
        (one("InvertMask", mask=Given("mask")),),
        "mask",
        "InvertMask",
    ),
    Entry(
        "GrowMask",
        (
            link("mask", "MASK"),
            whole("expand", 0, -_LARGEST, _LARGEST),
            flag("tapered_corners", default=True),
        ),
        _MASK,
        tuple(
            one(
                "GrowMask",
                mask=Given("mask"),
                pixels=Given("expand"),
                shape="diamond" if tapered else "square",
                says={"tapered_corners": tapered},
                when=_is_tapered(tapered),
            )
            for tapered in (True, False)
        ),
        "mask",
        "GrowMask",
    ),
    Entry(
        "FeatherMask",
        (
            link("mask", "MASK"),
            *(whole(name, 0, 0, _LARGEST) for name in ("left", "top", "right", "bottom")),
        ),
        _MASK,
        (
            one(
                "FadeMask",
                mask=Given("mask"),
                left=Given("left"),
                top=Given("top"),
                right=Given("right"),
                bottom=Given("bottom"),
            ),
        ),
        "mask",
        "FeatherMask",
    ),
    Entry(
        "ThresholdMask",
        (link("mask", "MASK"), real("value", 0.5, 0.0, 1.0)),
        _MASK,
        (one("ThresholdMask", mask=Given("mask"), threshold=Given("value")),),
        "mask",
        "ThresholdMask",
    ),
    Entry(
        "SolidMask",
        (
            real("value", 1.0, 0.0, 1.0),
            whole("width", 512, 1, _LARGEST),
            whole("height", 512, 1, _LARGEST),
        ),
        _MASK,
        (
            Recipe(
                _box(),
                (Made("box"),),
                when=lambda values: values.get("value") == 1,
                says={"value": 1.0},
            ),
            Recipe(
                {**_box(), "empty": Part("InvertMask", {"mask": Made("box")})},
                (Made("empty"),),
                when=lambda values: values.get("value") == 0,
                says={"value": 0.0},
            ),
            Recipe(
                {
                    **_box(),
                    "empty": Part("InvertMask", {"mask": Made("box")}),
                    "white": Part("MaskToImage", {"mask": Made("box")}),
                    "black": Part("MaskToImage", {"mask": Made("empty")}),
                    "grey": Part(
                        "BlendImages",
                        {
                            "first": Made("black"),
                            "second": Made("white"),
                            "amount": Given("value", Codec(_from_zero, _from_zero)),
                        },
                    ),
                    "mask": Part("ImageToMask", {"image": Made("grey"), "channel": "red"}),
                },
                (Made("mask"),),
            ),
        ),
        "mask",
        "SolidMask",
    ),
    Entry(
        "MaskComposite",
        (
            link("destination", "MASK"),
            link("source", "MASK"),
            whole("x", 0, 0, _LARGEST),
            whole("y", 0, 0, _LARGEST),
            choice("operation", "multiply", "add", "subtract", "and", "or", "xor"),
        ),
        _MASK,
        (
            _hard("intersect", "and"),
            _hard("union", "or"),
            _combined("intersect", "multiply"),
            _combined("union", "add"),
            _combined("subtract", "subtract"),
        ),
        "mask",
        "MaskComposite",
        limits="both masks must lie in one place, x = y = 0, and xor is missing",
    ),
)
