"""Nodes for prompts and what acts beside them."""

import re

from server.comfy.declared import (
    Codec,
    Entry,
    Given,
    Made,
    Part,
    Preset,
    Recipe,
    choice,
    flag,
    link,
    one,
    real,
    text,
    whole,
)

_CHOSEN = re.compile(r"\{[^{}]*\|[^{}]*\}")


def _read_plainly(prompt: object) -> str:
    """What of a prompt ComfyUI reads in its own way."""
    if not isinstance(prompt, str):
        return ""
    if _CHOSEN.search(prompt):
        return "ComfyUI's editor chooses one of {a|b}; here all of it is read"
    return ""


def _level(most: int) -> Codec:
    """A share of the noise, as one of the levels up to `most`."""
    return Codec(lambda share: round(most * share), lambda level: round(level / most, 3))


_CONDITIONING = (("CONDITIONING", "CONDITIONING"),)
_BOTH = (("positive", "CONDITIONING"), ("negative", "CONDITIONING"))
_CONTROL = ("positive", "negative")
_SYNTAX = Preset("comfyui", "weights inside of others, [a] and BREAK are read otherwise there")
_EQUIPPED = ("positive", "negative", "latents")
_AREA = (
    whole("width", 64, 64, 16384, step=8),
    whole("height", 64, 64, 16384, step=8),
    whole("x", 0, 0, 16384, step=8),
    whole("y", 0, 0, 16384, step=8),
)

