from pathlib import Path

import pytest

from engine.difference import Difference, by_bytes
from engine.runtime import Runtime


@pytest.mark.parametrize(
    ("difference", "text"),
    [
        (Difference(identical=True), "is the same byte for byte"),
        (
            Difference(identical=True, share=0.0, largest=0.0, mean=0.0),
            "is the same pixel for pixel",
        ),
        (Difference(identical=False), "has other bytes"),
        (
            Difference(identical=False, sizes=((512, 768), (64, 32))),
            "measures 64 x 32 pixels, it was 512 x 768",
        ),
        (
            Difference(identical=False, share=0.0325, largest=4.0, mean=0.0123, psnr=58.25),
            "differs in 3.25 % of its pixels, by 4 of 255 steps at most and 0.0123 on average (PSNR 58.2 dB)",
        ),
    ],
)
def test_a_difference_is_told_in_one_sentence(difference: Difference, text: str) -> None:
    assert difference.text == text


def test_files_of_unknown_kinds_are_compared_by_their_bytes(tmp_path: Path) -> None:
    for name, text in {"a": "cat", "b": "cat", "c": "dog"}.items():
        (tmp_path / name).write_text(text)
    compare = Runtime().compare

    assert compare is by_bytes
    assert compare(tmp_path / "a", tmp_path / "b").identical
    assert not compare(tmp_path / "a", tmp_path / "c").identical
