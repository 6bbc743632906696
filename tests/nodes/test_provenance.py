import base64
import io
import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import PIL.Image
import PIL.PngImagePlugin
import pytest

from engine.errors import InputError
from nodes.provenance import embedded, read_provenance, save_options

FORMATS = ["PNG", "JPEG", "WEBP"]
SMALL: dict[str, Any] = {
    "workflow": {"darkroom": 1, "name": "Größe 猫 \ud83d"},
    "node": "save\0d",
    "seed": 2**64 - 1,
}


def written(folder: Path, format_name: str, provenance: dict[str, Any]) -> Path:
    path = folder / f"picture.{format_name.lower()}"
    PIL.Image.new("RGB", (4, 4)).save(path, format_name, **save_options(format_name, provenance))
    return path


def large(size: int, *, compressible: bool) -> dict[str, Any]:
    if compressible:
        return {"text": "again and " * (size // 10)}
    state, words = 1, []
    for _ in range(size // 8):
        state = state * 6364136223846793005 % 2**64
        words.append(f"{state >> 32:08x}")
    return {"text": "".join(words)}


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize(
    "provenance",
    [
        SMALL,
        large(64_990, compressible=False),
        large(400_000, compressible=True),
        {"zlib": "my own", "b": 1},
    ],
    ids=["small", "at the limit", "large", "own zlib"],
)
def test_provenance_is_read_back(
    tmp_path: Path, format_name: str, provenance: dict[str, Any]
) -> None:
    path = written(tmp_path, format_name, provenance)

    assert read_provenance(path) == provenance
    PIL.Image.open(path).load()


@pytest.mark.parametrize("format_name", ["PNG", "WEBP"])
def test_no_length_is_too_much_for_png_and_webp(tmp_path: Path, format_name: str) -> None:
    provenance = large(3_000_000, compressible=False)

    path = written(tmp_path, format_name, provenance)

    assert read_provenance(path) == provenance
    PIL.Image.open(path).load()


def test_what_does_not_fit_into_a_jpeg_is_told() -> None:
    with pytest.raises(InputError, match="a JPEG holds 65 kB: save as PNG or WebP"):
        save_options("JPEG", large(200_000, compressible=False))


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_picture_without_provenance_has_none(tmp_path: Path, format_name: str) -> None:
    assert save_options(format_name, {}) == {}
    assert read_provenance(written(tmp_path, format_name, {})) is None


@pytest.mark.parametrize(
    "data",
    [b"", b"words", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b'{"darkroom": 1}'],
)
def test_another_file_has_none(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)

    assert read_provenance(path) is None


@pytest.mark.parametrize("format_name", ["JPEG", "WEBP"])
def test_another_programs_comment_is_no_provenance(tmp_path: Path, format_name: str) -> None:
    exif = PIL.Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0a cat, Steps: 20"
    path = tmp_path / "picture"
    PIL.Image.new("RGB", (4, 4)).save(path, format_name, exif=exif)

    assert read_provenance(path) is None


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_cut_off_picture_still_tells(tmp_path: Path, format_name: str) -> None:
    path = tmp_path / "picture"
    image = PIL.Image.effect_noise((64, 64), 90).convert("RGB")
    image.save(path, format_name, **save_options(format_name, SMALL))
    if format_name != "WEBP":  # which has it at its end
        path.write_bytes(path.read_bytes()[:-500])

    assert read_provenance(path) == SMALL


@pytest.mark.parametrize(
    "text",
    [
        b'{"a": ',
        b"[1]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"zlib": 3}',
        b'{"zlib": "!"}',
        b'{"zlib": "eJwDAAAAAAE="}',
    ],
)
def test_damaged_provenance_is_told(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "picture.jpg"
    block = b"Exif\0\0darkroom:" + text[:60_000]
    path.write_bytes(b"\xff\xd8\xff\xe1" + struct.pack(">H", len(block) + 2) + block)

    with pytest.raises(InputError, match=r"provenance in picture.jpg is damaged") as caught:
        read_provenance(path)
    assert caught.value.code == "damaged_file"


def test_provenance_that_inflates_without_end_is_refused(tmp_path: Path) -> None:
    packed = base64.b64encode(zlib.compress(b" " * (65 * 2**20), 9)).decode()
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (4, 4)).save(buffer, "PNG", **save_options("PNG", {"zlib": packed}))
    path = tmp_path / "picture.png"
    path.write_bytes(buffer.getvalue())

    with pytest.raises(InputError, match="longer than 64 MiB"):
        read_provenance(path)


def test_a_chunk_that_another_program_compressed_is_read(tmp_path: Path) -> None:
    text = b"darkroom\0\1\0\0\0" + zlib.compress(json.dumps(SMALL).encode())
    chunk = (
        struct.pack(">I", len(text))
        + b"iTXt"
        + text
        + struct.pack(">I", zlib.crc32(b"iTXt" + text))
    )
    data = written(tmp_path, "PNG", {}).read_bytes()
    path = tmp_path / "squeezed.png"
    path.write_bytes(data[:33] + chunk + data[33:])

    assert read_provenance(path) == SMALL


def test_reading_loads_neither_torch_nor_pillow() -> None:
    code = "import sys, nodes.provenance; print([name for name in ('torch', 'numpy', 'PIL') if name in sys.modules])"
    root = Path(__file__).parents[2]

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_other_programs_texts_are_told_as_they_are(tmp_path: Path) -> None:
    info = save_options("PNG", SMALL)["pnginfo"]
    info.add_text("prompt", '{"3": {"class_type": "KSampler"}}')
    info.add_text("workflow", '{"nodes": []}', zip=True)
    info.add_text("parameters", "not asked for")
    path = tmp_path / "a.png"
    PIL.Image.new("RGB", (4, 4)).save(path, pnginfo=info)
    assert embedded(path) == {
        "darkroom": SMALL,
        "prompt": '{"3": {"class_type": "KSampler"}}',
        "workflow": '{"nodes": []}',
    }


def test_texts_in_any_letters_are_read(tmp_path: Path) -> None:
    info = PIL.PngImagePlugin.PngInfo()
    info.add(b"tEXt", b"prompt\0" + "猫".encode())
    info.add(b"tEXt", b"workflow\0" + "Größe".encode("latin-1"))
    path = tmp_path / "a.png"
    PIL.Image.new("RGB", (4, 4)).save(path, pnginfo=info)
    assert embedded(path) == {"prompt": "猫", "workflow": "Größe"}


def test_a_damaged_foreign_text_is_an_error(tmp_path: Path) -> None:
    info = PIL.PngImagePlugin.PngInfo()
    info.add(b"zTXt", b"prompt\0\0no zlib")
    PIL.Image.new("RGB", (4, 4)).save(tmp_path / "a.png", pnginfo=info)
    with pytest.raises(InputError, match="damaged"):
        embedded(tmp_path / "a.png")


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_picture_tells_its_provenance_beside_nothing_else(
    tmp_path: Path, format_name: str
) -> None:
    assert embedded(written(tmp_path, format_name, SMALL)) == {"darkroom": SMALL}
    assert embedded(written(tmp_path, format_name, {})) == {}


def test_texts_that_a_document_keeps_for_comfyui_stand_beside_the_provenance(
    tmp_path: Path,
) -> None:
    texts = {"prompt": {"1": "größe"}, "workflow": {"nodes": []}, "darkroom": "false", "": 1}
    document = {"darkroom": 1, "comfyui": {"embedded": texts, "extra": 2}}
    path = written(tmp_path, "PNG", {"workflow": document, "node": "save"})

    assert embedded(path) == {
        "darkroom": {"workflow": {"darkroom": 1, "comfyui": {"extra": 2}}, "node": "save"},
        "prompt": json.dumps(texts["prompt"]),
        "workflow": '{"nodes": []}',
    }


@pytest.mark.parametrize("kept", [None, 3, {"embedded": [1]}, {"extra": {}}])
def test_a_document_of_another_form_stays_whole(tmp_path: Path, kept: object) -> None:
    told = {"workflow": {"comfyui": kept}}
    assert embedded(written(tmp_path, "PNG", told)) == {"darkroom": told}
