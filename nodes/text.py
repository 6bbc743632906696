"""Nodes that read prompts."""

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from engine.errors import InputError
from engine.node import node

from . import foresight
from .diffusion.pool import Pool, in_process
from .values import Conditioning, Prompt, TextEncoder

SkippedLayers = Annotated[
    int, Field(ge=0, le=11, description="Last layers left out; 0 reads the last one")
]


def check_text(text: str) -> None:
    """Raise `InputError` if the prompt is no Unicode text, as half of a cut emoji is not."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"text holds {text[error.start]!r} at place {error.start + 1}, which is only half of a "
            "character: type that place anew",
            input="text",
        ) from error


@node(
    "CLIPEncode",
    category="conditioning",
    lane="device",
    check=check_text,
    infer=foresight.encoded_text,
)
def clip_encode(
    text_encoder: TextEncoder, *, text: Prompt = "", pool: Pool = in_process
) -> Conditioning:
    """Encode a prompt.

    Args:
        text: What the picture shows; empty for no prompt. Nothing is cut off: more than 75 tokens
            are encoded in pieces of 75 that are joined.
    """
    from .diffusion.text import encode

    check_text(text)
    with pool.borrow(text_encoder) as module:
        return Conditioning(encode(module, text, text_encoder.skip))


@node("ClipSkip", category="conditioning", early=True)
def clip_skip(text_encoder: TextEncoder, *, layers: SkippedLayers = 1) -> TextEncoder:
    """Read the prompt from an earlier layer of the text encoder.

    Args:
        layers: How many of the last layers are left out: 0 is the usual reading, 1 reads the last
            but one (called "clip skip 2", or "stop at layer -2", elsewhere). Counted from the
            encoder's end, whatever an earlier ClipSkip said.
    """
    return replace(text_encoder, skip=layers)