ENTRIES = (
    Entry(
        "CLIPTextEncode",
        (text("text", multiline=True, near=_read_plainly), link("clip", "CLIP")),
        _CONDITIONING,
        (one("CLIPEncode", text_encoder=Given("clip"), text=Given("text"), syntax=_SYNTAX),),
        "conditioning",
        "CLIP Text Encode (Prompt)",
    ),
    # ComfyUI applies this ControlNet to a sampler's negative prompt too: `controls.py` sees to that.
    Entry(
        "ControlNetApply",
        (
            link("conditioning", "CONDITIONING"),
            link("control_net", "CONTROL_NET"),
            link("image", "IMAGE"),
            real("strength", 1.0, 0.0, 10.0),
        ),
        _CONDITIONING,
        (
            Recipe(
                {
                    "control": Part(
                        "ControlNetApply",
                        {
                            "positive": Given("conditioning"),
                            "negative": Given("conditioning"),
                            "controlnet": Given("control_net"),
                            "image": Given("image"),
                            "strength": Given("strength"),
                            "start": 0.0,
                            "end": 1.0,
                        },
                    )
                },
                (Made("control", "positive"),),
                exports=False,
            ),
        ),
        "conditioning/controlnet",
        "Apply ControlNet (OLD)",
    ),
    Entry(
        "ControlNetApplyAdvanced",
        (
            link("positive", "CONDITIONING"),
            link("negative", "CONDITIONING"),
            link("control_net", "CONTROL_NET"),
            link("image", "IMAGE"),
            real("strength", 1.0, 0.0, 10.0),
            real("start_percent", 0.0, 0.0, 1.0, step=0.001),
            real("end_percent", 1.0, 0.0, 1.0, step=0.001),
            link("vae", "VAE", required=False),
        ),
        _BOTH,
        (
            one(
                "ControlNetApply",
                _CONTROL,
                positive=Given("positive"),
                negative=Given("negative"),
                controlnet=Given("control_net"),
                image=Given("image"),
                strength=Given("strength"),
                start=Given("start_percent"),
                end=Given("end_percent"),
            ),
        ),
        "conditioning/controlnet",
        "Apply ControlNet",
    ),
    Entry(
        "CLIPTextEncodeSDXL",
        (
            link("clip", "CLIP"),
            whole("width", 1024, 0, 16384),
            whole("height", 1024, 0, 16384),
            whole("crop_w", 0, 0, 16384),
            whole("crop_h", 0, 0, 16384),
            whole("target_width", 1024, 0, 16384),
            whole("target_height", 1024, 0, 16384),
            text("text_g", multiline=True),
            text("text_l", multiline=True),
        ),
        _CONDITIONING,
        (
            Recipe(
                {
                    "prompt": Part(
                        "CLIPEncodePair",
                        {
                            "text_encoder": Given("clip"),
                            "text_l": Given("text_l"),
                            "text_g": Given("text_g"),
                            "syntax": "comfyui",
                        },
                    ),
                    "size": Part(
                        "SizeConditioning",
                        {
                            "conditioning": Made("prompt"),
                            "width": Given("width"),
                            "height": Given("height"),
                            "crop_x": Given("crop_w"),
                            "crop_y": Given("crop_h"),
                            "target_width": Given("target_width"),
                            "target_height": Given("target_height"),
                        },
                    ),
                },
                (Made("size"),),
            ),
        ),
        "advanced/conditioning",
        "CLIPTextEncodeSDXL",
    ),
    Entry(
        "CLIPTextEncodeSDXLRefiner",
        (
            real("ascore", 6.0, 0.0, 1000.0),
            whole("width", 1024, 0, 16384),
            whole("height", 1024, 0, 16384),
            text("text", multiline=True),
            link("clip", "CLIP"),
        ),
        _CONDITIONING,
        (
            Recipe(
                {
                    "prompt": Part(
                        "CLIPEncode",
                        {
                            "text_encoder": Given("clip"),
                            "text": Given("text"),
                            "syntax": "comfyui",
                        },
                    ),
                    "size": Part(
                        "SizeConditioning",
                        {
                            "conditioning": Made("prompt"),
                            "width": Given("width"),
                            "height": Given("height"),
                            "crop_x": 0,
                            "crop_y": 0,
                            "target_width": 0,
                            "target_height": 0,
                        },
                    ),
                    "score": Part(
                        "AestheticScore",
                        {"conditioning": Made("size"), "score": Given("ascore")},
                    ),
                },
                (Made("score"),),
            ),
        ),
        "advanced/conditioning",
        "CLIPTextEncodeSDXLRefiner",
    ),
    Entry(
        "CLIPVisionEncode",
        (
            link("clip_vision", "CLIP_VISION"),
            link("image", "IMAGE"),
            choice("crop", "center", "none"),
        ),
        (("CLIP_VISION_OUTPUT", "CLIP_VISION_OUTPUT"),),
        (
            one(
                "CLIPVisionEncode",
                image_encoder=Given("clip_vision"),
                image=Given("image"),
                crop=Given("crop"),
            ),
        ),
        "conditioning",
        "CLIP Vision Encode",
    ),
    Entry(
        "unCLIPConditioning",
        (
            link("conditioning", "CONDITIONING"),
            link("clip_vision_output", "CLIP_VISION_OUTPUT"),
            real("strength", 1.0, -10.0, 10.0),
            real("noise_augmentation", 0.0, 0.0, 1.0),
        ),
        _CONDITIONING,
        (
            one(
                "UnCLIPConditioning",
                near="the noise that blurs the picture is another, as it has a seed of its own",
                conditioning=Given("conditioning"),
                embedding=Given("clip_vision_output"),
                strength=Given("strength"),
                noise_level=Given(
                    "noise_augmentation",
                    _level(999),
                ),
            ),
        ),
        "conditioning",
        "unCLIPConditioning",
    ),
    Entry(
        "SD_4XUpscale_Conditioning",
        (
            link("images", "IMAGE"),
            *(link(name, "CONDITIONING") for name in ("positive", "negative")),
            real("scale_ratio", 4.0, 0.0, 10.0),
            real("noise_augmentation", 0.0, 0.0, 1.0, step=0.001),
        ),
        (*_BOTH, ("latent", "LATENT")),
        (
            one(
                "UpscaleConditioning",
                _EQUIPPED,
                when=lambda values: values.get("scale_ratio") == 4,
                says={"scale_ratio": 4.0},
                near="the noise in the small picture comes from a seed of its own, not from the sampler's",
                positive=Given("positive"),
                negative=Given("negative"),
                image=Given("images"),
                noise_level=Given(
                    "noise_augmentation",
                    _level(350),
                ),
            ),
        ),
        "conditioning/upscale_diffusion",
        "SD_4XUpscale_Conditioning",
        limits="scale_ratio must be 4, that of the model",
    ),
    Entry(
        "StyleModelApply",
        (
            link("conditioning", "CONDITIONING"),
            link("style_model", "STYLE_MODEL"),
            link("clip_vision_output", "CLIP_VISION_OUTPUT"),
            real("strength", 1.0, 0.0, 10.0, step=0.001),
            choice("strength_type", "multiply", "attn_bias"),
        ),
        _CONDITIONING,
    ),
    Entry(
        "GLIGENTextBoxApply",
        (
            link("conditioning_to", "CONDITIONING"),
            link("clip", "CLIP"),
            link("gligen_textbox_model", "GLIGEN"),
            text("text", multiline=True),
            *_AREA,
        ),
        _CONDITIONING,
    ),
    Entry(
        "PhotoMakerEncode",
        (
            link("photomaker", "PHOTOMAKER"),
            link("image", "IMAGE"),
            link("clip", "CLIP"),
            text("text", "photograph of photomaker", multiline=True),
        ),
        _CONDITIONING,
    ),
    Entry(
        "InpaintModelConditioning",
        (
            link("positive", "CONDITIONING"),
            link("negative", "CONDITIONING"),
            link("vae", "VAE"),
            link("pixels", "IMAGE"),
            link("mask", "MASK"),
            flag("noise_mask", default=True),
        ),
        (*_BOTH, ("latent", "LATENT")),
        (
            one(
                "InpaintConditioning",
                _EQUIPPED,
                positive=Given("positive"),
                negative=Given("negative"),
                vae=Given("vae"),
                image=Given("pixels"),
                mask=Given("mask"),
                mask_latents=Given("noise_mask"),
            ),
        ),
        "conditioning/inpaint",
        "InpaintModelConditioning",
    ),
    Entry(
        "InstructPixToPixConditioning",
        (
            link("positive", "CONDITIONING"),
            link("negative", "CONDITIONING"),
            link("vae", "VAE"),
            link("pixels", "IMAGE"),
        ),
        (*_BOTH, ("latent", "LATENT")),
        (
            one(
                "EditConditioning",
                _EQUIPPED,
                positive=Given("positive"),
                negative=Given("negative"),
                vae=Given("vae"),
                image=Given("pixels"),
            ),
        ),
        "conditioning/instructpix2pix",
        "InstructPixToPixConditioning",
    ),
)
