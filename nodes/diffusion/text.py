"""Prompts as tokens and as embeddings: CLIP's own vocabulary, prompts of any length, clip skip."""

import gzip
import itertools
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from engine.errors import InputError
from nodes.fitting import check_layers

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import CLIPTextModel

BEGIN, END = 49406, 49407
VOCABULARY = Path(__file__).parent / "clip" / "bpe_simple_vocab_16e6.txt.gz"
_MERGES = 48894
_BEGIN_WORD, _END_WORD = "<|startoftext|>", "<|endoftext|>"
_WORDS = r"""<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""


def tokenize(text: str) -> list[int]:
    """The prompt's token ids, without those that mark begin and end."""
    return list(_tokenizer().encode(text, add_special_tokens=False).ids)


def chunks(text: str, length: int = 77, padding: int = END) -> list[list[int]]:
    """The prompt in pieces of `length` ids: begin, up to `length` - 2 tokens, end, and end again as padding.

    A prompt that is longer than one piece gets as many as it needs, so nothing of it is lost. An empty one
    has one piece.
    """
    ids = tokenize(text)
    room = length - 2
    pieces = [ids[start : start + room] for start in range(0, max(len(ids), 1), room)]
    return [[BEGIN, *piece, END, *[padding] * (length - 2 - len(piece))] for piece in pieces]


class Encoded(NamedTuple):
    """A prompt as a model reads it, float32 on the CPU."""

    embeddings: Tensor
    """(1, 77 * pieces, width)"""
    pooled: Tensor | None
    """(1, width): the first piece as one vector, from encoders that have a projection for it."""
    pieces: int


def encode(module: "CLIPTextModel", text: str, skip: int = 0) -> Tensor:
    """The prompt's embeddings alone; see `read`."""
    return read(module, text, skip).embeddings


@torch.no_grad()
def read(
    module: Any, text: str, skip: int = 0, *, padding: int = END, is_normed: bool = True
) -> Encoded:
    """A prompt as a text encoder reads it.

    Each piece is encoded on its own and the results are joined along the tokens, which is what other
    programs do with long prompts too; within 75 tokens it is the plain encoding.

    Args:
        module: The text encoder.
        text: The prompt.
        skip: How many of the last layers are left out.
        padding: The id that pieces are filled up with.
        is_normed: Whether the final layer norm is applied to an earlier layer's output too.

    Raises:
        InputError: The encoder has too few layers, or another vocabulary.
    """
    check_layers(skip, module.config.num_hidden_layers)
    if module.config.vocab_size <= END:
        raise InputError(
            f"the text encoder has {module.config.vocab_size} tokens, CLIP's vocabulary has {END + 1}: "
            "use a text encoder of the model's family"
        )
    pieces = chunks(text, module.config.max_position_embeddings, padding)
    output = module(
        torch.tensor(pieces, device=module.device), output_hidden_states=skip > 0 or not is_normed
    )
    states: Tensor
    if skip == 0 and is_normed:
        states = output.last_hidden_state
    else:
        core: Any = getattr(module, "text_model", module)
        states = output.hidden_states[-(skip + 1)]
        states = core.final_layer_norm(states) if is_normed else states
    states = states.to("cpu", torch.float32).reshape(1, -1, states.shape[-1])
    pooled: Tensor | None = getattr(output, "text_embeds", None)
    return Encoded(
        states, None if pooled is None else pooled[:1].to("cpu", torch.float32), len(pieces)
    )


def joined(found: Sequence[Encoded]) -> Encoded:
    """What several encoders read, joined along the width; the last one's pooled vector.

    Where one has fewer pieces, its last ones are zeros.
    """
    length = max(each.embeddings.shape[1] for each in found)
    filled = [pad(each.embeddings, (0, 0, 0, length - each.embeddings.shape[1])) for each in found]
    most = max(each.pieces for each in found)
    return Encoded(torch.cat(filled, dim=-1), found[-1].pooled, most)


@cache
def _tokenizer() -> "Tokenizer":
    """CLIP's byte-pair encoding. Built without transformers, which takes seconds to import."""
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

    with gzip.open(VOCABULARY, "rt", encoding="utf-8") as file:
        next(file)  # a version line
        lines = itertools.islice(file, _MERGES)
        merges = [(first, second) for first, second in (line.split() for line in lines)]
    # The ids of single bytes follow the order of their stand-ins, the printable ones first.
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet(), key=_byte_order)
    words = [
        *alphabet,
        *(f"{letter}</w>" for letter in alphabet),
        *(first + second for first, second in merges),
    ]
    vocabulary = {word: number for number, word in enumerate([*words, _BEGIN_WORD, _END_WORD])}
    model = models.BPE(
        vocab=vocabulary,
        merges=merges,
        end_of_word_suffix="</w>",
        unk_token=_END_WORD,
        fuse_unk=False,
    )
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.add_special_tokens([AddedToken(_BEGIN_WORD), AddedToken(_END_WORD)])
    return tokenizer


def _byte_order(letter: str) -> tuple[bool, int]:
    """Printable bytes stand for themselves and come first; the others were given letters from 256 on."""
    return ord(letter) > 255, ord(letter)
