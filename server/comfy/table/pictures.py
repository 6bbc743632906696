"""Nodes for pictures."""

from collections.abc import Mapping
from typing import Any

from server.comfy.declared import (
    Codec,
    Entry,
    Given,
    Input,
    Made,
    Part,
    Recipe,
    choice,
    files,
    flag,
    link,
    one,
    real,
    text,
    whole,
)

_IMAGE, _MASK = (("IMAGE", "IMAGE"),), (("MASK", "MASK"),)
_LARGEST = 16384
_MEGA = 1024 * 1024 / 1e6


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


_SIZE: dict[str, Any] = {"width": Given("width"), "height": Given("height")}
_NAME = "a name with %…% is written as it stands"
_PREFIX = text("filename_prefix", "ComfyUI", near=lambda name: _NAME if "%" in str(name) else "")
_PICTURE = files("image", "images", image_upload=True)


def _resized(to: Mapping[str, Any], **more: Any) -> Recipe:
    return one(
        "ResizeImage",
        image=Given("image"),
        to=to,
        interpolation=Given("upscale_method"),
        multiple_of=1,
        **more,
    )


def _sides(name: str, *, default: int = 0) -> Input:
    return whole(name, default, 0, _LARGEST, step=8)


ENTRIES = (
    Entry(
        "SaveImage",
        (link("images", "IMAGE"), _PREFIX),
        (),
        (
            Recipe(
                {
                    "it": Part(
                        "SaveImage", {"image": Given("images"), "name": Given("filename_prefix")}
                    )
                }
            ),
        ),
        "image",
        "Save Image",
        is_output=True,
    ),
    Entry(
        "PreviewImage",
        (link("images", "IMAGE"),),
        (),
        (Recipe({"it": Part("PreviewImage", {"image": Given("images")})}),),
        "image",
        "Preview Image",
        is_output=True,
    ),
    Entry(
        "LoadImage",
        (_PICTURE,),
        (*_IMAGE, *_MASK),
        (one("LoadImage", ("image", "mask"), image=Given("image")),),
        "image",
        "Load Image",
    ),
    Entry(
        "ImageScale",
        (
            link("image", "IMAGE"),
            _methods("lanczos"),
            _sides("width", default=512),
            _sides("height", default=512),
            choice("crop", "disabled", "center"),
        ),
        _IMAGE,
        (
            _resized(
                {"kind": "fit", "width": Given("width"), "height": _LARGEST},
                when=lambda values: not _given(values, "height") and _given(values, "width"),
                says={"height": 0, "crop": "disabled"},
            ),
            _resized(
                {"kind": "fit", "width": _LARGEST, "height": Given("height")},
                when=lambda values: not _given(values, "width") and _given(values, "height"),
                says={"width": 0, "crop": "disabled"},
            ),
            _resized(
                {"kind": "scale", "factor": 1.0},
                when=lambda values: not _given(values, "width") and not _given(values, "height"),
                says={"width": 0, "height": 0, "crop": "disabled"},
            ),
            _resized(
                {"kind": "exact", **_SIZE},
                when=lambda values: values.get("crop") == "disabled",
                says={"crop": "disabled"},
            ),
            _resized(
                {"kind": "fill", **_SIZE},
                when=lambda values: values.get("crop") == "center",
                says={"crop": "center"},
            ),
        ),
        "image/upscaling",
        "Upscale Image",
    ),
    Entry(
        "ImageScaleBy",
        (link("image", "IMAGE"), _methods("lanczos"), real("scale_by", 1.0, 0.01, 8.0)),
        _IMAGE,
        (_resized({"kind": "scale", "factor": Given("scale_by")}),),
        "image/upscaling",
        "Upscale Image By",
    ),
    Entry(
        "ImageScaleToTotalPixels",
        (
            link("image", "IMAGE"),
            _methods("lanczos"),
            real("megapixels", 1.0, 0.01, 16.0),
            whole("resolution_steps", 1, 1, 256),
        ),
        _IMAGE,
        (
            one(
                "ResizeImage",
                image=Given("image"),
                to={
                    "kind": "megapixels",
                    "megapixels": Given(
                        "megapixels", Codec(lambda n: n * _MEGA, lambda n: round(n / _MEGA, 6))
                    ),
                },
                interpolation=Given("upscale_method"),
                multiple_of=Given("resolution_steps"),
            ),
        ),
        "image/upscaling",
        "Scale Image to Total Pixels",
    ),
    Entry(
        "ImageUpscaleWithModel",
        (link("upscale_model", "UPSCALE_MODEL"), link("image", "IMAGE")),
        _IMAGE,
        (
            one(
                "UpscaleImage",
                upscaler=Given("upscale_model"),
                image=Given("image"),
                tile=512,
                overlap=32,
            ),
        ),
        "image/upscaling",
        "Upscale Image (using Model)",
    ),
    Entry(
        "ImageInvert",
        (link("image", "IMAGE"),),
        _IMAGE,
        (one("InvertImage", image=Given("image")),),
        "image",
        "Invert Image",
    ),
    Entry(
        "ImageBatch",
        (link("image1", "IMAGE"), link("image2", "IMAGE")),
        _IMAGE,
        (one("ConcatenateImages", images=[Given("image1"), Given("image2")]),),
        "image",
        "Batch Images",
    ),
    Entry(
        "ImageBlend",
        (
            link("image1", "IMAGE"),
            link("image2", "IMAGE"),
            real("blend_factor", 0.5, 0.0, 1.0),
            choice(
                "blend_mode", "normal", "multiply", "screen", "overlay", "soft_light", "difference"
            ),
        ),
        _IMAGE,
        (
            one(
                "BlendImages",
                first=Given("image1"),
                second=Given("image2"),
                amount=Given("blend_factor"),
                when=lambda values: values.get("blend_mode") == "normal",
                says={"blend_mode": "normal"},
            ),
        ),
        "image/postprocessing",
        "ImageBlend",
        limits="blend_mode must be normal",
    ),
    Entry(
        "ImageCrop",
        (
            link("image", "IMAGE"),
            whole("width", 512, 1, _LARGEST),
            whole("height", 512, 1, _LARGEST),
            whole("x", 0, 0, _LARGEST),
            whole("y", 0, 0, _LARGEST),
        ),
        _IMAGE,
        (one("CropImage", image=Given("image"), **_SIZE, x=Given("x"), y=Given("y")),),
        "image/transform",
        "Image Crop",
    ),
    Entry(
        "ImagePadForOutpaint",
        (
            link("image", "IMAGE"),
            *(_sides(name) for name in ("left", "top", "right", "bottom")),
            whole("feathering", 40, 0, _LARGEST),
        ),
        (*_IMAGE, *_MASK),
        (
            one(
                "PadImage",
                ("image", "mask"),
                image=Given("image"),
                left=Given("left"),
                top=Given("top"),
                right=Given("right"),
                bottom=Given("bottom"),
                feather=Given("feathering"),
            ),
        ),
        "image",
        "Pad Image for Outpainting",
    ),
    Entry(
        "ImageCompositeMasked",
        (
            link("destination", "IMAGE"),
            link("source", "IMAGE"),
            whole("x", 0, 0, _LARGEST),
            whole("y", 0, 0, _LARGEST),
            flag("resize_source", default=False),
            link("mask", "MASK", required=False),
        ),
        _IMAGE,
        (
            one(
                "CompositeImage",
                base=Given("destination"),
                overlay=Given("source"),
                mask=Given("mask"),
                x=Given("x"),
                y=Given("y"),
                when=lambda values: values.get("resize_source") is False,
                says={"resize_source": False},
            ),
        ),
        "image",
        "ImageCompositeMasked",
        limits="resize_source must be off",
    ),
    Entry(
        "GetImageSize",
        (link("image", "IMAGE"),),
        (("width", "INT"), ("height", "INT"), ("batch_size", "INT")),
        (
            Recipe(
                {"it": Part("ImageSize", {"image": Given("image")})},
                (Made("it", "width"), Made("it", "height"), None),
            ),
        ),
        "image",
        "Get Image Size",
    ),
    Entry(
        "Canny",
        (
            link("image", "IMAGE"),
            real("low_threshold", 0.4, 0.01, 0.99),
            real("high_threshold", 0.8, 0.01, 0.99),
        ),
        _IMAGE,
        (
            one(
                "CannyEdges",
                image=Given("image"),
                low=Given("low_threshold"),
                high=Given("high_threshold"),
                blur=1.0,
            ),
        ),
        "image/preprocessors",
        "Canny",
    ),
)
