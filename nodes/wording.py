"""What can be told of prompts before they are encoded: how wide they will be, and in how many pieces."""

from collections.abc import Mapping
from dataclasses import replace
from math import ceil
from typing import Any

from engine.errors import InputError
from engine.facts import has_unknown
from engine.node import UNKNOWN

from . import fitting, foresight
from .diffusion import families, prompts
from .diffusion.embeddings import open_embedding
from .diffusion.pool import Pool
from .embedded import check_fit, find_embedding
from .facts import ConditioningFacts


def encoded_text(text_encoder: Any, text: Any, syntax: Any, pool: Pool) -> Any:
    """What is known of an encoded prompt.

    Raises:
        InputError: The text encoder is not there, or has too few layers, or an embedding that the
            prompt names is of another family.
    """
    _check_named(text_encoder, {"text": text}, syntax, pool)
    return _encoded(text_encoder, text if text is UNKNOWN else [text], pool)


def encoded_texts(text_encoder: Any, texts: Any, syntax: Any, pool: Pool) -> Any:
    """What is known of some encoded prompts.

    Raises:
        InputError: See `encoded_text`.
    """
    _check_named(text_encoder, {"texts": texts}, syntax, pool)
    return _encoded(text_encoder, texts, pool)


def _encoded(text_encoder: Any, texts: Any, pool: Pool) -> Any:
    if text_encoder is UNKNOWN:
        return UNKNOWN
    towers = [
        foresight.of_part(recipe, recipe.part, pool).sizes
        for recipe in families.recipes(text_encoder)
    ]
    told = [sizes for sizes in towers if sizes is not None]
    if len(told) < len(towers):
        return UNKNOWN
    for sizes in told:
        fitting.check_layers(text_encoder.skip, sizes["num_hidden_layers"], text_encoder.cut)
    found = ConditioningFacts(
        1,
        sum(sizes["hidden_size"] for sizes in told),
        pooled=told[-1].get("projection_dim"),
        beside=None,
    )
    if has_unknown(texts):
        return found if texts is UNKNOWN else UNKNOWN
    room = told[-1]["max_position_embeddings"] - 2
    known = [_most_pieces(text, room) for text in texts]
    pieces = UNKNOWN if UNKNOWN in known or text_encoder.tokens else max(known)
    return replace(found, batch=len(texts), pieces=pieces)


def encoded_pair(text_encoder: Any, text_l: Any, text_g: Any, syntax: Any, pool: Pool) -> Any:
    """What is known of two prompts for SDXL's two text encoders.

    Raises:
        InputError: The text encoder is not SDXL's, or see `encoded_text`.
    """
    if text_encoder is UNKNOWN:
        return UNKNOWN
    fitting.check_towers(len(families.recipes(text_encoder)))
    _check_named(text_encoder, {"text_l": text_l, "text_g": text_g}, syntax, pool)
    found = _encoded(text_encoder, [text_l, text_g], pool)
    return found if found is UNKNOWN else replace(found, batch=1)


def _check_named(text_encoder: Any, given: Mapping[str, Any], syntax: Any, pool: Pool) -> None:
    """Raise `InputError` for an embedding of another family, at the input whose prompt names it."""
    if text_encoder is UNKNOWN or syntax is UNKNOWN:
        return
    for name, value in given.items():
        texts = value if isinstance(value, list) else [value]
        known = [text for text in texts if text is not UNKNOWN]
        for said in (each for text in known for each in prompts.names(text, syntax)):
            try:
                file = open_embedding(find_embedding(said, pool.folders)[1])
                check_fit(file, text_encoder, pool.folders)
            except InputError as error:
                raise InputError(str(error), code=error.code, input=name) from error


def _most_pieces(text: Any, room: int) -> Any:
    """How many pieces of a prompt there are at most; unknown if it names embeddings."""
    if prompts.names(text):
        return UNKNOWN
    # A token is at least one byte; beyond ASCII, composing and lowering may make more of them.
    most = len(text) if text.isascii() else 3 * len(text.encode(errors="replace"))
    # Words are not divided, which may leave a little free in each piece.
    return max(1, ceil(most / room) if most <= room else ceil(most / (room - 7))) + text.count(
        "BREAK"
    )
