"""The store: tiers, budgets, integrity, and what may be decoded."""

import json
import os
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel
from typing_extensions import override

from engine.artifacts import Artifact, Delivery
from engine.codecs import Buffer, Codec, Codecs
from engine.disk import Disk
from engine.errors import StoreError
from engine.place import Folder
from engine.records import Note
from engine.runtime import Runtime
from engine.store import Memory, Record, Store, artifacts_in

from .toys import Cloth

KEY = "ab" + "0" * 62
SLOW = 10.0


class Pair(NamedTuple):
    first: int
    second: Cloth


class Model(BaseModel):
    kind: str
    cloth: int = 1


class Array:
    """Stands for a tensor: a class that the engine does not know."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = numbers

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Array) and other.numbers == self.numbers

    __hash__ = None  # type: ignore[assignment]


ARRAY = Codec(
    f"{__name__}.Array",
    size=lambda array: 8 * len(array.numbers),
    encode=lambda array: Buffer(
        "I64", (len(array.numbers),), struct.pack(f"<{len(array.numbers)}q", *array.numbers)
    ),
    decode=lambda buffer: Array(*struct.unpack(f"<{buffer.shape[0]}q", buffer.data)),
)
CODECS = Codecs(frozenset({"engine", "tests"}), {ARRAY.type_name: ARRAY})


@pytest.fixture
def disk(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", CODECS)


def folder_of(store: Store) -> Path:
    assert store.disk is not None
    assert isinstance(store.disk.place, Folder)
    return store.disk.place.path


def reopened(store: Store) -> Store:
    return Store(folder_of(store), CODECS)


HERE = Delivery()
VALUES: list[Any] = [
    None, True, 3, 2.5, "text", [1, [2]], {"a": 1, "$value": 2}, {1: "x"}, (1, 2), Pair(1, Cloth("red")), Cloth("blue"),
    Model(kind="k"), Array(1, 2, 3), Array(), {"deep": [Array(5), Cloth("x")]}, (Array(1), Array(2)),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_a_value_survives_a_restart(disk: Store, value: Any) -> None:
    disk.put(KEY, {"value": value}, "Add", SLOW, keep=False)
    record = reopened(disk).get(KEY, HERE)
    assert record is not None
    assert record.outputs == {"value": value}
    assert type(record.outputs["value"]) is type(value)
    assert record.note.seconds == SLOW


@pytest.mark.parametrize("value", [object(), Array, CODECS.foreign])
def test_a_value_of_an_unknown_class_cannot_be_stored(disk: Store, value: Any) -> None:
    with pytest.raises(StoreError, match="cannot be stored"):
        disk.put(KEY, {"value": value}, "Add", SLOW, keep=False)


def test_a_class_of_no_package_cannot_be_stored() -> None:
    with pytest.raises(StoreError, match="make it a frozen dataclass of a node package"):
        Codecs(frozenset({"engine"})).encode(Cloth("red"))


@pytest.mark.parametrize(
    ("tree", "fault"),
    [
        ({"$value": "os:system", "fields": {}}, "in no node package"),
        ({"$value": "tests.engine.nowhere:X", "fields": {}}, "is not there"),
        ({"$value": "tests.engine.toys:Nothing", "fields": {}}, "is not there"),
        ({"$value": "tests.engine.toys:add", "fields": {}}, "no class of values"),
        ({"$buffer": "0", "as": "foreign.Thing"}, "no codec"),
    ],
)
def test_a_record_cannot_name_any_class(tree: Any, fault: str) -> None:
    with pytest.raises(StoreError, match=fault):
        CODECS.decode(tree, {})


def test_cheap_results_stay_in_memory(disk: Store) -> None:
    disk.put(KEY, {"value": 1}, "Add", 0.0, keep=False)
    assert disk.get(KEY, HERE) is not None
    assert reopened(disk).get(KEY, HERE) is None
    disk.put(KEY, {"value": 1}, "Add", 0.0, keep=True)
    assert reopened(disk).get(KEY, HERE) is not None


def test_a_store_without_a_folder_forgets() -> None:
    store = Store()
    store.put(KEY, {"value": 1}, "Add", SLOW, keep=True)
    assert store.get(KEY, HERE) is not None
    assert store.note("none", HERE) is None
    with pytest.raises(StoreError, match="no disk tier"):
        store.size()


def test_a_dict_is_a_memory_tier() -> None:
    memory: dict[str, Record] = {}
    store = Store(memory=memory)
    store.put(KEY, {"value": 1}, "Add", 0.0, keep=False)
    assert list(memory) == [KEY]


def path(store: Store, suffix: str) -> Path:
    """A file of the key's record; without tensors, where they are not."""
    return next(folder_of(store).glob(f"ab/{KEY}*.{suffix}"), Path("nowhere"))


