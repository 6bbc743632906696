"""Delivered files: whole, numbered, never over another, never outside."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from engine.artifacts import Delivery
from engine.errors import InputError


@pytest.fixture
def delivery(tmp_path: Path) -> Delivery:
    return Delivery(tmp_path / "out", tmp_path / "previews")


def test_files_are_numbered_and_never_overwritten(delivery: Delivery) -> None:
    first = delivery.write("cat", "png", b"1", "image/png")
    second = delivery.write("cat", "jpg", b"2", "image/jpeg")
    third = delivery.write("cat", "png", b"3", "image/png")
    assert [Path(a.path).name for a in (first, second, third)] == [
        "cat_00001.png",
        "cat_00002.jpg",
        "cat_00003.png",
    ]
    assert Path(first.path).read_bytes() == b"1"
    assert first.size == 1
    assert (
        Path(delivery.write_preview("cat", "png", b"p", "image/png").path).parent
        == delivery.previews
    )


def test_a_number_taken_meanwhile_is_skipped(
    delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery.write("cat", "png", b"1", "image/png")
    monkeypatch.setattr(Path, "iterdir", lambda _: iter(()))
    assert delivery.write("cat", "png", b"2", "image/png").path.endswith("cat_00002.png")


def test_a_name_may_have_folders_and_odd_characters(delivery: Delivery) -> None:
    path = Path(delivery.write("cats/a:b?", "png", b"1", "image/png").path)
    assert path.relative_to(delivery.folder.resolve()) == Path("cats/a_b__00001.png")


@pytest.mark.parametrize("name", ["../cat", "/etc/cat", "a/../../cat", "", "."])
def test_a_name_cannot_leave_the_folder(delivery: Delivery, name: str) -> None:
    with pytest.raises(InputError, match="leads out of the output folder") as caught:
        delivery.write(name, "png", b"1", "image/png")
    assert caught.value.code == "outside_roots"


def test_a_full_disk_leaves_nothing_behind(
    delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        delivery.write("cat", "png", b"1", "image/png")
    assert list(delivery.folder.iterdir()) == []


def test_a_folder_may_be_reached_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    delivery = Delivery(tmp_path / "link")
    assert delivery.write("cat", "png", b"1", "image/png").intact(delivery.folder)


def test_an_artifact_is_intact_while_its_file_is(delivery: Delivery, tmp_path: Path) -> None:
    artifact = delivery.write("cat", "png", b"1", "image/png")
    assert artifact.intact(delivery.folder)
    assert not artifact.intact(tmp_path / "elsewhere")
    Path(artifact.path).write_bytes(b"22")
    assert not artifact.intact(delivery.folder)
    Path(artifact.path).unlink()
    assert not artifact.intact(delivery.folder)


def test_a_file_elsewhere_is_not_intact(tmp_path: Path) -> None:
    mine, other = Delivery(tmp_path / "mine"), Delivery(tmp_path / "other")
    artifact = other.write("a", "txt", b"text", "text/plain")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "link").symlink_to(artifact.path)
    assert artifact.intact(other.folder)
    assert not artifact.intact(mine.folder)
    for path in (tmp_path / "mine" / "../other/a_00001.txt", tmp_path / "mine" / "link"):
        assert not replace(artifact, path=str(path)).intact(mine.folder)
