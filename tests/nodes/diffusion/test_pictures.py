"""Picture files, made here with Pillow, damaged here by hand."""

import io
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.errors import InputError
from nodes.diffusion import pictures, readers

WIDTH, HEIGHT = 7, 5
NOWHERE = Path("somewhere/cat.png")


def levels(channels: int = 3) -> NDArray[np.uint8]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (HEIGHT, WIDTH, channels), dtype=np.uint8)


def saved(image: PIL.Image.Image, format_name: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_name, **options)
    return buffer.getvalue()


def decoded(image: PIL.Image.Image, format_name: str, **options: Any) -> pictures.Picture:
    return pictures.decode(saved(image, format_name, **options), NOWHERE)


def as_tensor(array: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.array(array)).permute(2, 0, 1)[None].float() / 255


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = png_chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + data + png_chunk(b"IEND", b"")


@pytest.mark.parametrize("format_name", ["PNG", "BMP", "TIFF"])
def test_colours_are_read_exactly(format_name: str) -> None:
    picture = decoded(PIL.Image.fromarray(levels()), format_name)

    assert torch.equal(picture.pixels, as_tensor(levels()))
    assert picture.pixels.is_contiguous()
    assert picture.alpha is None


def test_alpha_is_kept_apart_from_the_colours() -> None:
    picture = decoded(PIL.Image.fromarray(levels(4)), "PNG")

    assert torch.equal(picture.pixels, as_tensor(levels(4)[..., :3]))
    assert picture.alpha is not None
    assert torch.equal(picture.alpha, as_tensor(levels(4)[..., 3:]))


def test_grey_with_alpha() -> None:
    picture = decoded(PIL.Image.fromarray(levels(2), "LA"), "PNG")

    assert torch.equal(picture.pixels, as_tensor(levels(2)[..., [0, 0, 0]]))
    assert picture.alpha is not None
    assert torch.equal(picture.alpha, as_tensor(levels(2)[..., 1:]))


def test_grey() -> None:
    grey = levels(1)

    assert torch.equal(
        decoded(PIL.Image.fromarray(grey[..., 0]), "PNG").pixels, as_tensor(grey.repeat(3, axis=2))
    )


@pytest.mark.parametrize("format_name", ["PNG", "TIFF"])
def test_sixteen_bits_of_grey_are_kept(format_name: str) -> None:
    deep = np.linspace(0, 65535, WIDTH * HEIGHT).astype(np.uint16).reshape(HEIGHT, WIDTH)

    picture = decoded(PIL.Image.fromarray(deep), format_name)

    expected = torch.from_numpy(deep.astype(np.float32) / 65535)
    torch.testing.assert_close(picture.pixels, expected.expand(1, 3, -1, -1), rtol=0, atol=1e-7)


@pytest.mark.parametrize("deep", [np.float32(0.5), np.int32(70_000)])
def test_values_of_unknown_range_are_refused(deep: np.generic) -> None:
    image = PIL.Image.fromarray(np.full((4, 4), deep))

    with pytest.raises(InputError, match="pixels of 32 bits"):
        decoded(image, "TIFF")


def test_black_and_white() -> None:
    bits = levels(1)[..., 0] > 127

    picture = decoded(PIL.Image.fromarray(bits), "PNG")

    assert torch.equal(picture.pixels[0, 1], torch.from_numpy(bits).float())


def test_a_palette_with_a_transparent_colour() -> None:
    image = PIL.Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 0), 1)

    picture = decoded(image, "GIF", transparency=1)

    assert picture.pixels[0, :, 0, 0].tolist() == [1, 0, 0]
    assert picture.alpha is not None
    assert picture.alpha.flatten().tolist() == [1, 0]


def test_a_palette_whose_entries_have_their_own_opacity() -> None:
    image = PIL.Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 0), 1)

    picture = decoded(image, "PNG", transparency=bytes([255, 51]))

    assert picture.pixels[0, :, 0, 1].tolist() == [0, 0, 1]
    assert picture.alpha is not None
    torch.testing.assert_close(picture.alpha.flatten(), torch.tensor([1.0, 0.2]))


def test_cmyk() -> None:
    picture = decoded(PIL.Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=100)

    torch.testing.assert_close(
        picture.pixels.mean(dim=(2, 3)), torch.tensor([[1.0, 0, 0]]), rtol=0, atol=0.03
    )


@pytest.mark.parametrize("format_name", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_read(format_name: str) -> None:
    frames = [PIL.Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "green")]
    options = {"lossless": True} if format_name == "WEBP" else {}

    picture = decoded(frames[0], format_name, save_all=True, append_images=frames[1:], **options)

    torch.testing.assert_close(
        picture.pixels.mean(dim=(2, 3)), torch.tensor([[1.0, 0, 0]]), rtol=0, atol=0.01
    )


