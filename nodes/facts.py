"""What is known of values before a run: sizes and origins. The rules by which nodes change them.

The nodes and their `infer` follow the same rules, so a fact never differs from the value.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from inspect import Parameter, Signature
from typing import Any

from engine.errors import InputError
from engine.facts import has_unknown
from engine.node import UNKNOWN

from .states import SamplerState, Sigmas
from .values import Conditioning, Image, ImageEmbedding, Latents, Mask

MAX_PIXELS = 89_000_000
"""The most pixels of one picture; just below where Pillow warns of a decompression bomb."""


@dataclass(frozen=True)
class PixelFacts:
    """Of an `Image`, a `Mask`, or the mask of latents: how many of which size."""

    batch: int
    height: int
    width: int

    @property
    def size(self) -> str:
        """For a message: `512 x 768`."""
        return f"{self.width} x {self.height}"

    def sized(self, width: int, height: int) -> "PixelFacts":
        """As many of another size."""
        return replace(self, width=width, height=height)


@dataclass(frozen=True)
class Space:
    """What latents mean: the scaling factor of their autoencoder, and the file that made them."""

    scaling_factor: float
    file: str


@dataclass(frozen=True)
class LatentFacts:
    """Of `Latents`: their shape, their mask's, and what is known of their space."""

    batch: int
    channels: int
    height: int
    width: int
    mask: PixelFacts | None = None
    space: Space | None = None
    """None if any will do, as for empty latents."""

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Batch, channels, height, width."""
        return self.batch, self.channels, self.height, self.width

    def sized(self, width: int, height: int) -> "LatentFacts":
        """As many of another size, their mask with them."""
        mask = self.mask and self.mask.sized(width, height)
        return replace(self, width=width, height=height, mask=mask)

    def within(self, space: Space) -> "LatentFacts":
        """The same in a space that is known."""
        return replace(self, space=space)


@dataclass(frozen=True)
class ControlFacts:
    """Of a `Control`. What is not known is `UNKNOWN`."""

    controlnet: Any
    """A `ControlNet`."""
    image: Any
    """`PixelFacts`."""
    strength: Any
    start: Any
    end: Any


@dataclass(frozen=True)
class RegionFacts:
    """Of a `Region`. What is not known is `UNKNOWN`."""

    strength: Any = 1.0
    area: Any = None
    """An `Area`."""
    mask: Any = None
    """`PixelFacts`."""
    start: Any = 0.0
    end: Any = 1.0


@dataclass(frozen=True)
class ConditioningFacts:
    """Of a `Conditioning`: how many prompts, how wide their embeddings are, what acts beside them."""

    batch: int
    width: int
    controls: tuple[ControlFacts, ...] = ()
    pieces: Any = UNKNOWN
    """The most pieces, of 77 tokens as a rule, that the prompt can have."""
    pooled: Any = UNKNOWN
    """The width of the prompt as one vector; None without one."""
    beside: Any = UNKNOWN
    """What the model reads in the channels behind those of the latents: how many, and `PixelFacts`; or None."""
    images: tuple[Any, ...] = ()
    """`EmbeddingFacts` of each `ImagePrompt`, or `UNKNOWN`."""
    region: RegionFacts = RegionFacts()
    others: "tuple[ConditioningFacts, ...]" = ()
    """Of the further prompts in the same role."""

    @property
    def parts(self) -> "tuple[ConditioningFacts, ...]":
        """Of every prompt in the role, alone."""
        return (replace(self, others=()), *self.others)

    def each(
        self, change: "Callable[[ConditioningFacts], ConditioningFacts]"
    ) -> "ConditioningFacts":
        """The same with a change to every prompt in the role."""
        first, *others = map(change, self.parts)
        return replace(first, others=tuple(others))

    def placed(self, **changed: Any) -> "ConditioningFacts":
        """The same with a change to the region of every prompt in the role."""
        return self.each(lambda part: replace(part, region=replace(part.region, **changed)))


@dataclass(frozen=True)
class SamplerFacts:
    """Of a `SamplerState`: its latents, whose they are, and how far it is. What is not known is `UNKNOWN`."""

    latents: LatentFacts
    """The noisy ones, with the mask that limits what is repainted."""
    family: Any
    profile: Any
    steps: Any
    """Of the whole run."""
    left: Any
    """Steps that are still to be taken."""
    sampler: Any = UNKNOWN
    ends_clean: Any = UNKNOWN
    """Whether it ends at no noise."""

    @property
    def step(self) -> Any:
        """How many steps are taken."""
        return UNKNOWN if has_unknown((self.steps, self.left)) else self.steps - self.left

    def lasting(self) -> "SamplerFacts":
        """What still holds when a loop has taken steps: not how many are left."""
        return replace(self, left=UNKNOWN)


@dataclass(frozen=True)
class EmbeddingFacts:
    """Of an `ImageEmbedding`: of how many pictures, and how wide."""

    batch: int
    width: int


@dataclass(frozen=True)
class SigmaFacts:
    """Of `Sigmas`: how many steps they are, and whether the last of them ends at no noise."""

    steps: int
    ends_clean: Any = UNKNOWN


def known(rule: Callable[..., Any]) -> Callable[..., Any]:
    """The rule as an `infer`: nothing is known of the outputs unless all that it asks for is."""

    @wraps(rule)
    def infer(**arguments: Any) -> Any:
        return UNKNOWN if any(map(has_unknown, arguments.values())) else rule(**arguments)

    return infer


def same(name: str) -> Callable[..., Any]:
    """An `infer` for a node whose one output is as large as its input `name`."""

    def infer(**arguments: Any) -> Any:
        return arguments[name]

    parameter = Parameter(name, Parameter.POSITIONAL_OR_KEYWORD)
    infer.__signature__ = Signature([parameter])  # type: ignore[attr-defined]
    return infer


def of_pixels(pixels: Any) -> PixelFacts:
    """Of a tensor (B, C, H, W)."""
    return PixelFacts(pixels.shape[0], *pixels.shape[-2:])


def of(value: Any) -> Any:
    """The facts of a value that is there."""
    if isinstance(value, (Image, Mask)):
        return of_pixels(value.pixels)
    if isinstance(value, Latents):
        mask = None if value.mask is None else of_pixels(value.mask)
        batch, channels, height, width = value.samples.shape
        return LatentFacts(batch, channels, height, width, mask)
    if isinstance(value, Conditioning):
        controls = tuple(
            ControlFacts(each.controlnet, of_pixels(each.hint), each.strength, each.start, each.end)
            for each in value.controls
        )
        pooled, beside, region = value.pooled, value.beside, value.region
        return ConditioningFacts(
            value.embeddings.shape[0],
            value.embeddings.shape[-1],
            controls,
            pooled=None if pooled is None else pooled.shape[-1],
            beside=None if beside is None else (beside.shape[1], of_pixels(beside)),
            images=tuple(EmbeddingFacts(*each.embedding.shape) for each in value.images),
            region=RegionFacts(
                region.strength,
                region.area,
                None if region.mask is None else of_pixels(region.mask),
                region.start,
                region.end,
            ),
            others=tuple(map(of, value.others)),
        )
    if isinstance(value, SamplerState):
        mask = None if value.kept is None else of(value.kept).mask
        latents = replace(of(Latents(value.x)), mask=mask)
        left = value.steps - value.step
        clean = value.sigmas[-1] == 0
        return SamplerFacts(
            latents, value.family, value.profile, value.steps, left, value.sampler, clean
        )
    if isinstance(value, ImageEmbedding):
        return EmbeddingFacts(*value.embedding.shape)
    if isinstance(value, Sigmas):
        return SigmaFacts(len(value.levels) - 1, value.levels[-1] == 0)
    return value


def check_extent(width: int, height: int, input: str | None = None) -> None:
    """Refuse a picture too large to be meant.

    Raises:
        InputError: It would have more than `MAX_PIXELS`.
    """
    if width * height > MAX_PIXELS:
        raise InputError(
            f"the picture would be {width} x {height}, {width * height / 1e6:.0f} megapixels: "
            f"ask for {MAX_PIXELS // 10**6} megapixels or fewer",
            code="too_large",
            input=input,
        )


def check_part(picture: PixelFacts, x: int, y: int, width: int, height: int) -> None:
    """Refuse a part that reaches out of a picture.

    Raises:
        InputError: It does.
    """
    if x < 0 or y < 0 or x + width > picture.width or y + height > picture.height:
        raise InputError(
            f"a part of {width} x {height} at ({x}, {y}) reaches out of the picture of {picture.size}: "
            "give a smaller part or another corner",
            code="out_of_picture",
            input="height" if x >= 0 and x + width <= picture.width else "width",
        )


def matched(first: PixelFacts, second: PixelFacts, names: tuple[str, str], remedy: str) -> int:
    """How many pictures two batches are together: one alone goes with each of the other's.

    Raises:
        InputError: Their sizes differ (`remedy` names the node to use), or both are batches and
            differ in number.
    """
    if (first.height, first.width) != (second.height, second.width):
        raise InputError(
            f"the {names[0]} is {first.size}, the {names[1]} {second.size}: {remedy}",
            code="size_mismatch",
            input=names[1],
        )
    if first.batch != second.batch and 1 not in {first.batch, second.batch}:
        raise InputError(
            f"the {names[0]} is a batch of {first.batch}, the {names[1]} of {second.batch}: "
            "give as many of both, or a single one",
            code="size_mismatch",
            input=names[1],
        )
    return max(first.batch, second.batch)


def composited(base: PixelFacts, overlay: PixelFacts, mask: PixelFacts | None) -> PixelFacts:
    """One batch of pictures with another laid over it.

    Raises:
        InputError: Mask and overlay differ in size, or the batches do not go together.
    """
    if mask is not None:
        remedy = "bring the mask to its size with ResizeMask"
        overlay = replace(overlay, batch=matched(overlay, mask, ("overlay", "mask"), remedy))
    batch = matched(base, overlay.sized(base.width, base.height), ("base", "overlay"), "")
    return replace(base, batch=batch)


def concatenated(images: Sequence[PixelFacts]) -> PixelFacts:
    """Several batches of pictures as one.

    Raises:
        InputError: They differ in size.
    """
    sizes = list(dict.fromkeys(image.size for image in images))
    if len(sizes) > 1:
        raise InputError(
            f"the pictures measure {', '.join(sizes)}: bring them to one size with ResizeImage",
            code="size_mismatch",
            input="images",
        )
    return replace(images[0], batch=sum(image.batch for image in images))


def check_masks(masks: int, latents: int) -> None:
    """Raise `InputError` unless so many masks go with so many latents."""
    if masks not in {1, latents}:
        raise InputError(
            f"there are {masks} masks for {latents} latents: give 1 or {latents}",
            code="batch_mismatch",
            input="mask",
        )


def check_shapes(base: LatentFacts, overlay: LatentFacts, input: str = "overlay") -> None:
    """Raise `InputError` unless one batch of latents can be laid over the other."""
    if base.shape != overlay.shape:
        raise InputError(
            f"base is {base.shape}, overlay {overlay.shape}: "
            "bring them to one size with LatentUpscale and to one number with RepeatLatent",
            code="size_mismatch",
            input=input,
        )


def check_phrases(width: int, other: int, batch: int, others: int) -> None:
    """Raise `InputError` unless prompts of such widths and numbers can be put together."""
    if width != other:
        raise InputError(
            f"the first prompt is {width} wide, the second {other}: encode both with one text encoder",
            code="width_mismatch",
            input="second",
        )
    if batch != others and 1 not in {batch, others}:
        raise InputError(
            f"the first conditioning holds {batch} prompts, the second {others}: give as many, or one",
            code="batch_mismatch",
            input="second",
        )
