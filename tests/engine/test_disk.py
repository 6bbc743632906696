"""Records in a place: several writers of one key, and what is left behind."""

import os
import time
from pathlib import Path

import pytest
from typing_extensions import override

from engine.disk import LEFT_BEHIND, Disk
from engine.place import Folder
from engine.records import DamagedError, Note, Sealed, seal

from .test_store import CODECS, KEY, Array

NOTE = Note("Add", 1.0, 1.0, 1)


def record(*numbers: int, key: str = KEY) -> Sealed:
    return seal(key, {"value": Array(*numbers)}, NOTE, CODECS)


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(Folder(tmp_path), CODECS, 10**9)


def files(disk: Disk) -> list[str]:
    return sorted(file.name for file in disk.place.list())


def age(disk: Disk, pattern: str = "*") -> None:
    assert isinstance(disk.place, Folder)
    for path in disk.place.path.glob(f"??/{pattern}"):
        os.utime(path, (time.time() - 2 * LEFT_BEHIND,) * 2)


def value(disk: Disk) -> object:
    found = disk.read(KEY)
    return found and found[1]["value"]


def test_each_of_two_writers_leaves_a_whole_record(disk: Disk) -> None:
    first, second = record(1), record(2)
    disk.place.write(first.head.tensors_name, first.tensors or b"")
    disk.write(second)
    disk.place.write(first.head.name, first.head.text)
    assert value(disk) == Array(1)


def test_equal_content_is_written_once(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    disk.write(record(1))
    age(disk)
    written: list[str] = []
    write = disk.place.write

    def counted(name: str, data: bytes) -> None:
        written.append(name)
        write(name, data)

    monkeypatch.setattr(disk.place, "write", counted)
    disk.write(record(1))
    disk.write(record(2))
    assert written == [record(1).head.name, record(2).head.tensors_name, record(2).head.name]
    assert value(disk) == Array(2)


def test_a_whole_record_is_not_offered_again(disk: Disk) -> None:
    assert disk.offer(record(1))
    assert not disk.offer(record(2))
    assert value(disk) == Array(1)
    assert len(files(disk)) == 2


class Raced(Folder):
    """A folder in which another writer of the key is always a little faster."""

    def __init__(self, path: Path, other: bytes) -> None:
        super().__init__(path)
        self.other = other

    @override
    def create(self, name: str, data: bytes) -> bool:
        self.write(name, self.other)
        return super().create(name, data)


def test_the_first_of_two_that_offer_at_once_stays(tmp_path: Path) -> None:
    first = record(1)
    disk = Disk(Raced(tmp_path, first.head.text), CODECS, 10**9)
    disk.place.write(first.head.tensors_name, first.tensors or b"")
    assert not disk.offer(record(2))
    assert value(disk) == Array(1)


def test_a_damaged_record_is_replaced_by_what_is_offered(tmp_path: Path) -> None:
    disk = Disk(Raced(tmp_path, b"{"), CODECS, 10**9)
    assert disk.offer(record(2))
    assert value(disk) == Array(2)


@pytest.mark.parametrize("kind", ["json", "safetensors"])
def test_a_record_cut_in_half_is_damaged_until_it_is_replaced(disk: Disk, kind: str) -> None:
    disk.write(record(1))
    (name,) = [name for name in files(disk) if name.endswith(kind)]
    whole = disk.place.read(name) or b""
    disk.place.write(name, whole[: len(whole) // 2])
    with pytest.raises(DamagedError):
        disk.fetch(KEY)
    assert len(files(disk)) == 2

    assert disk.offer(record(1), replace=True)

    assert value(disk) == Array(1)
    assert disk.place.read(name) == whole


def test_a_record_without_its_tensors_is_replaced(disk: Disk) -> None:
    disk.write(record(1))
    disk.place.remove(record(1).head.tensors_name)
    with pytest.raises(DamagedError):
        disk.head(KEY)
    assert disk.offer(record(2))
    assert value(disk) == Array(2)


def test_another_versions_record_is_left_alone(disk: Disk) -> None:
    text = record().head.text.replace(b'"record":3', b'"record":4')
    from engine.canonical import canonical, digest

    body = {"record": 4}
    text = canonical({"body": body, "sha256": digest(canonical(body))}).encode()
    disk.place.write(record().head.name, text)
    assert disk.fetch(KEY) is None
    assert not disk.offer(record(1))
    assert disk.place.read(record().head.name) == text


def test_pruning_removes_what_nobody_can_use(disk: Disk) -> None:
    disk.write(record(1))
    disk.write(record(2))
    lonely = record(3, key="cd" + "0" * 62)
    other_version = record(4, key="ef" + "0" * 62)
    disk.place.write(lonely.head.tensors_name, b"lonely")
    disk.place.write("cd/.writing-x", b"killed")
    disk.place.write("cd/notes.txt", b"not ours")
    for name in (record(4).head.tensors_name, record(5).head.tensors_name):
        disk.place.write(name.replace(KEY, "ef" + "0" * 62).replace("ab/", "ef/"), b"x")
    disk.place.write(other_version.head.name, b"{")
    before = files(disk)
    assert disk.prune(10**9) == 0
    assert files(disk) == before

    age(disk)

    assert disk.prune(10**9) == len(b"lonely") + len(b"killed") + len(record(1).tensors or b"")
    gone = {lonely.head.tensors_name, "cd/.writing-x", record(1).head.tensors_name}
    assert set(before) - set(files(disk)) == gone
    assert value(disk) == Array(2)


def test_pruning_leaves_files_beside_another_versions_record(disk: Disk) -> None:
    test_another_versions_record_is_left_alone(disk)
    disk.place.write(record(1).head.tensors_name, b"x")
    disk.place.write(record(2).head.tensors_name, b"x")
    age(disk)
    assert disk.prune(10**9) == 0
    assert len(files(disk)) == 3


def test_clearing_leaves_what_is_not_a_record(disk: Disk) -> None:
    disk.write(record(1))
    disk.place.write("cd/.writing-x", b"killed")
    disk.place.write("cd/notes.txt", b"not ours")
    disk.clear()
    assert files(disk) == ["cd/notes.txt"]


def test_what_cannot_be_cleared_is_not_counted_as_freed(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(_: str) -> None:
        raise OSError(30, "Read-only file system")

    disk.write(record(1))
    disk.place.write("cd/.writing-x", b"killed")
    monkeypatch.setattr(disk.place, "remove", read_only)
    assert disk.clear() == 0
    assert disk.size().records == 1


def test_a_full_disk_that_allows_nothing_keeps_its_error(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = disk.place.write

    def full(name: str, data: bytes) -> None:
        if name.endswith(".json"):
            raise OSError(28, "No space left on device")
        write(name, data)

    def denied(_: str) -> None:
        raise PermissionError

    monkeypatch.setattr(disk.place, "write", full)
    monkeypatch.setattr(disk.place, "remove", denied)
    with pytest.raises(OSError, match="No space"):
        disk.write(record(1))
