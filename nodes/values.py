"""The values that travel along links."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from engine.node import Opaque

from .widgets import (
    FamilyName,
    KarloPart,
    PredictionType,
    TowerName,
    WeightsKind,
)

if TYPE_CHECKING:  # declarations must not import torch: a command with nothing to compute is quick
    from torch import Tensor


@dataclass(frozen=True)
class Weights:
    """Which bytes: a file (or diffusers folder) of weights by its name and the digest of its content."""

    kind: WeightsKind
    name: str
    digest: str


@dataclass(frozen=True)
class Patch:
    """A LoRA at a strength, in a model or a text encoder."""

    weights: Weights
    strength: float


@dataclass(frozen=True)
class Token:
    """A word of a prompt that stands for a textual-inversion embedding."""

    word: str
    weights: Weights


@dataclass(frozen=True)
class Model(Opaque):
    """A denoiser as a recipe. The model pool turns it into weights when a node needs them."""

    weights: Weights
    family: FamilyName = "sd1"
    prediction_type: PredictionType = "epsilon"
    patches: tuple[Patch, ...] = ()
    guidance: "tuple[GuidanceRule, ...]" = ()
    """How the prompts' predictions become one, beside the guidance scale: one rule of each kind."""
    zero_snr: bool = False
    """Whether its noise ends in noise alone: a zero terminal signal-to-noise ratio."""
    distilled: bool = False
    """Whether it is a latent consistency model, which knows but the timesteps of its distillation."""


@dataclass(frozen=True)
class TextEncoder(Opaque):
    """A text encoder, or a family's two, as a recipe.

    `skip` counts the last layers left out: 0 reads the last one, 1 the one before.
    """

    weights: Weights
    family: FamilyName = "sd1"
    skip: int = 0
    patches: tuple[Patch, ...] = ()
    tokens: tuple[Token, ...] = ()
    part: TowerName = "text_encoder"
    """Which of a family's encoders is borrowed; see `diffusion.families.recipes`."""
    cut: int = 0
    """Last layers that the weights lack from the start, as those of SD 2.x in diffusers folders do."""


@dataclass(frozen=True)
class VAE(Opaque):
    """An autoencoder as a recipe. `scaling_factor` takes its space to that of `Latents`."""

    weights: Weights
    scaling_factor: float = 0.18215


@dataclass(frozen=True)
class ImageEncoder(Opaque):
    """An encoder of pictures (CLIP's) as a recipe."""

    weights: Weights


@dataclass(frozen=True)
class DepthEstimator(Opaque):
    """A network that tells how far away things are (DPT) as a recipe."""

    weights: Weights


@dataclass(frozen=True)
class Karlo(Opaque):
    """Karlo's networks as a recipe, of which one is borrowed: its prior, unless another is named."""

    weights: Weights
    part: KarloPart = "prior"


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


@dataclass(frozen=True)
class Area:
    """A rectangle of the picture: in pixels, or in fractions of its sides."""

    x: float
    y: float
    width: float
    height: float
    is_fraction: bool = False


@dataclass(frozen=True, eq=False)
class Region:
    """Where, when and how strongly a prompt counts beside others in the same role.

    `mask` is (1 or B, 1, H, W) in 0-1 of any size; `start` and `end` are fractions of the sampling
    steps. Where several prompts count, the model's predictions are averaged by their weights.
    """

    strength: float = 1.0
    area: Area | None = None
    mask: "Tensor | None" = None
    start: float = 0.0
    end: float = 1.0


EVERYWHERE = Region()


Spread = tuple["Tensor", "Tensor"]
"""Mean and standard deviation of pictures' embeddings, each (1, width)."""


@dataclass(frozen=True, eq=False)
class ImageEmbedding(Opaque):
    """What an image encoder sees in pictures: (B, width) float32 on the CPU."""

    embedding: "Tensor"
    spread: Spread | None = None
    """Where the encoder's folder tells it. A model that brings its own goes by that."""


@dataclass(frozen=True)
class Framing:
    """What SDXL is told of a picture's making, in pixels: see arXiv:2307.01952, section 2.2."""

    width: int
    height: int
    """As the picture was before it was made smaller or cropped."""
    left: int = 0
    top: int = 0
    """What was cropped."""
    target_width: int = 0
    target_height: int = 0
    """As it is; 0 for the size of the latents."""


