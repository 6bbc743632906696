import io
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from engine.errors import InputError
from nodes.diffusion.thumbnails import preview, thumbnail


def image(data: bytes) -> Any:
    return PIL.Image.open(io.BytesIO(data))


def saved(path: Path, mode: str, size: tuple[int, int], colour: Any, **options: Any) -> Path:
    PIL.Image.new(mode, size, colour).save(path, **options)
    return path


@pytest.mark.parametrize(
    ("size", "wanted"),
    [((64, 32), (256, 128)), ((16, 64), (64, 256)), ((400, 100), (400, 100)), ((1024, 512), (512, 256))],
)  # fmt: skip
def test_a_preview_is_neither_tiny_nor_large(
    size: tuple[int, int], wanted: tuple[int, int]
) -> None:
    made = image(preview(np.full((size[1], size[0], 3), (200, 30, 30), dtype=np.uint8)))
    assert (made.format, made.size) == ("JPEG", wanted)
    assert np.abs(np.asarray(made)[0, 0].astype(int) - (200, 30, 30)).max() < 6


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tiff", "a.bmp", "a.gif"])
def test_a_thumbnail_fits_into_its_square(tmp_path: Path, name: str) -> None:
    made = image(thumbnail(saved(tmp_path / name, "RGB", (300, 200), (0, 120, 0)), 96))
    assert (made.format, made.size) == ("JPEG", (96, 64))
    assert np.abs(np.asarray(made)[5, 5].astype(int) - (0, 120, 0)).max() < 8


def test_a_small_picture_is_not_made_larger(tmp_path: Path) -> None:
    assert image(thumbnail(saved(tmp_path / "a.png", "RGB", (20, 10), 0), 96)).size == (20, 10)


def test_a_transparent_picture_stays_so(tmp_path: Path) -> None:
    made = image(thumbnail(saved(tmp_path / "a.png", "RGBA", (200, 100), (255, 0, 0, 40)), 50))
    assert (made.format, made.mode, made.size) == ("PNG", "RGBA", (50, 25))
    assert made.getpixel((9, 9)) == (255, 0, 0, 40)


def test_a_thumbnail_is_upright(tmp_path: Path) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path / "a.jpg", "RGB", (300, 100), 0, exif=exif)
    assert image(thumbnail(path, 60)).size == (20, 60)


def test_sixteen_bits_of_grey_keep_their_shade(tmp_path: Path) -> None:
    grey = np.full((40, 40), 32768, dtype=np.uint16)
    PIL.Image.fromarray(grey).save(tmp_path / "a.png")
    made = image(thumbnail(tmp_path / "a.png", 20))
    assert np.abs(np.asarray(made).astype(int) - 127).max() < 4


def test_pixels_of_unknown_range_are_refused(tmp_path: Path) -> None:
    saved(tmp_path / "a.tiff", "F", (4, 4), 0.5)
    with pytest.raises(InputError, match="32 bits"):
        thumbnail(tmp_path / "a.tiff", 16)


@pytest.mark.parametrize("size", [0, -1, 100_000])
def test_a_thumbnail_has_a_sensible_size(tmp_path: Path, size: int) -> None:
    with pytest.raises(InputError, match="from 1 to"):
        thumbnail(saved(tmp_path / "a.png", "RGB", (4, 4), 0), size)


def test_what_is_no_picture_has_no_thumbnail(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match="is not a PNG"):
        thumbnail(tmp_path / "a.png", 16)
