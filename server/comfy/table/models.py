"""Nodes that merge, guide, change and save models; most are known by their interface alone."""

from server.comfy.declared import (
    Entry,
    Given,
    Input,
    Preset,
    choice,
    flag,
    link,
    one,
    real,
    text,
    whole,
)

EACH_ALONE = "each picture of a batch is taken by itself here"
_MODEL, _CLIP = (("MODEL", "MODEL"),), (("CLIP", "CLIP"),)
_MODELS = (link("model1", "MODEL"), link("model2", "MODEL"))
_CLIPS = (link("clip1", "CLIP"), link("clip2", "CLIP"))
_PREDICTIONS = {
    "eps": "epsilon",
    "v_prediction": "v_prediction",
    "lcm": "epsilon",
    "x0": "sample",
}
_XL_BLOCKS = (
    "time_embed.",
    "label_emb.",
    *(f"input_blocks.{index}" for index in range(9)),
    *(f"middle_block.{index}" for index in range(3)),
    *(f"output_blocks.{index}" for index in range(9)),
    "out.",
)

ENTRIES = (
    Entry("ModelMergeSimple", (*_MODELS, real("ratio", 1.0, 0.0, 1.0)), _MODEL),
    Entry(
        "ModelMergeBlocks",
        (*_MODELS, *(real(name, 1.0, 0.0, 1.0) for name in ("input", "middle", "out"))),
        _MODEL,
    ),
    Entry(
        "ModelMergeSDXL", (*_MODELS, *(real(name, 1.0, 0.0, 1.0) for name in _XL_BLOCKS)), _MODEL
    ),
    Entry("ModelMergeAdd", _MODELS, _MODEL),
    Entry("ModelMergeSubtract", (*_MODELS, real("multiplier", 1.0, -10.0, 10.0)), _MODEL),
    Entry("CLIPMergeSimple", (*_CLIPS, real("ratio", 1.0, 0.0, 1.0)), _CLIP),
    Entry("CLIPMergeAdd", _CLIPS, _CLIP),
    Entry("CLIPMergeSubtract", (*_CLIPS, real("multiplier", 1.0, -10.0, 10.0)), _CLIP),
    Entry(
        "CheckpointSave",
        (
            link("model", "MODEL"),
            link("clip", "CLIP"),
            link("vae", "VAE"),
            text("filename_prefix", "checkpoints/ComfyUI"),
        ),
        is_output=True,
    ),
    Entry(
        "ModelSamplingDiscrete",
        (
            link("model", "MODEL"),
            Input("sampling", "COMBO", words=_PREDICTIONS),
            flag("zsnr", default=False),
        ),
        _MODEL,
        (
            one(
                "ModelSampling",
                when=lambda values: values.get("sampling") == "lcm" and not values.get("zsnr"),
                says={"sampling": "lcm", "zsnr": False},
                model=Given("model"),
                prediction_type="epsilon",
                zero_snr=False,
                distilled=True,
            ),
            one(
                "ModelSampling",
                when=lambda values: (
                    values.get("sampling") in {"v_prediction", "x0"}
                    or (values.get("sampling") == "eps" and not values.get("zsnr"))
                ),
                model=Given("model"),
                prediction_type=Given("sampling"),
                zero_snr=Given("zsnr"),
                distilled=False,
            ),
        ),
        "advanced/model",
        "ModelSamplingDiscrete",
        limits="a model that predicts eps, as one made for LCM does, has no zero terminal SNR here",
    ),
    Entry(
        "ModelSamplingContinuousEDM",
        (
            link("model", "MODEL"),
            choice("sampling", "v_prediction", "edm", "edm_playground_v2.5", "eps", "cosmos_rflow"),
            real("sigma_max", 120.0, 0.0, 1000.0, step=0.001),
            real("sigma_min", 0.002, 0.0, 1000.0, step=0.001),
        ),
        _MODEL,
    ),
    Entry(
        "PatchModelAddDownscale",
        (
            link("model", "MODEL"),
            whole("block_number", 3, 1, 32),
            real("downscale_factor", 2.0, 0.1, 9.0, step=0.001),
            real("start_percent", 0.0, 0.0, 1.0, step=0.001),
            real("end_percent", 0.35, 0.0, 1.0, step=0.001),
            flag("downscale_after_skip", default=True),
            choice("downscale_method", "bicubic", "nearest-exact", "bilinear", "area", "bislerp"),
            choice("upscale_method", "bicubic", "nearest-exact", "bilinear", "area", "bislerp"),
        ),
        _MODEL,
    ),
    Entry(
        "RescaleCFG",
        (link("model", "MODEL"), real("multiplier", 0.7, 0.0, 1.0)),
        _MODEL,
        (
            one(
                "RescaleGuidance",
                model=Given("model"),
                amount=Given("multiplier"),
                of=Preset("velocity", "what is rescaled is v there"),
            ),
        ),
        "advanced/model",
        "RescaleCFG",
    ),
    Entry(
        "PerturbedAttentionGuidance",
        (link("model", "MODEL"), real("scale", 3.0, 0.0, 100.0)),
        _MODEL,
        (
            one(
                "PerturbedAttention",
                model=Given("model"),
                scale=Given("scale"),
                layers=Preset(["mid"], "only the middle layers are perturbed there"),
            ),
        ),
        "model_patches/unet",
        "PerturbedAttentionGuidance",
    ),
    Entry(
        "PerpNeg",
        (
            link("model", "MODEL"),
            link("empty_conditioning", "CONDITIONING"),
            real("neg_scale", 1.0, 0.0, 100.0),
        ),
        _MODEL,
        (
            one(
                "PerpendicularNegative",
                model=Given("model"),
                empty=Given("empty_conditioning"),
                scale=Given("neg_scale"),
                near=EACH_ALONE,
            ),
        ),
        "_for_testing",
        "Perp-Neg (DEPRECATED by PerpNegGuider)",
    ),
    Entry("DifferentialDiffusion", (link("model", "MODEL"),), _MODEL),
)
