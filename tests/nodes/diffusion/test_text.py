import random
from typing import Any

import pytest
import torch

from engine.errors import InputError
from nodes.diffusion import text
from nodes.diffusion.prompts import parse
from nodes.diffusion.text import BEGIN, END, chunks, encode, pieces, read, tokenize
from tests.nodes import parity
from tests.nodes.conftest import TEXT, Tiny, randomised


@pytest.mark.parametrize(
    ("prompt", "ids"),
    [
        ("", []),
        ("a photo of a cat", [320, 1125, 539, 320, 2368]),
        ("Hello World!", [3306, 1002, 256]),
        ("the black dog", [518, 1449, 1929]),
        (
            "a photo of an astronaut riding a horse on mars",
            [320, 1125, 539, 550, 18376, 6765, 320, 4558, 525, 7496],
        ),
        ("café", [15304]),
        ("a photo of a speaker on stage", [320, 1125, 539, 320, 4914, 525, 2170]),
    ],
)
def test_published_token_ids(prompt: str, ids: list[int]) -> None:
    assert tokenize(prompt) == ids


def test_any_text_has_the_tokens_of_transformers(tiny: Tiny) -> None:
    tokenizer = tiny.pipeline().tokenizer
    choose = random.Random(0)
    ranges = [
        range(9, 14),
        range(32, 127),
        range(0xA0, 0x500),
        range(0x3000, 0x3100),
        range(0x1F600, 0x1F640),
    ]
    samples = [
        "".join(chr(choose.choice(choose.choice(ranges))) for _ in range(40)) for _ in range(200)
    ]
    samples += [
        "don't  they'll\tIT'S",
        "<|endoftext|> a <|startoftext|>",
        "e\u0301",
        "a &amp; b",
        "3.14, 1e-5",
        "...!!!",
    ]

    for sample in samples:
        assert tokenize(sample) == tokenizer(sample, add_special_tokens=False)["input_ids"]


@pytest.mark.parametrize(
    ("words", "pieces"), [(0, 1), (1, 1), (75, 1), (76, 2), (150, 2), (151, 3)]
)
def test_long_prompts_are_split_and_lose_nothing(words: int, pieces: int) -> None:
    split = chunks(" ".join(["cat"] * words))

    assert len(split) == pieces
    assert all(len(piece) == 77 and piece[0] == BEGIN and piece[-1] == END for piece in split)
    assert sum(piece.count(2368) for piece in split) == words
    assert all(set(piece[piece.index(END) :]) == {END} for piece in split)


@torch.no_grad()
def _by_transformers(tiny: Tiny, prompt: str) -> torch.Tensor:
    made = tiny.pipeline()
    ids = made.tokenizer(
        prompt, padding="max_length", max_length=77, truncation=True, return_tensors="pt"
    ).input_ids
    found: torch.Tensor = made.text_encoder(ids).last_hidden_state
    return found


@pytest.mark.parametrize("prompt", ["", "a red house at night", " ".join(["cat"] * 75)])
def test_encoding_is_that_of_the_pipeline(prompt: str, tiny: Tiny) -> None:
    found = encode(tiny.pipeline().text_encoder, prompt)

    assert found.shape == (1, 77, 64)
    assert found.dtype == torch.float32
    expected = _by_transformers(tiny, prompt)
    how = f"a prompt of {len(prompt.split())} words"
    parity.agree("Prompts", how, found, expected, what="conditioning", by="transformers")


def test_long_prompt_is_its_pieces_joined(tiny: Tiny) -> None:
    first, second = " ".join(["cat"] * 75), "a dog in the snow"

    found = encode(tiny.pipeline().text_encoder, f"{first} {second}")

    expected = torch.cat([_by_transformers(tiny, first), _by_transformers(tiny, second)], dim=1)
    how, by = "more than 75 tokens", "transformers, 75 at a time"
    parity.agree("Prompts", how, found, expected, what="conditioning", by=by)


@pytest.mark.parametrize("skip", [1, 2])
def test_clip_skip_leaves_out_the_last_layers(skip: int, tiny: Tiny) -> None:
    from transformers import CLIPTextConfig, CLIPTextModel

    whole = tiny.pipeline().text_encoder
    fewer: Any = CLIPTextModel(CLIPTextConfig(**TEXT | {"num_hidden_layers": 3 - skip}))
    state = whole.state_dict()
    fewer.load_state_dict({name: state[name] for name in fewer.state_dict()})

    expected = encode(fewer.eval(), "a cat")
    how, by = f"clip skip {skip}", "an encoder of fewer layers"
    parity.agree("Prompts", how, encode(whole, "a cat", skip), expected, what="conditioning", by=by)
    assert not encode(whole, "a cat", skip).allclose(encode(whole, "a cat"), atol=1e-2)


