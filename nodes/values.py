"""The values that travel along links, and the named types of the widgets."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from engine.node import Opaque

if TYPE_CHECKING:  # declarations must not import torch: a command with nothing to compute is quick
    from torch import Tensor

    from .diffusion.brownian import BrownianTree

FamilyName = Literal["sd1"]
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
WeightsKind = Literal["checkpoints", "vae", "controlnet"]


@dataclass(frozen=True)
class Weights:
    """Which bytes: a file (or diffusers folder) of weights by its name and the digest of its content."""

    kind: WeightsKind
    name: str
    digest: str


@dataclass(frozen=True)
class Model(Opaque):
    """A denoiser as a recipe. The model pool turns it into weights when a node needs them."""

    weights: Weights
    family: FamilyName = "sd1"
    prediction_type: PredictionType = "epsilon"
    zero_snr: bool = False
    """Whether its noise ends in noise alone: a zero terminal signal-to-noise ratio."""


@dataclass(frozen=True)
class TextEncoder(Opaque):
    """A text encoder as a recipe.

    `skip` counts the last layers left out: 0 reads the last one, 1 the one before.
    """

    weights: Weights
    family: FamilyName = "sd1"
    skip: int = 0


@dataclass(frozen=True)
class VAE(Opaque):
    """An autoencoder as a recipe. `scaling_factor` takes its space to that of `Latents`."""

    weights: Weights
    scaling_factor: float = 0.18215


@dataclass(frozen=True)
class ControlNet(Opaque):
    """A ControlNet as a recipe."""

    weights: Weights


@dataclass(frozen=True, eq=False)
class Control:
    """One ControlNet at work: its hint (B, 3, H, W) in 0-1, and when and how strongly it acts.

    `start` and `end` are fractions of the sampling steps.
    """

    controlnet: ControlNet
    hint: "Tensor"
    strength: float
    start: float
    end: float


@dataclass(frozen=True, eq=False)
class Conditioning(Opaque):
    """An encoded prompt, (B, tokens, width), with the ControlNets that act beside it."""

    embeddings: "Tensor"
    controls: tuple[Control, ...] = ()

    def with_control(self, control: Control) -> "Conditioning":
        """The same prompt with one more ControlNet."""
        return replace(self, controls=(*self.controls, control))


@dataclass(frozen=True, eq=False)
class Latents(Opaque):
    """Latents, (B, C, H / 8, W / 8) float32 on the CPU, after the scaling factor.

    `mask`, (1 or B, 1, H / 8, W / 8) in 0-1, limits what a sampler repaints: 1 is repainted.
    """

    samples: "Tensor"
    mask: "Tensor | None" = None

    def with_samples(self, samples: "Tensor") -> "Latents":
        """The same mask around other samples."""
        return replace(self, samples=samples)


@dataclass(frozen=True)
class SamplingDetails(Opaque):
    """How sampling departs from a profile, and from a sampler's own settings; None keeps to them."""

    start_scale: StartScale | None = None
    clock: Clock | None = None
    last_level: LastLevel | None = None
    noise: ProfileName | None = None
    """Whose order of seeds and draws."""
    step_noise: StepNoise | None = None
    denoise_rule: DenoiseRule | None = None
    mask_rule: MaskRule | None = None
    eta: float | None = None
    """The share of the noise that a step makes anew."""
    noise_scale: float = 1.0
    """By what the noise of the steps is multiplied."""
    order: int | None = None
    """How many estimates a multistep sampler goes by."""


@dataclass(frozen=True)
class Sigmas(Opaque):
    """The noise levels of a run, descending: one more than there are steps."""

    levels: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class SamplerState(Opaque):
    """A run of denoising steps, halted between two: all that the rest of it depends on but model and prompts.

    Tensors are float32 on the CPU, latents (B, C, H / 8, W / 8).
    """

    sampler: "SamplerName"
    profile: "ProfileName"
    family: FamilyName
    """Of the model that the schedule was made for."""
    sigmas: tuple[float, ...]
    """The noise levels of the whole run, descending: one more than there are steps."""
    timesteps: tuple[float, ...]
    """What the model's clock shows at each step."""
    x: "Tensor"
    """The noisy latents: clean ones + sigma * noise."""
    noise: "Tensor"
    """What the run started with, of standard deviation 1."""
    generators: tuple["Tensor", ...]
    """Where the noise of the steps to come is drawn from: CPU generators' states."""
    step: int = 0
    """How many steps are taken."""
    denoised: "Tensor | None" = None
    """The latest estimate of the clean latents, which multistep samplers go on from."""
    history: "tuple[Tensor, ...]" = ()
    """What else they remember, the latest first."""
    kept: Latents | None = None
    """Where the run started, with the mask that limits what is repainted, if there is one."""
    details: SamplingDetails = SamplingDetails()
    """How the run departs from its profile."""
    tree: "BrownianTree | None" = None
    """What the steps' noise is drawn from instead of the generators, if anything."""
    zero_snr: bool = False
    """Whether the schedule was made for a model whose noise ends in noise alone."""

    @property
    def steps(self) -> int:
        """How many steps the whole run has."""
        return len(self.timesteps)

    @property
    def done(self) -> bool:
        """Whether all steps are taken."""
        return self.step == self.steps


@dataclass(frozen=True, eq=False)
class Image(Opaque):
    """Pictures, (B, 3, H, W) float32 in 0-1 on the CPU."""

    pixels: "Tensor"


@dataclass(frozen=True, eq=False)
class Mask(Opaque):
    """Masks, (B, 1, H, W) float32 in 0-1 on the CPU; 1 is repainted."""

    pixels: "Tensor"


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
