"""Whether a conditioning brings what a model reads beside latents and prompt: one rule each, as in `fitting`."""

from collections.abc import Mapping
from typing import Any

from engine.errors import InputError

from .facts import EmbeddingFacts, PixelFacts
from .fitting import end_of


def is_optional(channels: int, role: str) -> bool:
    """Whether a model does without what it reads in so many channels beside the latents.

    A prompt that is to be avoided, or compared with, may be one without the picture to edit.
    """
    return channels == _PICTURE and role != "positive"


def check_beside(
    given: tuple[int, PixelFacts] | None, wanted: int, latents: PixelFacts, role: str
) -> None:
    """Refuse a conditioning that does not bring what a model reads beside the latents.

    Args:
        given: Channels, and how many of which size, in latents; None for nothing.
        wanted: Channels.
        latents: How many of which size.
        role: Where the conditioning comes in.

    Raises:
        InputError: It is missing (code "missing_input"), of another kind (code "channel_mismatch") or
            size.
    """
    kind, what, remedy = _BESIDE.get(wanted, ("a model of an unknown kind", "more", ""))
    if given is None:
        raise InputError(
            f"it is {kind}, which reads {what} beside the latents, and the {role} conditioning brings"
            f" none{remedy}",
            code="missing_input",
            input=end_of(role),
        )
    channels, brought = given
    if channels != wanted:
        other = _BESIDE.get(channels, ("a model of another kind", "", ""))[0]
        raise InputError(
            f"the {role} conditioning is made for {other}, the model is {kind}{remedy}",
            code="channel_mismatch",
            input=end_of(role),
        )
    if (brought.height, brought.width) != (latents.height, latents.width):
        raise InputError(
            f"what the {role} conditioning brings beside the latents is {brought.size} latents large, they"
            f" are {latents.size}: make both from pictures of one size",
            code="size_mismatch",
            input=end_of(role),
        )
    if brought.batch not in {1, latents.batch}:
        raise InputError(
            f"the {role} conditioning brings {brought.batch} pictures for {latents.batch} latents:"
            f" give 1 or {latents.batch}",
            code="batch_mismatch",
            input=end_of(role),
        )


def check_unread(channels: int | None, images: int, role: str) -> None:
    """Refuse a conditioning that brings what a model does not read: the picture would be another one.

    An inpainting model's mask and picture pass, as the mask limits latents of any model.

    Args:
        channels: Those beside the latents, of a model that reads none; None for nothing.
        images: How many embeddings of pictures there are, of a model that reads none.
        role: Where the conditioning comes in.

    Raises:
        InputError: There is such a thing (code "channel_mismatch").
    """
    if images:
        kind, what, giver = "an unCLIP model", "a picture's embedding", "UnCLIPConditioning"
    elif channels in _GIVERS:
        (kind, what, _), giver = _BESIDE[channels], _GIVERS[channels]
    else:
        return
    raise InputError(
        f"the {role} conditioning brings {what}, which the model does not read: choose the checkpoint of"
        f" {kind}, or take {giver} away",
        code="channel_mismatch",
        input=end_of(role),
    )


_PICTURE = 4
_INPAINT_REMEDY = (
    ": put InpaintConditioning before it, or choose a checkpoint for text to image, which"
    " SetLatentMask has repaint a part only"
)
_BESIDE: Mapping[int, tuple[str, str, str]] = {
    1: ("a depth model", "a depth map", ": put DepthConditioning before it"),
    3: ("the x4 upscaler", "the small picture", ": put UpscaleConditioning before it"),
    4: ("an InstructPix2Pix model", "the picture to edit", ": put EditConditioning before it"),
    5: (
        "an inpainting model",
        "a mask and the masked picture",
        _INPAINT_REMEDY,
    ),
}
"""By the channels beside the latents: the model, what it reads, and what gives it."""
_GIVERS = {1: "DepthConditioning", 3: "UpscaleConditioning", 4: "EditConditioning"}


def check_pooled(given: int | None, model: Mapping[str, Any], role: str) -> None:
    """Raise `InputError` unless a conditioning has the vector that an SDXL model reads beside the prompt."""
    if given is None or _told(given, model) not in {_SIZES_TOLD, _SCORED}:
        has = "no pooled vector" if given is None else f"a pooled vector of {given} numbers"
        raise InputError(
            f"the {role} conditioning has {has}, which the model does not go with:"
            " encode the prompt with the text encoder of a checkpoint of the same family",
            code="width_mismatch",
            input=end_of(role),
        )


def reads_aesthetic(pooled: int, model: Mapping[str, Any]) -> bool:
    """Whether an SDXL model is told how pretty the picture is to be, as the refiner is, and not its size."""
    return _told(pooled, model) == _SCORED


_SIZES_TOLD, _SCORED = 6, 5


def _told(pooled: int, model: Mapping[str, Any]) -> float:
    """How many numbers a model is told beside the pooled vector."""
    room: int = model["projection_class_embeddings_input_dim"] - pooled
    return room / int(model["addition_time_embed_dim"])


def check_noise_level(given: int | None, levels: int, role: str) -> None:
    """Raise `InputError` unless a conditioning tells a noise level that an upscaler knows."""
    if given is None or not 0 <= given < levels:
        raise InputError(
            f"the {role} conditioning tells the noise level {given}, the upscaler reads one from 0 to"
            f" {levels - 1}: put UpscaleConditioning before it",
            code="missing_input",
            input=end_of(role),
        )


def check_image(embedding: EmbeddingFacts, width: int, latents: int, role: str) -> None:
    """Raise `InputError` unless an unCLIP model reads a picture's embedding, and so many go with the latents."""
    if embedding.width != width:
        raise InputError(
            f"the {role} conditioning has a picture's embedding of {embedding.width} numbers, the model reads"
            f" {width}: take the image encoder of the model's own checkpoint, by LoadUnCLIPCheckpoint",
            code="width_mismatch",
            input=end_of(role),
        )
    if embedding.batch not in {1, latents}:
        raise InputError(
            f"the {role} conditioning shows {embedding.batch} pictures for {latents} latents:"
            f" give 1 or {latents}, or each by an UnCLIPConditioning of its own to have all count together",
            code="batch_mismatch",
            input=end_of(role),
        )
