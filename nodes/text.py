"""Nodes that read prompts."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from engine.errors import InputError
from engine.node import node
from engine.notices import notice

from . import fitting, wording
from .diffusion import prompts
from .diffusion.embeddings import check_towers, open_embedding
from .diffusion.families import FAMILIES, Family, recipes
from .diffusion.pool import Pool, in_process
from .diffusion.prompts import Syntax
from .embedded import check_fit, find_embedding
from .folders import Folders, standard
from .values import Conditioning, TextEncoder, Token, Weights
from .widgets import EmbeddingName, Prompt

if TYPE_CHECKING:
    from torch import Tensor

    from .diffusion.text import Encoded, Lookup

SkippedLayers = Annotated[
    int, Field(ge=0, le=31, description="Last layers left out; 0 reads the last one")
]
Word = Annotated[
    str,
    Field(max_length=256, pattern=r"^\S*$", json_schema_extra={"wanted": "without spaces"}),
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


def check_texts(texts: list[str]) -> None:
    """Raise `InputError` if one of the prompts is no Unicode text."""
    for text in texts:
        try:
            check_text(text)
        except InputError as error:
            raise InputError(str(error), input="texts") from error


def prompt_digest(text: str, syntax: Syntax, pool: Pool) -> object:
    """What the embeddings are that a prompt names; nothing for a prompt that names none."""
    digests = {
        name: pool.folders.digest("embeddings", find_embedding(name, pool.folders)[0])
        for name in prompts.names(text, syntax)
    }
    return digests or None


def prompts_digest(texts: list[str], syntax: Syntax, pool: Pool) -> object:
    """What the embeddings are that some prompts name; nothing if they name none."""
    found = [prompt_digest(text, syntax, pool) for text in texts]
    return found if any(found) else None


def check_pair(text_l: str, text_g: str) -> None:
    """Raise `InputError` if one of two prompts is no Unicode text."""
    for name, text in (("text_l", text_l), ("text_g", text_g)):
        try:
            check_text(text)
        except InputError as error:
            raise InputError(str(error), input=name) from error


def pair_digest(text_l: str, text_g: str, syntax: Syntax, pool: Pool) -> object:
    """What the embeddings are that two prompts name; nothing if they name none."""
    return prompts_digest([text_l, text_g], syntax, pool)


def embedding_digest(embedding: str, folders: Folders) -> str:
    """What the embedding's bytes are, after a look at whether it can be used."""
    open_embedding(folders.find("embeddings", embedding))
    return folders.digest("embeddings", embedding)


@node(
    "CLIPEncode",
    category="conditioning",
    lane="device",
    check=check_text,
    infer=wording.encoded_text,
    fingerprint=prompt_digest,
)
def clip_encode(
    text_encoder: TextEncoder,
    *,
    text: Prompt = "",
    syntax: Syntax = "weighted",
    zero_if_empty: bool = False,
    pool: Pool = in_process,
) -> Conditioning:
    """Encode a prompt.

    Args:
        text: What the picture shows; empty for no prompt. Nothing is cut off: more than 75 tokens
            are encoded in pieces of 75 that are joined. `embedding:name` stands for the
            textual-inversion embedding of that name.
        syntax: weighted reads (a:1.3), (a), [a] and BREAK, weights inside of others multiplied; a
            backslash takes a bracket's meaning away, and one that is never closed has none. comfyui reads (a:1.3) and (a), the innermost
            number alone counting. plain reads words only.
        zero_if_empty: Whether an empty prompt becomes zeros, as diffusers has it for SDXL, instead
            of what the text encoder makes of no words.
    """
    check_text(text)
    _notice([text], syntax)
    made = _conditioning([_read(text_encoder, (text,), syntax, 1, pool)])
    if text or not zero_if_empty:
        return made
    zeros = None if made.pooled is None else made.pooled * 0
    return Conditioning(made.embeddings * 0, pooled=zeros)


@node(
    "CLIPEncodePair",
    category="conditioning",
    lane="device",
    check=check_pair,
    infer=wording.encoded_pair,
    fingerprint=pair_digest,
)
def clip_encode_pair(
    text_encoder: TextEncoder,
    *,
    text_l: Prompt = "",
    text_g: Prompt = "",
    syntax: Syntax = "weighted",
    pool: Pool = in_process,
) -> Conditioning:
    """Encode a prompt of its own for each of SDXL's two text encoders.

    Args:
        text_encoder: Of an SDXL checkpoint.
        text_l: For the first encoder, CLIP ViT-L.
        text_g: For the second, OpenCLIP ViT-bigG, whose pooled vector the model reads too.
        syntax: As for CLIPEncode.
    """
    check_pair(text_l, text_g)
    _notice([text_l, text_g], syntax)
    fitting.check_towers(len(recipes(text_encoder)))
    return _conditioning([_read(text_encoder, (text_l, text_g), syntax, 1, pool)])