@dataclass(frozen=True, eq=False)
class ImagePrompt:
    """A picture that an unCLIP model is to show: its embedding (B, width), blurred by noise."""

    embedding: "Tensor"
    strength: float
    noise_level: int
    """Of 1000."""
    seed: int
    spread: Spread | None = None


@dataclass(frozen=True, eq=False)
class Conditioning(Opaque):
    """An encoded prompt, (B, tokens, width), with all that acts beside it.

    What a model needs and misses is refused, or has a default that is told here. Pictures and maps
    that it does not read are refused too, for the result would be another; the rest is left alone.
    """

    embeddings: "Tensor"
    controls: tuple[Control, ...] = ()
    pooled: "Tensor | None" = None
    """(B, width): the prompt as one vector, which SDXL reads too."""
    framing: Framing | None = None
    """For SDXL. By default that of a whole picture of the latents' size."""
    aesthetic: float | None = None
    """For SDXL's refiner, how pretty the picture is: by default 6 in a positive prompt, 2.5 in a negative one."""
    beside: "Tensor | None" = None
    """(1 or B, C, h, w): what the model reads in the channels behind those of the latents."""
    noise_level: int | None = None
    """For the upscaler: how much noise is in the small picture."""
    images: tuple[ImagePrompt, ...] = ()
    """For an unCLIP model."""
    region: Region = EVERYWHERE
    others: "tuple[Conditioning, ...]" = ()
    """Further prompts in the same role, each without others of its own."""

    @property
    def parts(self) -> "tuple[Conditioning, ...]":
        """Every prompt in this role, alone."""
        return (replace(self, others=()), *self.others) if self.others else (self,)

    def each(self, change: "Callable[[Conditioning], Conditioning]") -> "Conditioning":
        """The same with a change to every prompt in it."""
        first, *others = map(change, self.parts)
        return replace(first, others=tuple(others))

    def with_control(self, control: Control) -> "Conditioning":
        """The same prompts with one more ControlNet."""
        return self.each(lambda part: replace(part, controls=(*part.controls, control)))


@dataclass(frozen=True)
class RescaledGuidance:
    """Brings the guided prediction towards the spread of the prompt's own (arXiv:2305.08891, sec. 3.4)."""

    amount: float
    of: Literal["prediction", "velocity"] = "prediction"


@dataclass(frozen=True)
class GuidanceInterval:
    """Limits guidance to noise levels from `low` to `high` (arXiv:2404.07724)."""

    low: float
    high: float


@dataclass(frozen=True)
class PerturbedAttention:
    """Guides away from what the model sees with its self-attention switched off (arXiv:2403.17377)."""

    scale: float
    layers: tuple[str, ...] = ("mid",)


@dataclass(frozen=True)
class DynamicThreshold:
    """Bounds the estimate by a percentile of its own values (arXiv:2205.11487, sec. 2.3)."""

    percentile: float
    floor: float


@dataclass(frozen=True)
class StaticThreshold:
    """Cuts the estimate to [-limit, limit]."""

    limit: float


@dataclass(frozen=True, eq=False)
class PerpendicularNegative:
    """Keeps of the negative prompt only what does not oppose the positive one (arXiv:2304.04968)."""

    empty: Conditioning
    scale: float


@dataclass(frozen=True, eq=False)
class DualGuidance:
    """Guides from the negative prompt to `middle` and from there to the positive one (arXiv:2211.09800, eq. 3)."""

    middle: Conditioning
    scale: float
    """Of the way from the negative to the middle."""


GuidanceRule = (
    RescaledGuidance
    | GuidanceInterval
    | PerturbedAttention
    | DynamicThreshold
    | StaticThreshold
    | PerpendicularNegative
    | DualGuidance
)


@dataclass(frozen=True)
class Upscaler(Opaque):
    """A network that enlarges pictures, as a recipe."""

    weights: Weights


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


@dataclass(frozen=True, eq=False)
class Image(Opaque):
    """Pictures, (B, 3, H, W) float32 in 0-1 on the CPU."""

    pixels: "Tensor"


@dataclass(frozen=True, eq=False)
class Mask(Opaque):
    """Masks, (B, 1, H, W) float32 in 0-1 on the CPU; 1 is repainted."""

    pixels: "Tensor"
