"""Values and their differences in one line."""

import time
from typing import Any

import pytest

from engine.wording import change_shown, shown

from .conftest import link

LONG = " ".join(f"word{number}" for number in range(60))


def test_long_values_lose_their_middle() -> None:
    assert shown("a" * 200) == '"' + "a" * 39 + "…" + "a" * 19 + '"'


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (LONG, f"{LONG} more", '"… word55 word56 word57 word58 word59{+ more+}"'),
        (LONG, f"first {LONG}", '"{+first +}word0 word1 word2 word3 word4 …"'),
        (
            LONG,
            LONG.replace("word30 word31", "a b"),
            '"…word25 word26 word27 word28 word29 [-word30 word31-]{+a b+} word32 word33 word34 word35 word36…"',
        ),
        (
            LONG,
            LONG.replace("word10", "x").replace("word30", "y"),
            (
                '"…word5 word6 word7 word8 word9 [-word10-]{+x+} word11 word12 word13 word14 word15…'
                'word25 word26 word27 word28 word29 [-word30-]{+y+} word31 word32 word33 word34 word35…"'
            ),
        ),
        (LONG, 7, f'"{LONG[:39]}…{LONG[-19:]}" → 7'),
        (
            {"kind": "fit", "words": LONG},
            {"kind": "scale", "words": LONG, "factor": link("a")},
            'kind "fit" → "scale"; factor + a.value',
        ),
        (
            [LONG, [1, 2], {"a": 1}, {"b": 1}, 5],
            [LONG, [1, 3, 4], {"a": link("b")}, link("c"), 5],
            "[1][1] 2 → 3; [1][2] + 4; [2].a 1 → b.value; [3] {b: 1} → c.value",
        ),
        ([LONG, 1, 2], [LONG, 2], "[1] - 1"),
        ([LONG, 2], [LONG, 1, 2, True], "[1] + 1; [3] + true"),
        (
            list(range(100, 130)),
            list(range(200, 230)),
            "[0] 100 → 200; [1] 101 → 201; [2] 102 → 202; [3] 103 → 203; and 26 more",
        ),
    ],
)
def test_the_difference_of_long_values_is_visible(before: Any, after: Any, said: str) -> None:
    assert change_shown(before, after) == said


def test_links_to_long_ids_are_shown_as_links() -> None:
    assert change_shown(link("a" * 50), link("b" * 50)).endswith(".value")
    assert change_shown([link("a" * 50)], {"b": LONG}).startswith("[aaa")


def test_very_long_texts_are_compared_at_once() -> None:
    before = "a " + " ".join(f"x{n} y" for n in range(20_000)) + " z"
    after = "a " + " ".join(f"u{n} y" for n in range(20_000)) + " z"
    started = time.perf_counter()
    said = change_shown(before, after)
    assert time.perf_counter() - started < 1
    assert said.startswith('"a [-x0 y x1 y')
    assert "…" in said