@node(
    "CLIPEncodeList",
    category="conditioning",
    lane="device",
    check=check_texts,
    infer=wording.encoded_texts,
    fingerprint=prompts_digest,
)
def clip_encode_list(
    text_encoder: TextEncoder,
    *,
    texts: Annotated[list[Prompt], Field(min_length=1, max_length=4096)],
    syntax: Syntax = "weighted",
    pool: Pool = in_process,
) -> Conditioning:
    """Encode a list of prompts, one for each picture of a batch.

    In the diffusers profile picture k, of the sampler's seed + k, is the one that prompt k makes alone.

    Args:
        texts: As many as there are latents. The shorter ones get empty pieces at their end.
        syntax: As for CLIPEncode.
    """
    check_texts(texts)
    _notice(texts, syntax)
    found = [_read(text_encoder, (text,), syntax, 1, pool) for text in texts]
    longest = max(each.pieces for each in found)
    return _conditioning(
        [
            each if each.pieces == longest else _read(text_encoder, (text,), syntax, longest, pool)
            for each, text in zip(found, texts, strict=True)
        ]
    )


@node("ClipSkip", category="conditioning", early=True)
def clip_skip(text_encoder: TextEncoder, *, layers: SkippedLayers = 1) -> TextEncoder:
    """Read the prompt from an earlier layer of the text encoder.

    Args:
        layers: How many of the last layers are left out: 0 is the usual reading, 1 reads the last
            but one (called "clip skip 2", or "stop at layer -2", elsewhere). Counted from the
            encoder's end, whatever an earlier ClipSkip said.
    """
    return replace(text_encoder, skip=layers)


@node("LoadEmbedding", category="loaders", fingerprint=embedding_digest, early=True)
def load_embedding(
    text_encoder: TextEncoder,
    *,
    embedding: EmbeddingName,
    word: Word = "",
    folders: Folders = standard,
) -> TextEncoder:
    """Teach a text encoder a word by a textual-inversion embedding.

    Args:
        embedding: A .safetensors, .pt or .bin file of the text encoder's family.
        word: What stands for it in prompts, without spaces; empty for the file's name.
    """
    path = folders.find("embeddings", embedding)
    try:
        check_fit(open_embedding(path), text_encoder, folders)
    except InputError as error:
        raise InputError(str(error), code=error.code, input="embedding") from error
    weights = Weights("embeddings", embedding, folders.digest("embeddings", embedding))
    token = Token(word or path.stem, weights)
    return replace(text_encoder, tokens=(*text_encoder.tokens, token))


def _notice(texts: Sequence[str], syntax: Syntax) -> None:
    """Say what in the prompts may be meant otherwise than it is read."""
    for doubt in dict.fromkeys(doubt for text in texts for doubt in prompts.doubts(text, syntax)):
        notice(f"in the prompt, {doubt}")


def _read(
    text_encoder: TextEncoder, texts: Sequence[str], syntax: Syntax, least: int, pool: Pool
) -> "Encoded":
    """What a family's encoders read, joined along the width.

    Args:
        text_encoder: All of the family's.
        texts: A prompt for each encoder, or one for all.
        syntax: How to read them.
        least: Pieces to give at least.
        pool: Lends the encoders.
    """
    from .diffusion.text import joined

    count = len(recipes(text_encoder))
    prompts_of = list(texts) if len(texts) == count else [texts[0]] * count
    found = [
        _read_alone(text_encoder, number, text, syntax, least=least, pool=pool)
        for number, text in enumerate(prompts_of)
    ]
    longest = max(each.pieces for each in found)
    return joined(
        [
            each
            if each.pieces == longest
            else _read_alone(text_encoder, number, text, syntax, least=longest, pool=pool)
            for number, (each, text) in enumerate(zip(found, prompts_of, strict=True))
        ]
    )


def _read_alone(
    text_encoder: TextEncoder, number: int, text: str, syntax: Syntax, *, least: int, pool: Pool
) -> "Encoded":
    """What one of a family's encoders reads."""
    from .diffusion import text as reading

    family, recipe = FAMILIES[text_encoder.family], recipes(text_encoder)[number]
    words = {token.word: token.weights.name for token in text_encoder.tokens}
    items = prompts.taught(prompts.parse(text, syntax), words)
    with pool.borrow(recipe) as module:
        fitting.check_layers(recipe.skip, module.config.num_hidden_layers, recipe.cut)
        return reading.read(
            module,
            items,
            recipe.skip - recipe.cut,
            lookup=_lookup(module.config.hidden_size, family, number, pool),
            padding=family.towers[number].pad,
            is_normed=family.normed,
            least=least,
        )


def _lookup(width: int, family: Family, number: int, pool: Pool) -> "Lookup":
    """How the embeddings that a prompt names are found, for one of a family's encoders."""
    from .diffusion.embeddings import vectors

    towers = [tower.part for tower in family.towers]

    def found(name: str) -> "Tensor":
        file = open_embedding(find_embedding(name, pool.folders)[1])
        check_towers(file, towers, family.title)
        return vectors(file, width, towers[number])

    return found


def _conditioning(found: "Sequence[Encoded]") -> Conditioning:
    import torch

    pooled = [each.pooled for each in found if each.pooled is not None]
    return Conditioning(
        torch.cat([each.embeddings for each in found]),
        pooled=torch.cat(pooled) if pooled else None,
    )
