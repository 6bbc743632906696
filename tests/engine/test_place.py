import os
from pathlib import Path

import pytest

from engine.place import Folder

NAME = "ab/file"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "place")


def test_a_file_is_there_after_it_is_written_and_until_it_is_removed(folder: Folder) -> None:
    assert folder.read(NAME) is None
    assert not folder.exists(NAME)

    folder.write(NAME, b"one")
    folder.write(NAME, b"second")

    assert folder.read(NAME) == b"second"
    assert folder.exists(NAME)
    assert [(file.name, file.size) for file in folder.list()] == [(NAME, 6)]
    folder.remove(NAME)
    folder.remove(NAME)
    assert list(folder.list()) == []


def test_only_the_first_creates_a_file(folder: Folder) -> None:
    assert folder.create(NAME, b"first")
    assert not folder.create(NAME, b"second")
    assert folder.read(NAME) == b"first"
    assert [file.name for file in folder.list()] == [NAME]


def test_only_the_first_creates_a_file_where_there_are_no_hard_links(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", unknown)
    test_only_the_first_creates_a_file(folder)


def test_touching_a_file_makes_it_used_now(folder: Folder) -> None:
    folder.write(NAME, b"one")
    os.utime(folder.path / NAME, (1, 1))
    folder.touch(NAME)
    (file,) = folder.list()
    assert file.used > 1


def test_a_folder_that_must_be_there_is_not_made(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "unmounted", made=False)

    for action in (
        lambda: folder.read(NAME),
        lambda: folder.write(NAME, b""),
        lambda: folder.create(NAME, b""),
        lambda: list(folder.list()),
    ):
        with pytest.raises(FileNotFoundError):
            action()

    assert not folder.path.exists()
    folder.path.mkdir()
    assert folder.read(NAME) is None
    assert folder.create(NAME, b"")


def test_subfolders_allow_whom_the_folder_allows(folder: Folder) -> None:
    folder.path.mkdir()
    folder.path.chmod(0o775)
    before = os.umask(0o077)
    try:
        folder.write(NAME, b"")
    finally:
        os.umask(before)
    assert (folder.path / "ab").stat().st_mode & 0o777 == 0o775


def test_a_file_removed_by_another_while_listing_is_not_listed(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write(NAME, b"")
    found = [folder.path / NAME, folder.path / "ab" / "gone"]
    monkeypatch.setattr(Path, "glob", lambda *_: iter(found))
    assert [file.name for file in folder.list()] == [NAME]
