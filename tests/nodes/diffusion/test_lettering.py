import pytest
import torch

from nodes.diffusion.lettering import (
    Caption,
    coverage,
    drawable,
    line_height,
    width_of,
    wrapped,
    wrapped_apart,
    written,
)

PROMPT = "a photograph of a red house in the snow, winter, at night"


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (7.500000001, "7.5"),
        (20.0, "20"),
        (1e-05, "1e-05"),
        (123456789012345, "123456789012345"),
        (True, "true"),
        (None, "none"),
        ("a cat", "a cat"),
        ("  ", "(empty)"),
        ([], "(empty)"),
        ([1, 2.50, "x"], "1, 2.5, x"),
        ({"kind": "fit", "width": 512, "height": 0.25}, "fit, width 512, height 0.25"),
    ],
)
def test_values_are_written_short(value: object, label: str) -> None:
    assert written(value) == label


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("two\n lines\there", "two lines here"),
        ("Größe, café", "Grosse, cafe"),
        ("1 \u2013 2 \u00d7 3", "1 - 2 x 3"),
        ("①…", "1…"),
        ("漢 😀", "漢 😀"),
    ],
)
def test_letters_that_the_font_lacks_become_their_like(text: str, drawn: str) -> None:
    assert drawable(text) == drawn


def test_text_that_fits_is_one_line() -> None:
    assert wrapped("a cat", 16, width_of("a cat", 16), 1) == ("a cat",)
    assert wrapped("", 16, 100, 3) == ()


def test_long_text_breaks_between_words() -> None:
    lines = wrapped(PROMPT, 16, 160, 9)

    assert " ".join(lines) == PROMPT
    assert len(lines) > 2
    assert max(width_of(line, 16) for line in lines) <= 160


def test_what_does_not_fit_ends_in_an_ellipsis() -> None:
    lines = wrapped(PROMPT, 16, 160, 2)

    assert len(lines) == 2
    assert lines[1].endswith("…")
    assert PROMPT.startswith(" ".join(lines)[:-1])
    assert max(width_of(line, 16) for line in lines) <= 160


def test_a_word_wider_than_the_line_is_broken() -> None:
    lines = wrapped("dpmpp_2m_sde_karras", 16, 60, 9)

    assert "".join(lines) == "dpmpp_2m_sde_karras"
    assert max(width_of(line, 16) for line in lines) <= 60


@pytest.mark.parametrize("across", [0, 1, 5])
def test_no_width_is_too_small(across: int) -> None:
    assert wrapped("night", 16, across, 1) == ("…",)
    assert "".join(wrapped("night", 16, across, 9)) == "night"


def test_labels_that_would_look_alike_lose_their_common_start() -> None:
    night, noon = wrapped_apart([PROMPT, PROMPT.replace("night", "noon")], 16, 130, 1)

    assert night == ("… night",)
    assert noon == ("… noon",)


def test_labels_that_differ_anyway_keep_their_start() -> None:
    lines = wrapped_apart([PROMPT, "a dog", "a dog"], 16, 130, 1)

    assert lines[0][0].startswith("a photograph")
    assert lines[1:] == [("a dog",), ("a dog",)]


def test_labels_without_a_common_start_stay_whole() -> None:
    assert wrapped_apart(["aaaaaaaaaa", "aaaaaaaaab"], 16, 40, 1)[0][0].startswith("aaa")


@pytest.mark.parametrize(
    ("align", "first", "last"), [("left", 0, 20), ("center", 40, 60), ("right", 80, 100)]
)
def test_text_is_drawn_at_its_side(align: str, first: int, last: int) -> None:
    wide = width_of("mm", 13)
    caption = Caption(0, 0, 100, 13, ("mm",), align)  # type: ignore[arg-type]

    covered = coverage(caption)

    assert covered.shape == (line_height(13), 100)
    columns = torch.nonzero(covered.amax(dim=0) > 0.2).flatten()
    assert int(columns.max() - columns.min()) <= wide
    assert abs(int(columns.min()) - (first if align == "left" else last - wide)) <= wide
    assert 0 <= float(covered.min()) < float(covered.max()) <= 1


def test_lines_stand_below_each_other() -> None:
    covered = coverage(Caption(0, 0, 60, 20, ("mmm", "mmm")))

    above, below = covered[: line_height(20)], covered[line_height(20) :]
    assert torch.equal(above, below)
    assert float(above.sum()) > 0


def test_any_unicode_can_be_drawn() -> None:
    text = drawable("漢字 \ud800 \0 \u202e ♥ עברית")

    assert float(coverage(Caption(0, 0, 300, 16, wrapped(text, 16, 300, 2))).max()) > 0
