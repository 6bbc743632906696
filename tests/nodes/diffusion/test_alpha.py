import io
from pathlib import Path

import pytest
from PIL import Image as Pictures

from engine.errors import InputError
from nodes.diffusion.alpha import merged


def made(path: Path, colour: tuple[int, ...], size: tuple[int, int] = (4, 2)) -> Path:
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[len(colour)]
    Pictures.new(mode, size, colour[0] if mode == "L" else colour).save(path)
    return path


def opened(data: bytes) -> Pictures.Image:
    return Pictures.open(io.BytesIO(data))


def test_colours_and_alpha_are_put_together(tmp_path: Path) -> None:
    colours = made(tmp_path / "a.png", (1, 2, 3, 200))
    alpha = made(tmp_path / "b.png", (9, 9, 9, 7))
    image = opened(merged(colours, alpha))
    assert (image.mode, image.getpixel((3, 1))) == ("RGBA", (1, 2, 3, 7))


def test_one_of_them_comes_alone(tmp_path: Path) -> None:
    path = made(tmp_path / "a.png", (1, 2, 3, 200))
    assert opened(merged(path, None)).getpixel((0, 0)) == (1, 2, 3)
    assert opened(merged(None, path)).getpixel((0, 0)) == (0, 0, 0, 200)


def test_a_picture_without_alpha_is_opaque(tmp_path: Path) -> None:
    path = made(tmp_path / "a.png", (80,))
    assert opened(merged(path, path)).getpixel((0, 0)) == (80, 80, 80, 255)


def test_other_sizes_and_other_files_are_refused(tmp_path: Path) -> None:
    path, other = made(tmp_path / "a.png", (1, 2, 3)), made(tmp_path / "b.png", (1, 2, 3), (5, 2))
    with pytest.raises(InputError, match="the picture is 4x2 and its mask 5x2"):
        merged(path, other)
    (tmp_path / "c.png").write_text("text")
    with pytest.raises(InputError):
        merged(path, tmp_path / "c.png")
    with pytest.raises(InputError, match="there is no picture"):
        merged(None, None)