def reseal(store: Store, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a record and give it a right digest, as a hostile store would."""
    from engine.canonical import canonical, digest

    sealed = json.loads(path(store, "json").read_text())
    change(sealed["body"])
    sealed["sha256"] = digest(canonical(sealed["body"]))
    path(store, "json").write_text(json.dumps(sealed))


DAMAGE: list[Callable[[Store], object]] = [
    lambda s: path(s, "json").write_text("{"),
    lambda s: path(s, "json").write_text("[]"),
    lambda s: path(s, "json").write_text("{}"),
    lambda s: path(s, "json").write_text(path(s, "json").read_text().replace("10.0", "11.0")),
    lambda s: path(s, "json").write_bytes(b"\xff"),
    lambda s: path(s, "safetensors").write_bytes(b""),
    lambda s: path(s, "safetensors").write_bytes(
        path(s, "safetensors").read_bytes()[:-1] + b"\x07"
    ),
    lambda s: path(s, "safetensors").unlink(),
    lambda s: reseal(s, lambda body: body.pop("note")),
    lambda s: reseal(s, lambda body: body.update(values={"$value": "os:system", "fields": {}})),
    lambda s: reseal(s, lambda body: body.update(values={"$nonsense": 1})),
    lambda s: reseal(s, lambda body: body.update(key="cd" + KEY[2:])),
    lambda s: reseal(s, lambda body: body.update(tensors="../../../" + body["tensors"])),
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_record_is_a_miss_and_goes(
    disk: Store, damage: Callable[[Store], object]
) -> None:
    disk.put(KEY, {"value": Array(1, 2)}, "Add", SLOW, keep=False)
    damage(disk)
    assert reopened(disk).get(KEY, HERE) is None
    assert not path(disk, "json").exists()


def test_another_versions_record_is_a_miss_and_is_replaced(disk: Store) -> None:
    disk.put(KEY, {"value": 1}, "Add", SLOW, keep=False)
    reseal(disk, lambda body: body.update(record=99))
    store = reopened(disk)
    assert store.get(KEY, HERE) is None
    assert store.note(KEY, HERE) is None
    assert path(disk, "json").exists()
    store.put(KEY, {"value": 2}, "Add", SLOW, keep=False)
    assert reopened(disk).get(KEY, HERE) is not None


def test_a_record_without_tensors_that_no_version_reads_goes(disk: Store) -> None:
    disk.put(KEY, {"value": 1}, "Add", SLOW, keep=False)
    reseal(disk, lambda body: body.update(values={"$nonsense": 1}))
    assert reopened(disk).get(KEY, HERE) is None
    assert not path(disk, "json").exists()


def test_notes_are_read_without_tensors(disk: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    disk.put(KEY, {"value": Array(1)}, "Add", SLOW, keep=False)
    store = reopened(disk)
    monkeypatch.setattr(Disk, "fetch", None)
    note = store.note(KEY, HERE)
    assert note is not None
    assert note.type_name == "Add"
    assert disk.note(KEY, HERE) is not None


def test_a_delivered_file_is_stored_only_while_it_is_there(disk: Store, tmp_path: Path) -> None:
    delivery = Delivery(tmp_path / "out", tmp_path / "previews")
    artifact = delivery.write("a", "txt", b"abc", "text/plain")
    disk.put(KEY, {"value": [artifact]}, "Write", SLOW, keep=True)
    for store in (disk, reopened(disk)):
        assert store.note(KEY, delivery) is not None
        assert store.get(KEY, delivery) is not None
        assert store.get(KEY, Delivery(tmp_path / "elsewhere", tmp_path / "previews")) is None
    Path(artifact.path).write_bytes(b"changed")
    for store in (disk, reopened(disk)):
        assert store.note(KEY, delivery) is None
        assert store.get(KEY, delivery) is None
    Path(artifact.path).unlink()
    assert reopened(disk).note(KEY, delivery) is None


def test_a_note_of_another_versions_artifact_is_a_miss(disk: Store, tmp_path: Path) -> None:
    delivery = Delivery(tmp_path / "out")
    artifact = delivery.write("a", "txt", b"abc", "text/plain")
    disk.put(KEY, {"value": artifact}, "Write", SLOW, keep=True)

    def older(body: dict[str, Any]) -> None:
        fields = body["values"]["$dict"][0][1]["fields"]
        fields["colour"] = fields.pop("digest")

    reseal(disk, older)
    assert reopened(disk).note(KEY, delivery) is None


def test_artifacts_are_found_in_lists() -> None:
    artifact = Artifact("p", "m", "d", 1)
    assert list(artifacts_in([artifact, (artifact, 3), "x"])) == [artifact, artifact]


def record(size: int) -> Record:
    return Record({}, Note("Add", 0.0, 0.0, size))


def test_the_longest_unused_leaves_memory_first() -> None:
    memory = Memory(100)
    memory["a"], memory["b"] = record(40), record(40)
    assert memory["a"]
    memory["c"] = record(40)
    assert list(memory) == ["a", "c"]
    assert memory.used == 80
    memory["a"] = record(10)
    assert memory.used == 50
    memory["d"] = record(101)
    assert "d" not in memory
    assert len(memory) == 2
    memory.clear()
    assert memory.used == 0


def fill(store: Store, count: int) -> list[str]:
    names = [f"{index:02x}" + "0" * 62 for index in range(count)]
    for age, key in enumerate(names):
        store.put(key, {"value": Array(*range(100))}, "Add", SLOW, keep=True)
        for file in folder_of(store).glob(f"{key[:2]}/*"):
            os.utime(file, (time.time() - 1000 + age,) * 2)
    return names


def keys(store: Store) -> set[str]:
    return {path.stem for path in folder_of(store).glob("??/*.json")}


def test_prune_removes_the_longest_unused(disk: Store) -> None:
    names = fill(disk, 4)
    size = disk.size()
    assert size.records == 4
    store = reopened(disk)
    assert store.get(names[0], HERE) is not None
    freed = store.prune(size.bytes * 6 // 10)
    assert freed >= size.bytes * 4 // 10
    assert keys(store) == {names[3], names[0]}
    assert len(list(folder_of(store).glob("??/*"))) == 4


def test_clear_empties_both_tiers(disk: Store) -> None:
    (key,) = fill(disk, 1)
    assert disk.prune(0) > 0
    fill(disk, 1)
    assert disk.clear() > 0
    assert disk.get(key, HERE) is None
    assert disk.size().records == 0
    assert disk.size().bytes == 0


def test_the_disk_stays_within_its_budget(tmp_path: Path) -> None:
    store = Store(tmp_path, CODECS, disk_bytes=7000)
    fill(store, 10)
    assert store.size().bytes <= 7000
    assert store.size().records >= 2


def test_a_full_disk_leaves_no_half_record(disk: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = Path.replace

    def full(path: Path, target: Path) -> Path:
        if target.suffix == ".json":
            raise OSError(28, "No space left on device")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        disk.put(KEY, {"value": Array(1)}, "Add", SLOW, keep=True)
    with pytest.raises(OSError, match="No space"):
        disk.put(KEY, {"value": 1}, "Add", SLOW, keep=True)
    assert list(folder_of(disk).glob("??/*")) == []
    assert disk.get(KEY, HERE) is not None


def test_reading_from_a_store_that_cannot_be_touched(
    disk: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk.put(KEY, {"value": 1}, "Add", SLOW, keep=True)

    def denied(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "utime", denied)
    assert reopened(disk).get(KEY, HERE) is not None


def test_a_store_that_cannot_be_read_holds_nothing(
    disk: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk.put(KEY, {"value": 1}, "Add", SLOW, keep=True)
    monkeypatch.setattr(Path, "read_bytes", read_only)
    assert reopened(disk).get(KEY, HERE) is None
    assert reopened(disk).note(KEY, HERE) is None


def test_sizes_count_what_values_hold(runtime: Runtime) -> None:
    assert CODECS.size({"a": [1, "xx", (Array(1, 2), Cloth("red"))]}) > 16

    @dataclass
    class Local:
        x: int

    assert CODECS.size(Local(1)) > 64
    assert runtime.codecs.size(3.5) == 32


def read_only(*_: object, **__: object) -> None:
    raise OSError(30, "Read-only file system")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"body": NaN}', "9" * 10_000])
def test_a_damaged_record_that_cannot_be_removed_is_a_miss(
    disk: Store, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    disk.put(KEY, {"value": 1}, "Add", SLOW, keep=True)
    path(disk, "json").write_text(text)
    monkeypatch.setattr(Path, "unlink", read_only)
    assert reopened(disk).note(KEY, HERE) is None
    assert reopened(disk).get(KEY, HERE) is None


def test_clearing_what_cannot_be_removed_frees_nothing(
    disk: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(disk, 2)
    monkeypatch.setattr(os, "unlink", read_only)
    monkeypatch.setattr(os, "rmdir", read_only)
    assert disk.clear() == 0
    assert disk.size().records == 2


def test_the_number_of_records_in_memory_is_bounded() -> None:
    memory = Memory(1000, most=2)
    for key in ("a", "b", "c"):
        memory[key] = Record({}, Note("Small", 0.0, 0.0, 0))
    assert list(memory) == ["b", "c"]
