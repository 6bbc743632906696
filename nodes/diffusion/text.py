"""Prompts as tokens and as embeddings: CLIP's own vocabulary, prompts of any length, clip skip."""

import gzip
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from engine.errors import InputError
from nodes.fitting import check_layers

from .prompts import Break, Item, Named, Syntax, Words, parse

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


@dataclass(frozen=True, eq=False)
class Slot:
    """One place in a piece: a token's id, or a vector in place of a token's, and its weight."""

    token: int
    weight: float = 1.0
    vector: Tensor | None = None


class Encoded(NamedTuple):
    """A prompt as a model reads it, float32 on the CPU."""

    embeddings: Tensor
    """(1, 77 * pieces, width)"""
    pooled: Tensor | None
    """(1, width): the first piece as one vector, from encoders that have a projection for it."""
    pieces: int


Lookup = Callable[[str], Tensor]
"""Gives an embedding's vectors, (tokens, width), by its name."""


def chunks(text: str, length: int = 77) -> list[list[int]]:
    """The prompt in pieces of `length` ids: begin, up to `length` - 2 tokens, end, and end again as padding.

    A prompt that is longer than one piece gets as many as it needs, so nothing of it is lost. An empty one
    has one piece. The text is read plainly.
    """
    items = parse(text, "plain")
    return [[slot.token for slot in piece] for piece in pieces(items, length)]


def pieces(
    items: Sequence[Item], length: int = 77, padding: int = END, lookup: Lookup | None = None
) -> list[list[Slot]]:
    """A prompt's slots, in pieces of `length`.

    A word of fewer than 8 tokens goes whole to the next piece if the rest of the present one is too
    small for it; a longer one is divided.
    """
    room = length - 2
    found: list[list[Slot]] = [[]]
    for item in items:
        if isinstance(item, Break):
            if found[-1]:
                found.append([])
            continue
        for group in _groups(item, lookup):
            if len(found[-1]) + len(group) > room and len(group) < _DIVIDED and found[-1]:
                found.append([])
            for slot in group:
                if len(found[-1]) == room:
                    found.append([])
                found[-1].append(slot)
    if len(found) > 1 and not found[-1]:
        found.pop()
    return [_filled(piece, length, padding) for piece in found]


_DIVIDED = 8
"""Words of so many tokens may be divided between pieces."""


def _filled(piece: list[Slot], length: int, padding: int) -> list[Slot]:
    rest = [Slot(padding)] * (length - 2 - len(piece))
    return [Slot(BEGIN), *piece, Slot(END), *rest]


def _groups(item: Words | Named, lookup: Lookup | None) -> Iterator[list[Slot]]:
    """What should stay together: words, or an embedding's vectors."""
    if isinstance(item, Words):
        for word in item.text.split():
            yield [Slot(token, item.weight) for token in tokenize(word)]
    elif lookup is None:
        yield from _groups(Words(item.mark, item.weight), None)
    else:
        # The id is no end of a prompt, which the pooled vector is read at.
        yield [Slot(0, item.weight, vector) for vector in lookup(item.name)]


def encode(
    module: "CLIPTextModel", text: str, skip: int = 0, *, syntax: Syntax = "weighted"
) -> Tensor:
    """The prompt's embeddings alone; see `read`."""
    return read(module, parse(text, syntax), skip).embeddings


@torch.no_grad()
def read(
    module: Any,
    items: Sequence[Item],
    skip: int = 0,
    *,
    lookup: Lookup | None = None,
    padding: int = END,
    is_normed: bool = True,
    least: int = 1,
) -> Encoded:
    """A prompt as a text encoder reads it.

    Each piece is encoded on its own and the results are joined along the tokens, which is what other
    programs do with long prompts too; within 75 tokens and without weights it is the plain encoding.
    A token of weight w has e0 + w * (e - e0), where e is its embedding and e0 that of the empty prompt
    at its place.

    Args:
        module: The text encoder: a CLIPTextModel, or one with a projection.
        items: The prompt, parsed.
        skip: How many of the last layers are left out.
        lookup: Finds embeddings by their names.
        padding: The id that pieces are filled up with.
        is_normed: Whether the final layer norm is applied to an earlier layer's output too.
        least: Pieces to give at least; the further ones are empty.

    Raises:
        InputError: The encoder has too few layers, or another vocabulary.
    """
    check_layers(skip, module.config.num_hidden_layers)
    if module.config.vocab_size <= END:
        raise InputError(
            f"the text encoder has {module.config.vocab_size} tokens, CLIP's vocabulary has {END + 1}: "
            "use a text encoder of the model's family"
        )
    length = module.config.max_position_embeddings
    slots = pieces(items, length, padding, lookup)
    slots += [_filled([], length, padding)] * (least - len(slots))
    weights = torch.tensor([[slot.weight for slot in piece] for piece in slots])
    is_weighted = bool((weights != 1).any())
    asked = [*slots, _filled([], length, padding)] if is_weighted else slots
    states, pooled = _run(module, asked, skip, is_normed=is_normed)
    if is_weighted:
        states, empty = states[:-1], states[-1:]
        # Where nothing weighs, not even rounding may change.
        moved = empty + weights[..., None] * (states - empty)
        states = torch.where(weights[..., None] == 1, states, moved)
    joined = states.reshape(1, -1, states.shape[-1])
    return Encoded(joined, None if pooled is None else pooled[:1], len(slots))


def _run(
    module: Any, slots: Sequence[Sequence[Slot]], skip: int, *, is_normed: bool
) -> tuple[Tensor, Tensor | None]:
    """What the encoder says of each piece: (pieces, length, width), and pooled (pieces, width)."""
    ids = torch.tensor([[slot.token for slot in piece] for piece in slots], device=module.device)
    with _embedded(module, slots):
        output = module(ids, output_hidden_states=skip > 0 or not is_normed)
    states: Tensor
    if skip == 0 and is_normed:
        states = output.last_hidden_state
    else:
        core: Any = getattr(module, "text_model", module)
        states = output.hidden_states[-(skip + 1)]
        states = core.final_layer_norm(states) if is_normed else states
    pooled: Tensor | None = getattr(output, "text_embeds", None)
    return (
        states.to("cpu", torch.float32),
        None if pooled is None else pooled.to("cpu", torch.float32),
    )


@contextmanager
def _embedded(module: Any, slots: Sequence[Sequence[Slot]]) -> Iterator[None]:
    """Has the module see the slots' vectors in place of those of their tokens, in this thread alone."""
    places = [
        (row, column, slot.vector)
        for row, piece in enumerate(slots)
        for column, slot in enumerate(piece)
        if slot.vector is not None
    ]
    if not places:
        yield
        return
    mine = threading.get_ident()

    def replaced(_: Any, __: Any, output: Tensor) -> Tensor:
        if threading.get_ident() != mine:
            return output
        output = output.clone()
        for row, column, vector in places:
            output[row, column] = vector.to(output.device, output.dtype)
        return output

    hook = module.get_input_embeddings().register_forward_hook(replaced)
    try:
        yield
    finally:
        hook.remove()


def joined(found: Sequence[Encoded]) -> Encoded:
    """What several encoders read in as many pieces, joined along the width; the last one's pooled vector."""
    embeddings = torch.cat([each.embeddings for each in found], dim=-1)
    return Encoded(embeddings, found[-1].pooled, found[-1].pieces)


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