@pytest.mark.parametrize("skip", [-1, 3, 11])
def test_clip_skip_of_all_layers_is_refused(skip: int, tiny: Tiny) -> None:
    with pytest.raises(
        InputError,
        match=f"leaves out {skip} layers of a text encoder with 3: give a number from 0 to 2",
    ):
        encode(tiny.pipeline().text_encoder, "a cat", skip)


def test_foreign_vocabulary_is_refused() -> None:
    from transformers import CLIPTextConfig, CLIPTextModel

    small = randomised(CLIPTextModel(CLIPTextConfig(**TEXT | {"vocab_size": 600})), 0)

    with pytest.raises(InputError, match="has 600 tokens, CLIP's vocabulary has 49408"):
        encode(small, "a cat")


def test_vocabulary_is_the_published_one() -> None:
    import hashlib

    readme = (text.VOCABULARY.parent / "README.md").read_text()

    assert hashlib.sha256(text.VOCABULARY.read_bytes()).hexdigest() in readme


def test_words_are_not_divided_between_pieces() -> None:
    long = "antidisestablishmentarianism"
    group = tokenize(long)
    assert 1 < len(group) < 8
    fill = 75 - len(group) + 1

    first, second = pieces(parse(" ".join(["cat"] * fill) + f" {long}"))

    assert [slot.token for slot in first] == [BEGIN, *[2368] * fill, *[END] * (76 - fill)]
    assert [slot.token for slot in second][1 : 1 + len(group)] == group


def test_words_of_many_tokens_are_divided() -> None:
    word = ",".join(["cat"] * 20)
    first, second = pieces(parse(" ".join(["dog"] * 70) + f" {word}"))

    assert [slot.token for slot in first][71:76] == tokenize(word)[:5]
    assert [slot.token for slot in second][1:35] == tokenize(word)[5:]


def test_break_begins_a_new_piece_and_padding_is_the_encoders() -> None:
    first, second = pieces(parse("BREAK cat BREAK BREAK dog BREAK"), padding=0)

    assert [slot.token for slot in first] == [BEGIN, 2368, END, *[0] * 74]
    assert [slot.token for slot in second][:3] == [BEGIN, 1929, END]


def test_weights_move_away_from_the_empty_prompt(tiny: Tiny) -> None:
    module = tiny.pipeline().text_encoder
    plain, empty = encode(module, "a red house"), encode(module, "")

    found = encode(module, "a (red:1.5) house")

    expected = plain.clone()
    expected[:, 2] = empty[:, 2] + 1.5 * (plain[:, 2] - empty[:, 2])
    how, by = "a word of weight 1.5", "ComfyUI's rule"
    parity.agree("Prompts", how, found, expected, what="conditioning", by=by)
    assert not found[:, 2].allclose(plain[:, 2], atol=1e-2)


def test_weight_of_one_changes_no_bit(tiny: Tiny) -> None:
    module = tiny.pipeline().text_encoder

    weighted, plain = encode(module, "([a] red:1) house"), encode(module, "a red house")

    # Where several pieces are encoded at once, sums may be rounded otherwise.
    torch.testing.assert_close(weighted[:, 2:], plain[:, 2:], rtol=1e-6, atol=1e-6)
    assert torch.equal(encode(module, "(a red house:1)"), plain)


def test_vectors_stand_in_place_of_tokens(tiny: Tiny) -> None:
    module: Any = tiny.pipeline().text_encoder
    table = module.get_input_embeddings().weight
    vectors = table[[1125, 539]].detach()

    found = read(module, parse("a embedding:x cat"), lookup=lambda _: vectors)

    torch.testing.assert_close(
        found.embeddings, encode(module, "a photo of cat"), rtol=1e-5, atol=1e-5
    )
    assert not module.get_input_embeddings()._forward_hooks


def test_pooled_vector_is_that_of_the_first_piece(tiny: Tiny) -> None:
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    config = CLIPTextConfig(**TEXT | {"projection_dim": 32, "eos_token_id": 2})
    module: Any = randomised(CLIPTextModelWithProjection(config), 5)
    ids = torch.tensor(chunks("a cat"))

    found = read(module, parse("a cat BREAK a dog"), is_normed=False, skip=1, least=3)

    output = module(ids, output_hidden_states=True)
    assert found.embeddings.shape == (1, 3 * 77, 64)
    torch.testing.assert_close(found.pooled, output.text_embeds, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found.embeddings[:, :77], output.hidden_states[-2], rtol=1e-5, atol=1e-5)  # fmt: skip
