"""Whether models, prompts, latents and pictures go together: one rule each, for before a run and in it."""

from collections.abc import Mapping
from typing import Any, Literal

from engine.errors import InputError

from .diffusion.families import FAMILIES
from .facts import ConditioningFacts, LatentFacts, PixelFacts, Space
from .widgets import FamilyName

OddSize = Literal["refuse", "crop", "pad"]
HINT_SCALE = 8
"""Pixels of a ControlNet's picture for one latent: its hint network halves three times."""

_SPACES: Mapping[float, str] = {
    FAMILIES["sd1"].scaling_factor: "SD 1.x and 2.x",
    FAMILIES["sdxl"].scaling_factor: "SDXL",
    FAMILIES["upscaler"].scaling_factor: "the x4 upscaler",
}
_TEXT_WIDTHS: Mapping[int, str] = {768: "SD 1.x", 1024: "SD 2.x", 1280: "SDXL's refiner", 2048: "SDXL"}  # fmt: skip


def check_family(model: Mapping[str, Any], other: Mapping[str, Any], what: str, input: str) -> None:
    """Refuse what is made for UNets of another family, such as a ControlNet.

    Args:
        model: The UNet's sizes, as `sizes.configuration` gives them.
        other: The other's, as far as it has the same ones.
        what: The other for the message, such as "the ControlNet 'edges'".
        input: Where the other comes in.

    Raises:
        InputError: A size differs (code "family_mismatch").
    """
    for size, words in _SIZES.items():
        ours, theirs = (_plain(each.get(size)) for each in (model, other))
        if ours is not None and theirs is not None and ours != theirs:
            raise InputError(
                f"{what} is made for a model of another family: {words} {_shown(size, theirs)},"
                f" the model's {_shown(size, ours)}: choose one that is made for this model",
                code="family_mismatch",
                input=input,
            )


_SIZES = {
    "cross_attention_dim": "it reads prompts of the width",
    "block_out_channels": "its levels have the widths",
    "layers_per_block": "blocks in each of its levels:",
}


def check_space(ours: Space | None, theirs: Space | None, what: str, input: str) -> None:
    """Refuse latents of another space, as far as both are known: SDXL's look like those of SD 1.x.

    Args:
        ours: The space that is asked for.
        theirs: The space of what comes in by `input`.
        what: What comes in, for the message, such as "the VAE".
        input: Where it comes in.

    Raises:
        InputError: They differ (code "family_mismatch").
    """
    if ours is None or theirs is None:
        return
    wanted, given = _SPACES.get(ours.scaling_factor), _SPACES.get(theirs.scaling_factor)
    if wanted is not None and given is not None and wanted != given:
        raise InputError(
            f"{what} from {theirs.file} works in the latents of {given}, {ours.file} in those of {wanted}: "
            "use a VAE of the same family, or tell LoadVAE the space if it is mistaken",
            code="family_mismatch",
            input=input,
        )


def check_reader(state: FamilyName, model: FamilyName) -> None:
    """Raise `InputError` unless a model reads the latents of a run that one of family `state` began."""
    ours, theirs = FAMILIES[state], FAMILIES[model]
    if ours.scaling_factor != theirs.scaling_factor:
        raise InputError(
            f"the state holds latents of {ours.title}, which a model of {theirs.title} does not read: "
            "finish it, then go through VAEDecode and the other family's VAEEncode",
            code="family_mismatch",
            input="model",
        )


def check_finished(step: int, steps: int) -> None:
    """Raise `InputError` if a run has steps left to take."""
    if step < steps:
        raise InputError(
            f"{step} of {steps} steps are taken: take the rest with SampleSteps, "
            "or read the noisy latents with ReadNoisyLatents",
            code="unfinished",
            input="state",
        )


def check_unfinished(step: int, steps: int) -> None:
    """Raise `InputError` unless a run has steps left, which can be laid anew."""
    if step == steps:
        raise InputError(
            f"all {steps} steps of the state are taken, and no noise is left to lay steps in: "
            "reschedule the state of an earlier step",
            code="no_steps",
            input="state",
        )


def check_begun(step: int) -> None:
    """Raise `InputError` unless a run has taken a step, which noise lies before."""
    if step == 0:
        raise InputError(
            "the state has taken no step yet, so there is no noise before its last one: "
            'put SampleSteps before it, or set level to "reached"',
            code="no_steps",
            input="level",
            hint="reached",
        )


def check_run_latents(latents: LatentFacts, run: LatentFacts) -> None:
    """Raise `InputError` unless latents have the shape of those of a run."""
    if latents.shape != run.shape:
        raise InputError(
            f"the latents are {latents.shape}, those of the run {run.shape}: "
            "bring them to one size with LatentUpscale and to one number with RepeatLatent",
            code="size_mismatch",
            input="latents",
        )


def check_channels(latents: int, model: int, origin: str = "latents") -> None:
    """Raise `InputError` unless latents have as many channels as those a model gives."""
    if latents != model:
        raise InputError(
            f"latents have {latents} channels, the model takes {model}: use a VAE of the same family",
            code="channel_mismatch",
            input=origin,
        )


