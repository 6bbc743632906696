import random
from typing import Any

import pytest
import torch

from engine.errors import InputError
from nodes.diffusion import text
from nodes.diffusion.text import BEGIN, END, chunks, encode, tokenize
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
    torch.testing.assert_close(found, _by_transformers(tiny, prompt), rtol=1e-5, atol=1e-5)


def test_long_prompt_is_its_pieces_joined(tiny: Tiny) -> None:
    first, second = " ".join(["cat"] * 75), "a dog in the snow"

    found = encode(tiny.pipeline().text_encoder, f"{first} {second}")

    expected = torch.cat([_by_transformers(tiny, first), _by_transformers(tiny, second)], dim=1)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("skip", [1, 2])
def test_clip_skip_leaves_out_the_last_layers(skip: int, tiny: Tiny) -> None:
    from transformers import CLIPTextConfig, CLIPTextModel

    whole = tiny.pipeline().text_encoder
    fewer: Any = CLIPTextModel(CLIPTextConfig(**TEXT | {"num_hidden_layers": 3 - skip}))
    state = whole.state_dict()
    fewer.load_state_dict({name: state[name] for name in fewer.state_dict()})

    torch.testing.assert_close(
        encode(whole, "a cat", skip), encode(fewer.eval(), "a cat"), rtol=1e-5, atol=1e-5
    )
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