@pytest.mark.parametrize("format_name", ["PNG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_picture_is_turned_upright_once(format_name: str, orientation: int) -> None:
    expected = as_tensor(levels())
    turned = {
        1: expected,
        2: expected.flip(3),
        3: expected.flip(2, 3),
        4: expected.flip(2),
        5: expected.transpose(2, 3),
        6: expected.transpose(2, 3).flip(3),
        7: expected.transpose(2, 3).flip(2, 3),
        8: expected.transpose(2, 3).flip(2),
    }[orientation]
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation

    picture = decoded(PIL.Image.fromarray(levels()), format_name, exif=exif)

    assert torch.equal(picture.pixels, turned)


def test_an_unreadable_exif_block_does_not_hide_the_picture() -> None:
    data = saved(
        PIL.Image.fromarray(levels()), "PNG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\xff\x01\x12"
    )

    assert torch.equal(pictures.decode(data, NOWHERE).pixels, as_tensor(levels()))


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "is empty"),
        (b"just words", "is not a PNG, JPEG, WebP, GIF, TIFF or BMP picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is not a PNG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is not a PNG"),
        (b"\x89PNG\r\n\x1a\n", "is damaged"),
        (b"RIFF\x04\0\0\0WEBP", "is damaged"),
    ],
)
def test_what_is_no_picture_is_refused_by_name(data: bytes, fault: str) -> None:
    with pytest.raises(InputError, match=f"cat.png {fault}.*choose another") as caught:
        pictures.decode(data, NOWHERE)
    assert caught.value.code == "damaged_file"
    assert caught.value.input == "image"


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"])
def test_a_truncated_file_is_refused(format_name: str) -> None:
    rng = np.random.default_rng(0)
    data = saved(
        PIL.Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)), format_name
    )

    for share in (0.1, 0.5, 0.8):
        with pytest.raises(InputError) as caught:
            pictures.decode(data[: int(len(data) * share)], NOWHERE)
        assert caught.value.code == "damaged_file"


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"])
def test_random_damage_is_refused_or_read_but_never_crashes(format_name: str) -> None:
    data = np.frombuffer(saved(PIL.Image.fromarray(levels()), format_name), dtype=np.uint8)
    rng = np.random.default_rng(0)
    codes = set()

    for _ in range(150):
        broken = data.copy()
        broken[rng.integers(0, len(broken), 4)] = rng.integers(0, 256, 4)
        try:
            picture = pictures.decode(broken.tobytes(), NOWHERE)
        except InputError as error:
            codes.add(error.code)
        else:
            assert picture.pixels.min() >= 0
            assert picture.pixels.max() <= 1

    assert codes <= {"damaged_file", "too_large"}


@pytest.mark.parametrize("side", [9_500, 12_000, 100_000])
def test_a_bomb_is_refused_from_its_header(side: int) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(InputError, match=f"cat.png has {side} x {side} pixels") as refused:
            pictures.decode(png_of(side, side), NOWHERE)

    assert refused.value.code == "too_large"
    assert caught == []


@pytest.mark.parametrize("side", [10_000, 60_000])
def test_a_bomb_hidden_in_a_gif_frame_is_refused(side: int) -> None:
    data = bytearray(saved(PIL.Image.new("P", (8, 8)), "GIF"))
    frame = data.rindex(b",")
    data[frame + 5 : frame + 9] = struct.pack("<HH", side, side)

    with pytest.raises(InputError) as caught:
        pictures.decode(bytes(data), NOWHERE)
    assert caught.value.code == "too_large"


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(readers.MAX_BYTES + 1)

    with pytest.raises(InputError, match=r"huge.png is larger than 512 MiB") as caught:
        pictures.read(path)
    assert caught.value.code == "too_large"


def test_a_missing_file_stays_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        pictures.read(tmp_path / "none.png")


@pytest.mark.parametrize(
    ("format_name", "options"), [("PNG", {"compress_level": 1}), ("WEBP", {"lossless": True})]
)
def test_a_picture_is_written_and_read_exactly(
    format_name: pictures.FormatName, options: dict[str, Any]
) -> None:
    source = as_tensor(levels())

    data = pictures.encode(source[0], format_name, {"made": "here"}, options)

    assert torch.equal(pictures.decode(data, NOWHERE).pixels, source)


def test_values_are_rounded_to_the_nearest_level_and_cut_to_the_range() -> None:
    source = torch.tensor([-1.0, 0.499 / 255, 0.501 / 255, 254.6 / 255, 7.0]).expand(3, 1, 5)

    data = pictures.encode(source, "PNG", {}, {})

    assert (pictures.decode(data, NOWHERE).pixels[0, 0, 0] * 255).round().tolist() == [
        0,
        0,
        1,
        255,
        255,
    ]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_numbers_are_told_not_saved_as_black(value: float) -> None:
    source = torch.zeros(3, 2, 2)
    source[0, 0, 0] = value

    with pytest.raises(InputError, match=r"not numbers.*VAE in float32"):
        pictures.encode(source, "PNG", {}, {})


@pytest.mark.parametrize(("format_name", "most"), [("WEBP", 16383), ("JPEG", 65500)])
def test_a_side_longer_than_the_format_allows_is_refused(
    format_name: pictures.FormatName, most: int
) -> None:
    pictures.encode(torch.zeros(3, 1, most), format_name, {}, {})
    with pytest.raises(
        InputError, match=f"{format_name} holds {most} pixels a side: save it as PNG"
    ):
        pictures.encode(torch.zeros(3, 1, most + 1), format_name, {}, {})
