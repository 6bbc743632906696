import errno
import os
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
import torch
from pydantic import ValidationError

from engine.artifacts import Delivery
from engine.errors import InputError
from engine.node import node_type
from nodes.diffusion import pictures
from nodes.output import FileFormat, Jpeg, Png, WebP, preview_image, save_image
from nodes.provenance import read_provenance
from nodes.values import Image

PROVENANCE = {"workflow": {"darkroom": 1, "nodes": {}}, "node": "save"}


@pytest.fixture
def delivery(tmp_path: Path) -> Delivery:
    return Delivery(tmp_path / "outputs", tmp_path / "previews", PROVENANCE)


def picture(batch: int = 1) -> Image:
    generator = torch.Generator("cpu").manual_seed(0)
    levels = torch.randint(0, 256, (batch, 3, 6, 9), generator=generator)
    return Image(levels / 255)


@pytest.mark.parametrize(
    ("to", "suffix", "is_exact"),
    [
        (Png(), "png", True),
        (Png(compression=0), "png", True),
        (WebP(lossless=True), "webp", True),
        (WebP(), "webp", False),
        (Jpeg(quality=100), "jpeg", False),
    ],
)
def test_a_picture_is_saved_with_its_provenance(
    delivery: Delivery, to: FileFormat, suffix: str, is_exact: bool
) -> None:
    (saved,) = save_image(picture(), to=to, delivery=delivery)

    path = Path(saved.path)
    assert path == delivery.folder / f"darkroom_00001.{suffix}"
    assert saved.media_type == f"image/{suffix}"
    assert read_provenance(path) == PROVENANCE | {"index": 0, "count": 1}
    difference = (pictures.read(path).pixels - picture().pixels).abs()
    assert difference.max() == 0 if is_exact else difference.mean() < 0.2


def test_every_picture_of_a_batch_is_a_file(delivery: Delivery) -> None:
    saved = save_image(picture(batch=3), name="cats/tabby", delivery=delivery)

    assert [Path(one.path).name for one in saved] == [f"tabby_0000{n}.png" for n in (1, 2, 3)]
    for one, expected in zip(saved, picture(batch=3).pixels, strict=True):
        assert torch.equal(pictures.read(Path(one.path)).pixels[0], expected)
    told = [read_provenance(Path(one.path)) or {} for one in saved]
    assert [(each["index"], each["count"]) for each in told] == [(0, 3), (1, 3), (2, 3)]


def test_saving_again_takes_the_next_number(delivery: Delivery) -> None:
    first, second = (save_image(picture(), delivery=delivery)[0].path for _ in range(2))

    assert Path(first).exists()
    assert second.endswith("darkroom_00002.png")


def test_a_script_saves_without_provenance_into_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    save_image(picture())

    assert read_provenance(tmp_path / "darkroom_00001.png") is None


def test_a_name_cannot_leave_the_folder(delivery: Delivery) -> None:
    with pytest.raises(InputError) as caught:
        save_image(picture(), name="../outside", delivery=delivery)
    assert caught.value.code == "outside_roots"


def test_a_preview_lies_beside_the_outputs(delivery: Delivery) -> None:
    shown = preview_image(picture(batch=2), delivery=delivery)

    assert [Path(one.path).parent for one in shown] == [delivery.previews] * 2
    assert torch.equal(pictures.read(Path(shown[1].path)).pixels[0], picture(batch=2).pixels[1])
    assert not delivery.folder.exists()


@pytest.mark.parametrize("output", [save_image, preview_image])
def test_a_full_disk_is_told_and_leaves_nothing(
    delivery: Delivery, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, output: Any
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OSError, match=r"not saved .*No space left on device.*free space") as caught:
        output(picture(), delivery=delivery)
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename in {str(delivery.folder), str(delivery.previews)}
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_folder_that_cannot_be_written_keeps_its_class(delivery: Delivery) -> None:
    delivery.folder.write_bytes(b"a file where the folder should be")

    with pytest.raises(
        FileExistsError, match="see that it is a folder that can be written, or choose another"
    ):
        save_image(picture(), delivery=delivery)


def test_formats_are_read_from_json() -> None:
    to = node_type(save_image).inputs["to"].adapter

    assert to.validate_python({"kind": "webp", "lossless": True}) == WebP(lossless=True)
    for wrong in (
        {"kind": "png", "compression": 10},
        {"kind": "png", "quality": 5},
        {"kind": "gif"},
    ):
        with pytest.raises(ValidationError):
            to.validate_python(wrong)


def test_both_are_output_nodes() -> None:
    assert node_type(save_image).delivers
    assert node_type(preview_image).delivers


def test_a_jpeg_keeps_colours_in_full_resolution(delivery: Delivery) -> None:
    (saved,) = save_image(picture(), to=Jpeg(), delivery=delivery)

    with PIL.Image.open(saved.path) as image:
        layers: Any = getattr(image, "layer")  # noqa: B009 - Pillow does not declare it
    assert {(across, down) for _, across, down, _ in layers} == {(1, 1)}
