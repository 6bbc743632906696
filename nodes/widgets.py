"""The named types of the widgets: choices, numbers with their ranges, names of files."""

from typing import Annotated, Literal

from pydantic import Field

FamilyName = Literal["sd1", "sd2", "upscaler", "sdxl", "refiner"]
TowerName = Literal["text_encoder", "text_encoder_2"]
"""A text encoder by its place in a diffusers folder: SDXL has two, its refiner the second one alone."""
PredictionType = Literal["epsilon", "v_prediction", "sample", "flow_prediction"]
ProfileName = Literal["diffusers", "comfyui"]
StartScale = Literal["sigma", "variance"]
"""What the noise of a run's start is multiplied by: sigma, or sqrt(1 + sigma^2) as in training."""
Clock = Literal["interpolated", "rounded"]
"""How t is read off sigma: between the table's entries in log sigma, or at the nearest entry."""
LastLevel = Literal["zero", "lowest"]
"""Where a run ends: without noise, or at the noise of the first timestep."""
StepNoise = Literal["drawn", "brownian"]
"""Independent draws from the seed's generator, or increments of a Brownian motion over sigma."""
DenoiseRule = Literal["longer", "shorter"]
"""A denoise below 1 takes the last of more steps, or fewer of the steps (diffusers' strength)."""
MaskRule = Literal["behind", "ahead", "around"]
"""What is kept beside a mask: at the noise before the step, at that after it, or around each call."""
WeightsKind = Literal[
    "checkpoints", "vae", "controlnet", "clip_vision", "depth", "karlo",
    "loras", "embeddings", "upscale_models",
]  # fmt: skip
Seed = Annotated[
    int,
    Field(
        ge=0,
        lt=2**64,
        description="Where the noise comes from",
        json_schema_extra={"widget": "seed"},
    ),
]
MOST_STEPS = 1000
"""Of a run, or of one part of it."""
Steps = Annotated[int, Field(ge=1, le=MOST_STEPS, description="Denoising steps")]
GuidanceScale = Annotated[
    float,
    Field(
        ge=0,
        le=100,
        title="CFG",
        description="How strongly to follow the prompt; 1 = off",
        json_schema_extra={"step": 0.5},
    ),
]
Fraction = Annotated[float, Field(ge=0, le=1, json_schema_extra={"step": 0.05})]
Strength = Annotated[float, Field(ge=0, le=10, json_schema_extra={"step": 0.05})]
Pixels = Annotated[int, Field(ge=16, le=16384, json_schema_extra={"step": 8})]
BatchSize = Annotated[int, Field(ge=1, le=4096, description="Pictures at once")]
Prompt = Annotated[
    str, Field(description="What the picture shows", json_schema_extra={"widget": "multiline"})
]
FileName = Annotated[str, Field(min_length=1, max_length=1024)]
CheckpointName = Annotated[FileName, Field(json_schema_extra={"files": "checkpoints"})]
VAEName = Annotated[FileName, Field(json_schema_extra={"files": "vae"})]
ControlNetName = Annotated[FileName, Field(json_schema_extra={"files": "controlnet"})]
ImageEncoderName = Annotated[FileName, Field(json_schema_extra={"files": "clip_vision"})]
DepthName = Annotated[FileName, Field(json_schema_extra={"files": "depth"})]
KarloName = Annotated[FileName, Field(json_schema_extra={"files": "karlo"})]
KarloPart = Literal[
    "text_encoder_2", "prior", "text_proj", "decoder", "super_res_first", "super_res_last"
]
LoraName = Annotated[FileName, Field(json_schema_extra={"files": "loras"})]
EmbeddingName = Annotated[FileName, Field(json_schema_extra={"files": "embeddings"})]
UpscalerName = Annotated[FileName, Field(json_schema_extra={"files": "upscale_models"})]
ImageName = Annotated[FileName, Field(json_schema_extra={"files": "images"})]
SamplerName = Literal[
    "euler",
    "euler_ancestral",
    "heun",
    "dpm_2",
    "dpm_2_ancestral",
    "lms",
    "dpmpp_2s_ancestral",
    "dpmpp_sde",
    "dpmpp_2m",
    "dpmpp_2m_sde",
    "dpmpp_3m_sde",
    "ddim",
    "ddpm",
    "pndm",
    "unipc",
    "unipc_bh1",
    "deis",
    "lcm",
    "tcd",
]
ScheduleName = Literal[
    "normal",
    "karras",
    "exponential",
    "simple",
    "sgm_uniform",
    "ddim_uniform",
    "trailing",
    "leading",
    "linspace",
    "beta",
    "turbo",
    "align_your_steps",
]
Interpolation = Literal["nearest", "bilinear", "bicubic", "area", "lanczos"]
