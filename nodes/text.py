"""Nodes that read prompts."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from engine.errors import InputError
from engine.node import node

from . import fitting, foresight
from .diffusion.families import FAMILIES, recipes
from .diffusion.pool import Pool, in_process
from .values import Conditioning, Prompt, TextEncoder

if TYPE_CHECKING:
    from .diffusion.text import Encoded

SkippedLayers = Annotated[
    int, Field(ge=0, le=31, description="Last layers left out; 0 reads the last one")
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


def check_pair(text_l: str, text_g: str) -> None:
    """Raise `InputError` if one of two prompts is no Unicode text."""
    for name, text in (("text_l", text_l), ("text_g", text_g)):
        try:
            check_text(text)
        except InputError as error:
            raise InputError(str(error), input=name) from error


@node(
    "CLIPEncode",
    category="conditioning",
    lane="device",
    check=check_text,
    infer=foresight.encoded_text,
)
def clip_encode(
    text_encoder: TextEncoder,
    *,
    text: Prompt = "",
    zero_if_empty: bool = False,
    pool: Pool = in_process,
) -> Conditioning:
    """Encode a prompt.

    Args:
        text: What the picture shows; empty for no prompt. Nothing is cut off: more than 75 tokens
            are encoded in pieces of 75 that are joined.
        zero_if_empty: Whether an empty prompt becomes zeros, as diffusers has it for SDXL, instead
            of what the text encoder makes of no words.
    """
    check_text(text)
    found = _read(text_encoder, [text] * len(recipes(text_encoder)), pool)
    if not text and zero_if_empty:
        zeros = None if found.pooled is None else found.pooled * 0
        return Conditioning(found.embeddings * 0, pooled=zeros)
    return Conditioning(found.embeddings, pooled=found.pooled)


@node(
    "CLIPEncodePair",
    category="conditioning",
    lane="device",
    check=check_pair,
    infer=foresight.encoded_pair,
)
def clip_encode_pair(
    text_encoder: TextEncoder, *, text_l: Prompt = "", text_g: Prompt = "", pool: Pool = in_process
) -> Conditioning:
    """Encode a prompt of its own for each of SDXL's two text encoders.

    Args:
        text_encoder: Of an SDXL checkpoint.
        text_l: For the first encoder, CLIP ViT-L.
        text_g: For the second, OpenCLIP ViT-bigG, whose pooled vector the model reads too.
    """
    check_pair(text_l, text_g)
    fitting.check_towers(len(recipes(text_encoder)))
    found = _read(text_encoder, [text_l, text_g], pool)
    return Conditioning(found.embeddings, pooled=found.pooled)


def _read(text_encoder: TextEncoder, texts: Sequence[str], pool: Pool) -> "Encoded":
    """What a family's encoders read in their prompts, joined along the width."""
    from .diffusion.text import joined, read

    family = FAMILIES[text_encoder.family]
    found = []
    for tower, recipe, text in zip(family.towers, recipes(text_encoder), texts, strict=True):
        with pool.borrow(recipe) as module:
            fitting.check_layers(recipe.skip, module.config.num_hidden_layers, recipe.cut)
            found.append(
                read(
                    module,
                    text,
                    recipe.skip - recipe.cut,
                    padding=tower.pad,
                    is_normed=family.normed,
                )
            )
    return joined(found)


@node("ClipSkip", category="conditioning", early=True)
def clip_skip(text_encoder: TextEncoder, *, layers: SkippedLayers = 1) -> TextEncoder:
    """Read the prompt from an earlier layer of the text encoder.

    Args:
        layers: How many of the last layers are left out: 0 is the usual reading, 1 reads the last
            but one (called "clip skip 2", or "stop at layer -2", elsewhere). Counted from the
            encoder's end, whatever an earlier ClipSkip said.
    """
    return replace(text_encoder, skip=layers)