def check_decoder(latents: int, vae: int) -> None:
    """Raise `InputError` unless latents have as many channels as a VAE decodes."""
    if latents != vae:
        raise InputError(
            f"latents have {latents} channels, the VAE takes {vae}: use a VAE of the same family",
            code="channel_mismatch",
            input="latents",
        )


def check_picture(picture: PixelFacts, factor: int, odd_size: OddSize = "refuse") -> PixelFacts:
    """The size in which a VAE takes a picture: its sides are multiples of what makes one latent.

    Raises:
        InputError: They are none, and that is to be refused; or nothing would be left.
    """
    width, height = picture.width, picture.height
    if width % factor == 0 and height % factor == 0:
        return picture
    if odd_size == "pad":
        return picture.sized(-(-width // factor) * factor, -(-height // factor) * factor)
    cut = picture.sized(width - width % factor, height - height % factor)
    if odd_size == "refuse" or not (cut.width and cut.height):
        nearest = f"{max(cut.width, factor)}x{max(cut.height, factor)}"
        raise InputError(
            f"the picture is {width}x{height}, the VAE takes multiples of {factor}: "
            f"put ResizeImage before it, to {nearest}",
            code="size_mismatch",
            input="image",
            hint=nearest,
        )
    return cut


def end_of(role: str) -> str:
    """The input of a sampler that prompts of a role come by: further ones are held by the model's guidance."""
    return role if role in {"positive", "negative"} else "model"


def check_text_width(given: int, wanted: int, role: str) -> None:
    """Raise `InputError` unless a prompt's embeddings are as wide as the model reads."""
    if given != wanted:
        names = [f" ({_TEXT_WIDTHS[n]})" if n in _TEXT_WIDTHS else "" for n in (given, wanted)]
        raise InputError(
            f"the {role} conditioning is {given} wide{names[0]}, the model reads {wanted}{names[1]}: "
            "use a text encoder of the same family",
            code="width_mismatch",
            input=end_of(role),
        )


def check_prompts(prompt: ConditioningFacts, latents: int, role: str) -> None:
    """Raise `InputError` unless so many prompts go with so many latents."""
    if prompt.batch not in {1, latents}:
        raise InputError(
            f"the {role} conditioning holds {prompt.batch} prompts for {latents} latents: give 1 or {latents}",
            code="batch_mismatch",
            input=end_of(role),
        )


def check_control_image(name: str, image: PixelFacts, latents: LatentFacts, role: str) -> None:
    """Raise `InputError` unless a ControlNet's picture is as large as what it guides."""
    width, height = latents.width * HINT_SCALE, latents.height * HINT_SCALE
    if (image.width, image.height) != (width, height):
        raise InputError(
            f"the image of ControlNet {name!r} is {image.width}x{image.height}, "
            f"the picture becomes {width}x{height}: put ResizeImage before ControlNetApply",
            code="size_mismatch",
            input=end_of(role),
            hint=f"{width}x{height}",
        )
    if image.batch not in {1, latents.batch}:
        raise InputError(
            f"ControlNet {name!r} has {image.batch} images for {latents.batch} latents: give 1 or {latents.batch}",
            code="batch_mismatch",
            input=end_of(role),
        )


def check_latent_mask(latents: LatentFacts) -> None:
    """Raise `InputError` unless the latents' mask, if there is one, has their size and number."""
    mask = latents.mask
    if mask is None:
        return
    if (mask.height, mask.width) != (latents.height, latents.width) or mask.batch not in {
        1,
        latents.batch,
    }:
        raise InputError(
            f"the latents' mask is {(mask.batch, 1, mask.height, mask.width)} for latents of {latents.shape}: "
            "set one of their size with SetLatentMask",
            code="size_mismatch",
            input="latents",
        )


def check_towers(count: int) -> None:
    """Raise `InputError` unless a text encoder consists of two, as SDXL's does."""
    if count != 2:
        raise InputError(
            "only SDXL's text encoder consists of two: take that of an SDXL checkpoint, or CLIPEncode",
            code="family_mismatch",
            input="text_encoder",
        )


def check_layers(skip: int, layers: int, cut: int = 0) -> None:
    """Raise `InputError` unless a text encoder has a layer left to read.

    Args:
        skip: How many of the last layers are left out.
        layers: Those that are there.
        cut: How many are missing from the start.
    """
    if not cut <= skip < layers + cut:
        raise InputError(
            f"clip skip leaves out {skip} layers of a text encoder with {layers + cut}"
            f"{', of which the last is not in its folder' if cut else ''}:"
            f" give a number from {cut} to {layers + cut - 1}",
            input="text_encoder",
        )


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _shown(size: str, value: Any) -> str:
    if size == "cross_attention_dim" and value in _TEXT_WIDTHS:
        return f"{value} ({_TEXT_WIDTHS[value]})"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
