import pytest

from engine.errors import InputError
from nodes.diffusion.prompts import Break, Item, Named, Syntax, Words, doubts, names, parse, taught


def weights(text: str, syntax: Syntax = "weighted") -> list[tuple[str, float]]:
    found = [item for item in parse(text, syntax) if isinstance(item, Words)]
    return [(item.text, round(item.weight, 6)) for item in found]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("a red house", [("a red house", 1.0)]),
        ("a (red) house", [("a ", 1.0), ("red", 1.1), (" house", 1.0)]),
        ("((red))", [("red", 1.21)]),
        ("(red:1.3)", [("red", 1.3)]),
        ("(red : 0)", [("red ", 0.0)]),
        ("(red:-.5)", [("red", -0.5)]),
        ("[red]", [("red", round(1 / 1.1, 6))]),
        ("([red])", [("red", 1.0)]),
        ("(a (b:2) c:1.5)", [("a ", 1.5), ("b", 3.0), (" c", 1.5)]),
        ("(a:b)", [("a:b", 1.1)]),
        ("(:1.5)", [(":1.5", 1.1)]),
        ("(a:1.5:2)", [("a:1.5", 2.0)]),
        (r"\(red\) \[x\] \\", [(r"(red) [x] " + "\\", 1.0)]),
        (r"(a \(b\):1.5)", [("a (b)", 1.5)]),
        ("smile :) and (: more", [("smile :) and (: more", 1.0)]),
        ("(a) (b", [("a", 1.1), (" (b", 1.0)]),
        ("()", []),
        ("(a)(b)", [("ab", 1.1)]),
    ],
)
def test_weights_nest_and_multiply(text: str, found: list[tuple[str, float]]) -> None:
    assert weights(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("(a (b:2) c:1.5)", [("a ", 1.5), ("b", 2.0), (" c", 1.5)]),
        ("((a))", [("a", 1.21)]),
        ("[a] BREAK b", [("[a] BREAK b", 1.0)]),
        (r"\(a\) \[b", [(r"(a) \[b", 1.0)]),
    ],
)
def test_comfyui_counts_the_innermost_number_alone(
    text: str, found: list[tuple[str, float]]
) -> None:
    assert weights(text, "comfyui") == found


@pytest.mark.parametrize(
    ("text", "syntax", "said"),
    [
        ("a (house:1e400)", "weighted", "'house' weighs inf"),
        ("a (house:-1e400)", "comfyui", "'house' weighs -inf"),
        ("((a:0) b:1e400)", "weighted", "'a' weighs nan"),
        ("(a (b:50):50)", "weighted", "'b' weighs 2500"),
        ("(" * 90 + "embedding:cat" + ")" * 90, "weighted", "'embedding:cat' weighs"),
    ],
)
def test_what_weighs_more_than_numbers_can_tell_is_refused(
    text: str, syntax: Syntax, said: str
) -> None:
    with pytest.raises(InputError, match=f"{said}.*give it a weight from -1000 to 1000"):
        names(text, syntax)
    assert parse(text, "plain") == [Words(text)]


def test_plain_text_has_no_signs() -> None:
    text = r"(a:1.5) [b] BREAK \( embedding:x"

    assert parse(text, "plain") == [Words(text)]
    assert names(text, "plain") == ()


def test_break_is_a_word_of_its_own() -> None:
    assert parse("a BREAK (b BREAK c:2) BREAKFAST") == [
        Words("a "),
        Break(),
        Words(" "),
        Words("b ", 2.0),
        Break(),
        Words(" c", 2.0),
        Words(" BREAKFAST"),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a embedding:cat, b", [Words("a "), Named("cat", 1.0, "embedding:cat"), Words(", b")]),
        ("(embedding:sub/my-cat.pt:1.2)", [Words("embedding:sub/my-cat.pt:1.2", 1.1)]),
        ("embedding:cat.", [Named("cat", 1.0, "embedding:cat"), Words(".")]),
        ("noembedding:cat", [Words("noembedding:cat")]),
    ],
)
def test_embeddings_are_named(text: str, found: list[Item]) -> None:
    if ":1.2" in text:
        found = [Named("sub/my-cat.pt", 1.2, "embedding:sub/my-cat.pt")]
    assert parse(text) == found


def test_names_come_once_in_order() -> None:
    assert names("embedding:b (embedding:a) embedding:b") == ("b", "a")


def test_taught_words_stand_for_embeddings() -> None:
    items = parse("a <cat> and (<cat>s, <cat2>:2)")

    assert taught(items, {"<cat>": "cat.pt", "<cat2>": "two.pt"}) == [
        Words("a "),
        Named("cat.pt", 1.0, "<cat>"),
        Words(" and "),
        Words("<cat>s, ", 2.0),
        Named("two.pt", 2.0, "<cat2>"),
    ]
    assert taught(items, {}) == items


@pytest.mark.parametrize(
    ("text", "syntax", "wanted"),
    [
        ("a (red house:1.3), [night], BREAK (dog)", "weighted", []),
        (r"a \(red house, :)", "weighted", []),
        ("a [red house", "comfyui", []),
        ("a (red house", "plain", []),
        ("a (red house:1.3", "weighted", ["the bracket ( is never closed"]),
        ("a [red house", "weighted", ["the bracket [ is never closed"]),
        ("a ((red house)", "comfyui", ["the bracket ( is never closed"]),
        ("(red house:1,3)", "weighted", ["(red house:1,3) has no number as its weight"]),
        ("a cat <lora:style-2:0.8>", "plain", ["<lora:style-2:0.8> is read as words: put it in by LoadLora"]),
    ],
)  # fmt: skip
def test_what_may_be_meant_otherwise_is_told(text: str, syntax: Syntax, wanted: list[str]) -> None:
    found = doubts(text, syntax)
    assert [said.startswith(start) for said, start in zip(found, wanted, strict=True)] == [True] * len(wanted)  # fmt: skip
