"""Nodes that name the weights to use."""

from server.comfy.declared import (
    Codec,
    Entry,
    Given,
    Made,
    Part,
    Recipe,
    UntranslatableError,
    choice,
    files,
    link,
    one,
    real,
    whole,
)

_PARTS = (("MODEL", "MODEL"), ("CLIP", "CLIP"), ("VAE", "VAE"))
_CHECKPOINT = ("model", "text_encoder", "vae")
_CONFIGS = (
    "anything_v3.yaml", "v1-inference.yaml", "v1-inference_clip_skip_2.yaml",
    "v1-inference_clip_skip_2_fp16.yaml", "v1-inference_fp16.yaml", "v1-inpainting-inference.yaml",
    "v2-inference-v.yaml", "v2-inference-v_fp32.yaml", "v2-inference.yaml", "v2-inference_fp32.yaml",
    "v2-inpainting-inference.yaml",
)  # fmt: skip
_SKIPS = frozenset({"anything_v3.yaml", *(name for name in _CONFIGS if "clip_skip_2" in name)})
_READS_ITSELF = "config_name is left out: Darkroom reads from the file what kind of model it is"


def _left_out(layer: int) -> int:
    if layer >= 0:
        raise UntranslatableError("it counts layers from the end: give a number below 0")
    return -1 - layer


ENTRIES = (
    Entry(
        "CheckpointLoaderSimple",
        (files("ckpt_name", "checkpoints"),),
        _PARTS,
        (
            one(
                "LoadCheckpoint", _CHECKPOINT, checkpoint=Given("ckpt_name"), prediction_type="auto"
            ),
        ),
        "loaders",
        "Load Checkpoint",
    ),
    Entry(
        "CheckpointLoader",
        (choice("config_name", *_CONFIGS), files("ckpt_name", "checkpoints")),
        _PARTS,
        (
            Recipe(
                {
                    "file": Part("LoadCheckpoint", {"checkpoint": Given("ckpt_name")}),
                    "skip": Part(
                        "ClipSkip", {"text_encoder": Made("file", "text_encoder"), "layers": 1}
                    ),
                },
                (Made("file", "model"), Made("skip"), Made("file", "vae")),
                when=lambda values: values.get("config_name") in _SKIPS,
                near=_READS_ITSELF,
                exports=False,
            ),
            one(
                "LoadCheckpoint",
                _CHECKPOINT,
                near=_READS_ITSELF,
                exports=False,
                checkpoint=Given("ckpt_name"),
            ),
        ),
        "advanced/loaders",
        "Load Checkpoint With Config (DEPRECATED)",
    ),
    Entry(
        "VAELoader",
        (files("vae_name", "vae"),),
        (("VAE", "VAE"),),
        (one("LoadVAE", vae=Given("vae_name")),),
        "loaders",
        "Load VAE",
    ),
    Entry(
        "ControlNetLoader",
        (files("control_net_name", "controlnet"),),
        (("CONTROL_NET", "CONTROL_NET"),),
        (one("LoadControlNet", controlnet=Given("control_net_name")),),
        "loaders",
        "Load ControlNet Model",
    ),
    Entry(
        "CLIPSetLastLayer",
        (link("clip", "CLIP"), whole("stop_at_clip_layer", -1, -24, -1)),
        (("CLIP", "CLIP"),),
        (
            one(
                "ClipSkip",
                text_encoder=Given("clip"),
                layers=Given("stop_at_clip_layer", Codec(_left_out, lambda layers: -1 - layers)),
            ),
        ),
        "conditioning",
        "CLIP Set Last Layer",
    ),
    Entry(
        "DiffControlNetLoader",
        (link("model", "MODEL"), files("control_net_name", "controlnet")),
        (("CONTROL_NET", "CONTROL_NET"),),
    ),
    Entry(
        "unCLIPCheckpointLoader",
        (files("ckpt_name", "checkpoints"),),
        (*_PARTS, ("CLIP_VISION", "CLIP_VISION")),
        (
            one(
                "LoadUnCLIPCheckpoint",
                (*_CHECKPOINT, "image_encoder"),
                checkpoint=Given("ckpt_name"),
                prediction_type="auto",
            ),
        ),
        "loaders",
        "unCLIPCheckpointLoader",
    ),
    Entry(
        "UpscaleModelLoader",
        (files("model_name", "upscale_models"),),
        (("UPSCALE_MODEL", "UPSCALE_MODEL"),),
        (one("LoadUpscaler", upscaler=Given("model_name")),),
        "loaders",
        "Load Upscale Model",
    ),
    Entry(
        "CLIPVisionLoader",
        (files("clip_name", "clip_vision"),),
        (("CLIP_VISION", "CLIP_VISION"),),
        (one("LoadImageEncoder", image_encoder=Given("clip_name")),),
        "loaders",
        "Load CLIP Vision",
    ),
    Entry("StyleModelLoader", (choice("style_model_name"),), (("STYLE_MODEL", "STYLE_MODEL"),)),
    Entry("GLIGENLoader", (choice("gligen_name"),), (("GLIGEN", "GLIGEN"),)),
    Entry("PhotoMakerLoader", (choice("photomaker_model_name"),), (("PHOTOMAKER", "PHOTOMAKER"),)),
    Entry(
        "LoraLoader",
        (
            link("model", "MODEL"),
            link("clip", "CLIP"),
            files("lora_name", "loras"),
            real("strength_model", 1.0, -100.0, 100.0),
            real("strength_clip", 1.0, -100.0, 100.0),
        ),
        (("MODEL", "MODEL"), ("CLIP", "CLIP")),
        (
            one(
                "LoadLora",
                ("model", "text_encoder"),
                model=Given("model"),
                text_encoder=Given("clip"),
                lora=Given("lora_name"),
                strength=Given("strength_model"),
                text_strength=Given("strength_clip"),
            ),
        ),
        "loaders",
        "Load LoRA",
    ),
    Entry(
        "LoraLoaderModelOnly",
        (
            link("model", "MODEL"),
            files("lora_name", "loras"),
            real("strength_model", 1.0, -100.0, 100.0),
        ),
        (("MODEL", "MODEL"),),
        (
            one(
                "LoadModelLora",
                model=Given("model"),
                lora=Given("lora_name"),
                strength=Given("strength_model"),
            ),
        ),
        "loaders",
        "LoraLoaderModelOnly",
    ),
    Entry(
        "HypernetworkLoader",
        (link("model", "MODEL"), choice("hypernetwork_name"), real("strength", 1.0, -10.0, 10.0)),
        (("MODEL", "MODEL"),),
    ),
)
