"""The shared tier: what one machine made another finds, and nothing of it stops a run."""

import errno
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from typing_extensions import override

from engine import shared as shared_module
from engine.artifacts import Delivery
from engine.disk import Disk
from engine.errors import StoreError
from engine.events import Warned
from engine.place import Folder, Stored
from engine.records import Sealed
from engine.shared import Shared
from engine.store import Store
from engine.waypoints import StoredRoute

from .conftest import SEWN, Run
from .test_store import CODECS, HERE, KEY, SLOW, Array

OTHER = "cd" + "0" * 62


class Unsteady(Folder):
    """A folder that fails as told, and counts how often it is asked."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.reads: OSError | None = None
        self.writes: Exception | None = None
        self.asked = 0
        self.open = Event()
        self.open.set()

    @override
    def read(self, name: str) -> bytes | None:
        self.asked += 1
        if self.reads:
            raise self.reads
        return super().read(name)

    @override
    def create(self, name: str, data: bytes) -> bool:
        self.open.wait()
        if self.writes:
            raise self.writes
        return super().create(name, data)

    @override
    def list(self) -> Iterator[Stored]:
        if self.reads:
            raise self.reads
        return super().list()


@pytest.fixture
def place(tmp_path: Path) -> Unsteady:
    return Unsteady(tmp_path / "shared")


@pytest.fixture
def machine(tmp_path: Path, place: Unsteady) -> Callable[[str], Store]:
    """A store of one machine, by its name."""

    def machine(name: str) -> Store:
        return Store(tmp_path / name, CODECS, shared=Shared(Disk(place, CODECS, 0)))

    return machine


@pytest.fixture
def here(machine: Callable[[str], Store]) -> Store:
    return machine("here")


@pytest.fixture
def there(machine: Callable[[str], Store]) -> Store:
    return machine("there")


def put(store: Store, value: Any = None, key: str = KEY) -> None:
    value = Array(1, 2) if value is None else value
    store.put(key, {"value": value}, "Add", SLOW, keep=True, run="one")
    assert store.flush() == 0


def value(store: Store, key: str = KEY) -> Any:
    record = store.get(key, HERE)
    return record and record.outputs["value"]


def heard(store: Store) -> list[str]:
    messages: list[str] = []
    store.begin(messages.append)
    return messages


def test_what_one_machine_made_another_finds_and_keeps(
    here: Store, there: Store, place: Unsteady
) -> None:
    put(here)
    note = there.note(KEY, HERE)
    assert note is not None
    assert note.run == "one"
    assert value(there) == Array(1, 2)
    place.asked = 0
    assert there.disk is not None
    assert there.disk.read(KEY) is not None
    assert value(there) == Array(1, 2)
    assert place.asked == 0


def test_what_nobody_made_is_found_nowhere(there: Store) -> None:
    assert value(there) is None
    assert there.note(KEY, HERE) is None


def test_a_shared_record_is_never_made_another(here: Store, there: Store, place: Unsteady) -> None:
    put(here, Array(1))
    put(there, Array(2))
    assert Disk(place, CODECS, 0).read(KEY) is not None
    fresh = Disk(place, CODECS, 0).read(KEY)
    assert fresh is not None
    assert fresh[1] == {"value": Array(1)}


def test_cheap_volatile_and_private_results_are_not_shared(here: Store, there: Store) -> None:
    here.put(KEY, {"value": 1}, "Add", 0.0, keep=False)
    here.put("volatile-1", {"value": 1}, "Clock", SLOW, keep=True)
    here.put(OTHER, {"value": 1}, "Add", SLOW, keep=True, share=False)
    here.flush()
    assert [there.get(key, HERE) for key in (KEY, "volatile-1", OTHER)] == [None, None, None]


def test_a_private_question_is_not_asked_elsewhere(here: Store, there: Store) -> None:
    put(here)
    assert there.get(KEY, HERE, share=False) is None
    assert there.get(KEY, HERE) is not None


def test_waypoints_stay_on_their_machine(here: Store, place: Unsteady) -> None:
    route = StoredRoute(here, "way", "Sample", print)
    route.reached -= 1000
    route.offer(3, lambda: Array(3))
    here.flush()
    assert route.last(5) == (3, Array(3))
    assert place.asked == 0
    assert not place.path.exists()


def test_delivered_files_are_not_shared(here: Store, place: Unsteady, tmp_path: Path) -> None:
    delivery = Delivery(tmp_path / "out", tmp_path / "previews")
    artifact = delivery.write("a", "txt", b"abc", "text/plain")
    put(here, {"deep": [artifact]})
    assert here.get(KEY, delivery) is not None
    assert not place.path.exists()


@pytest.mark.parametrize("kind", ["json", "safetensors"])
def test_half_a_shared_record_is_a_miss_and_is_replaced(
    here: Store, there: Store, machine: Callable[[str], Store], place: Unsteady, kind: str
) -> None:
    put(here)
    (path,) = place.path.glob(f"??/*.{kind}")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])

    assert value(there) is None
    assert path.exists()
    put(there)

    assert value(machine("third")) == Array(1, 2)


def test_a_record_of_another_version_of_the_nodes_is_a_miss(
    here: Store, there: Store, tmp_path: Path
) -> None:
    put(here)
    assert there.shared is not None
    older = Store(tmp_path / "older", shared=there.shared)
    assert value(older) is None
    assert value(there) is not None


def test_what_cannot_be_copied_to_the_disk_is_found_all_the_same(
    here: Store, there: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(here)

    def full(_: Sealed) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(there.disk, "write", full)
    assert value(there) == Array(1, 2)


@pytest.mark.parametrize("damaged", [False, True])
def test_what_left_the_disk_before_its_turn_is_not_shared(
    here: Store, place: Unsteady, tmp_path: Path, *, damaged: bool
) -> None:
    place.open.clear()
    here.put(OTHER, {"value": 1}, "Add", SLOW, keep=True)
    here.put(KEY, {"value": 1}, "Add", SLOW, keep=True)
    if damaged:
        (tmp_path / "here" / "ab" / f"{KEY}.json").write_text("{")
    else:
        here.clear()
    place.open.set()
    assert here.flush() == 0
    assert not list(place.path.glob("ab/*"))


def test_a_shared_tier_out_of_reach_costs_one_warning_and_one_question(
    there: Store, place: Unsteady
) -> None:
    place.reads = OSError(errno.EHOSTUNREACH, "No route to host")
    messages = heard(there)

    assert value(there) is None
    assert there.note(OTHER, HERE) is None
    put(there)

    assert place.asked == 1
    (message,) = messages
    assert message.startswith(f"the shared store {place.path} cannot be read")
    assert "No route to host" in message


def test_the_next_run_asks_again(here: Store, there: Store, place: Unsteady) -> None:
    put(here)
    place.reads = OSError(errno.EHOSTUNREACH, "No route to host")
    assert value(there) is None
    place.reads = None
    assert value(there) is None
    there.begin(print)
    assert value(there) == Array(1, 2)


@pytest.mark.parametrize(
    "fault",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EROFS, "Read-only file system"),
        RuntimeError("a fault of the client"),
    ],
)
def test_a_shared_tier_that_cannot_be_written_is_still_read(
    here: Store, there: Store, place: Unsteady, fault: Exception
) -> None:
    put(here)
    place.writes = fault
    messages = heard(there)

    put(there, key=OTHER)
    put(there, key="ef" + "0" * 62)

    (message,) = messages
    assert "cannot be written, results stay on this machine" in message
    assert str(fault.args[-1]) in message
    assert value(there) == Array(1, 2)
    place.reads = OSError(errno.EHOSTUNREACH, "No route to host")
    assert value(there, "01" + "0" * 62) is None
    assert messages == [message]


def test_a_run_does_not_wait_for_a_slow_shared_tier(
    here: Store, place: Unsteady, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_module, "MOST_WAITING", 2)
    messages = heard(here)
    place.open.clear()

    for key in (KEY, OTHER, "ef" + "0" * 62):
        here.put(key, {"value": 1}, "Add", SLOW, keep=True)

    assert here.flush(0.01) == 2
    assert "slower than the run" in messages[0]
    place.open.set()
    assert here.flush() == 0
    assert len(list(place.path.glob("??/*.json"))) == 2


def test_what_waits_when_writing_fails_is_let_go(here: Store, place: Unsteady) -> None:
    place.open.clear()
    for key in (KEY, OTHER):
        here.put(key, {"value": 1}, "Add", SLOW, keep=True)
    place.writes = OSError(errno.EROFS, "Read-only file system")
    place.open.set()
    assert here.flush() == 0
    assert not list(place.path.glob("??/*.json"))


def test_only_pruning_and_clearing_shrink_the_shared_tier(here: Store, place: Unsteady) -> None:
    shared = here.shared
    assert shared is not None
    for key in (KEY, OTHER):
        put(here, key=key)
    here.clear()
    size = shared.size()
    assert size.records == 2
    assert shared.prune(size.bytes - 1) == size.bytes // 2
    assert shared.clear() == size.bytes - size.bytes // 2
    assert list(place.path.glob("??/*")) == []


def test_sizes_of_a_shared_tier_out_of_reach_are_an_error(here: Store, place: Unsteady) -> None:
    place.reads = OSError(errno.EHOSTUNREACH, "No route to host")
    assert here.shared is not None
    with pytest.raises(StoreError, match="cannot be read: No route to host"):
        here.shared.size()
    with pytest.raises(StoreError, match="cannot be pruned: No route to host"):
        here.shared.prune(0)


def test_a_shared_tier_needs_a_disk_tier(here: Store) -> None:
    with pytest.raises(StoreError, match="give the store a folder"):
        Store(shared=here.shared)
    store = Store()
    store.begin(print)
    assert store.flush() == 0


def test_a_run_goes_on_with_a_warning_where_the_shared_tier_fails(
    run: Run, store: Store, place: Unsteady
) -> None:
    place.reads = OSError(errno.EHOSTUNREACH, "No route to host")
    store.shared = Shared(Disk(place, store.codecs, 0))
    events: list[Any] = []

    result = run(dict(SEWN), on_event=events.append)

    assert {node.state for node in result.nodes.values()} == {"ran"}
    (warned,) = [event for event in events if isinstance(event, Warned)]
    assert "No route to host" in warned.message
