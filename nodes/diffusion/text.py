"""Prompts as tokens and as embeddings: CLIP's own vocabulary, prompts of any length, clip skip."""

import gzip
import itertools
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

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


def chunks(text: str, length: int = 77) -> list[list[int]]:
    """The prompt in pieces of `length` ids: begin, up to `length` - 2 tokens, end, and end again as padding.

    A prompt that is longer than one piece gets as many as it needs, so nothing of it is lost. An empty one
    has one piece.
    """
    ids = tokenize(text)
    room = length - 2
    pieces = [ids[start : start + room] for start in range(0, max(len(ids), 1), room)]
    return [[BEGIN, *piece, *[END] * (length - 1 - len(piece))] for piece in pieces]


@torch.no_grad()
def encode(module: "CLIPTextModel", text: str, skip: int = 0) -> Tensor:
    """The prompt's embeddings, (1, 77 * pieces, width) float32 on the CPU.

    Each piece is encoded on its own and the results are joined along the tokens, which is what other
    programs do with long prompts too; within 75 tokens it is the plain encoding.

    Args:
        module: The text encoder.
        text: The prompt.
        skip: How many of the last layers are left out. The final layer norm is applied all the same.

    Raises:
        InputError: The encoder has too few layers, or another vocabulary.
    """
    check_layers(skip, module.config.num_hidden_layers)
    if module.config.vocab_size <= END:
        raise InputError(
            f"the text encoder has {module.config.vocab_size} tokens, CLIP's vocabulary has {END + 1}: "
            "use a text encoder of the SD 1.x family"
        )
    ids = torch.tensor(chunks(text, module.config.max_position_embeddings), device=module.device)
    states: Tensor
    if skip == 0:
        states = module(ids).last_hidden_state
    else:
        core: Any = getattr(module, "text_model", module)
        hidden = module(ids, output_hidden_states=True).hidden_states
        states = core.final_layer_norm(hidden[-(skip + 1)])
    return states.to("cpu", torch.float32).reshape(1, -1, states.shape[-1])


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
