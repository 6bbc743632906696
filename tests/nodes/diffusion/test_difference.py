import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch

from engine.difference import Difference
from engine.errors import InputError
from nodes.diffusion import difference
from nodes.diffusion.difference import compare, measure
from nodes.runtime import open_runtime


def write(path: Path, levels: object, dtype: type = np.uint8, **options: Any) -> Path:
    PIL.Image.fromarray(np.asarray(levels, dtype=dtype)).save(path, **options)
    return path


def noise(seed: int, channels: int = 3) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 256, (7, 5, channels), dtype=np.uint8)


def test_figures_follow_their_definitions() -> None:
    first = torch.zeros(2, 3, 4, 5)
    second = first.clone()
    second[0, 1, 2, 3] = 0.5
    second[0, 2, 2, 3] = 0.25
    second[1, 0, 0, 0] = 0.25

    figures = measure(first, second, 1.0)

    assert figures.share == 2 / 40
    assert figures.largest == 0.5
    assert figures.mean == 1.0 / 120
    assert figures.psnr == pytest.approx(10 * math.log10(120 / (0.25 + 0.0625 + 0.0625)))


def test_figures_do_not_depend_on_how_the_picture_is_parted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = torch.randint(0, 9, (2, 2, 3, 7, 5), generator=torch.Generator("cpu"))
    whole = measure(first, second, 8.0)

    monkeypatch.setattr(difference, "_BAND", 1)

    assert measure(first, second, 8.0) == whole


def test_one_level_is_one_step_exactly(tmp_path: Path) -> None:
    levels = noise(0)
    levels[3, 2] = (7, 255, 0)
    before = write(tmp_path / "before.png", levels)
    levels[3, 2] = (8, 253, 0)
    after = write(tmp_path / "after.png", levels)

    found = compare(before, after)

    assert replace(found, psnr=None) == Difference(False, share=1 / 35, largest=2.0, mean=3 / 105)
    assert found.psnr == pytest.approx(10 * math.log10(255**2 * 105 / 5))


def test_every_level_of_8_bits_is_told_from_the_next(tmp_path: Path) -> None:
    row = np.repeat(np.arange(256)[None, :, None], 3, axis=2)
    before = write(tmp_path / "before.png", row[:, :-1])
    after = write(tmp_path / "after.png", row[:, 1:])

    found = compare(before, after)

    assert (found.share, found.largest, found.mean) == (1.0, 1.0, 1.0)


def test_the_least_step_of_16_bits_counts(tmp_path: Path) -> None:
    before = write(tmp_path / "before.png", [[0, 40_000]], np.uint16)
    after = write(tmp_path / "after.png", [[0, 40_001]], np.uint16)

    found = compare(before, after)

    assert (found.identical, found.share, found.largest) == (False, 0.5, 255 / 65535)


def test_pixels_count_not_how_they_are_packed(tmp_path: Path) -> None:
    before = write(tmp_path / "before.png", noise(0), compress_level=0)
    after = write(tmp_path / "after.webp", noise(0), lossless=True)

    assert compare(before, after) == Difference(True, share=0.0, largest=0.0, mean=0.0)
    assert compare(before, before) == Difference(True, share=0.0, largest=0.0, mean=0.0)


def test_opacity_counts_and_is_full_where_there_is_none(tmp_path: Path) -> None:
    opaque = write(tmp_path / "opaque.png", noise(0))
    full = np.dstack([noise(0), np.full((7, 5), 255)])
    half = full.copy()
    half[0, 0, 3] = 128

    assert compare(opaque, write(tmp_path / "full.png", full)).identical
    found = compare(write(tmp_path / "half.png", half), opaque)
    assert (found.share, found.largest) == (1 / 35, 127.0)
    assert found.mean == pytest.approx(127 / 140)


def test_other_sizes_are_named(tmp_path: Path) -> None:
    before = write(tmp_path / "before.png", noise(0))
    after = write(tmp_path / "after.png", noise(0)[:3])

    assert compare(before, after) == Difference(False, sizes=((5, 7), (5, 3)))


def test_files_that_are_no_pictures_are_compared_by_their_bytes(tmp_path: Path) -> None:
    picture, table, copy = (tmp_path / name for name in ("a.png", "b.csv", "c.csv"))
    write(picture, noise(0))
    table.write_text("seed\n1\n")
    copy.write_text("seed\n1\n")

    assert compare(table, copy) == Difference(identical=True)
    assert compare(picture, table) == Difference(identical=False)


def test_a_damaged_picture_is_told(tmp_path: Path) -> None:
    before = write(tmp_path / "before.png", noise(0))
    after = tmp_path / "after.png"
    after.write_bytes(before.read_bytes()[:60])

    with pytest.raises(InputError, match=r"after\.png is damaged"):
        compare(before, after)


def test_the_runtime_lends_the_comparison(tmp_path: Path) -> None:
    before = write(tmp_path / "before.png", noise(0), compress_level=0)
    after = write(tmp_path / "after.png", noise(0), compress_level=9)

    assert open_runtime(tmp_path, device="cpu").compare(before, after).share == 0.0
