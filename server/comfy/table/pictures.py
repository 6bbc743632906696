"""Nodes for latents and pictures."""

from collections.abc import Mapping
from typing import Any

from server.comfy.declared import (
    Codec,
    Computed,
    Entry,
    Given,
    Input,
    Made,
    Part,
    Recipe,
    UntranslatableError,
    choice,
    files,
    flag,
    link,
    one,
    real,
    text,
    whole,
)

_LATENT, _IMAGE, _MASK = (("LATENT", "LATENT"),), (("IMAGE", "IMAGE"),), (("MASK", "MASK"),)
_LARGEST = 16384
_MEGA = 1024 * 1024 / 1e6
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


def _not_zero(side: int) -> int:
    if side == 0:
        raise UntranslatableError("0 keeps the proportions, of which latents know nothing here")
    return side


def _given(values: Mapping[str, Any], name: str) -> bool:
    return values.get(name) != 0


_SIZE: dict[str, Any] = {"width": Given("width"), "height": Given("height")}
_SIDE = Codec(_not_zero, lambda side: side)
_FREE = Computed((), lambda: _LARGEST, lambda value, known: {})
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
                "VAEDecode",
                vae=Given("vae"),
                latents=Given("samples"),
                near="decoded whole, without tiles",
                exports=False,
            ),
        ),
        "_for_testing",
        "VAE Decode (Tiled)",
    ),
    Entry(
        "VAEEncode",
        (link("pixels", "IMAGE"), link("vae", "VAE")),
        _LATENT,
        (one("VAEEncode", vae=Given("vae"), image=Given("pixels"), sample=False, seed=0),),
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
                to={
                    "kind": "exact",
                    "width": Given("width", _SIDE),
                    "height": Given("height", _SIDE),
                },
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
    ),
    Entry(
        "LatentFromBatch",
        (link("samples", "LATENT"), whole("batch_index", 0, 0, 63), whole("length", 1, 1, 64)),
        _LATENT,
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
    ),
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
                {"kind": "fit", "width": Given("width"), "height": _FREE},
                when=lambda values: not _given(values, "height") and _given(values, "width"),
                says={"height": 0, "crop": "disabled"},
            ),
            _resized(
                {"kind": "fit", "width": _FREE, "height": Given("height")},
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
