"""Nodes without tensors, for tests of the engine."""

import time
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, Field
from typing_extensions import override

from engine.artifacts import Artifact, Delivery, here
from engine.catalog import Catalog
from engine.errors import InputError
from engine.grid import Grid
from engine.node import (
    Lazy,
    Opaque,
    Progress,
    Service,
    Waypoints,
    node,
    node_type,
    nowhere,
    rename,
    silent,
)

from .faults import detour, fail, leave

T = TypeVar("T")
calls: list[str] = []


@dataclass(frozen=True)
class Cloth(Opaque):
    colour: str


@dataclass(frozen=True)
class Thread(Opaque):
    metres: float


@dataclass(frozen=True)
class Shelf(Service):
    books: tuple[str, ...] = ("blue", "red")


@node("Add", category="math")
def add(a: float = 0.0, b: float = 0.0) -> float:
    """Add two numbers."""
    calls.append("Add")
    return a + b


@node("Pass", category="math")
def pass_on(value: T) -> T:
    """Pass a value on."""
    return value


@node("Join", category="math")
def join(left: float, right: float) -> float:
    """Join two numbers and do nothing."""
    return left


@node(
    "Dye", category="cloth", version=3, formerly=("Colour",), migrations={1: rename(hue="colour")}
)
def dye(*, colour: Literal["red", "blue"] = "red") -> Cloth:
    """Make a coloured cloth.

    Args:
        colour: What to dye it
            with.
    """
    calls.append("Dye")
    return Cloth(colour)


@node("Spin", category="cloth")
def spin(*, metres: Annotated[float, Field(ge=0, le=100)] = 1.0) -> Thread:
    """Spin a thread."""
    calls.append("Spin")
    return Thread(metres)


def enough_thread(metres: float, colour: str) -> None:
    if metres < 1 and colour == "red":
        raise InputError("red needs 1 metre", code="too_short", input="metres", hint="1.0")


@node("Embroider", category="cloth", check=enough_thread)
def embroider(*, metres: float = 1.0, colour: str = "red") -> Cloth:
    """Embroider a cloth."""
    return Cloth(f"{colour}*{metres:g}")


@node("Sew", category="cloth", lane="device")
def sew(
    cloth: Cloth,
    thread: Thread,
    *,
    stitches: Annotated[int, Field(ge=1, le=10)] = 1,
    progress: Progress = silent,
) -> Cloth:
    """Sew a cloth."""
    calls.append("Sew")
    for stitch in range(stitches):
        progress(stitch + 1, stitches, partial(int, stitch))
    return Cloth(f"{cloth.colour}-{thread.metres:g}-{stitches}")


class Halves(NamedTuple):
    left: Cloth
    right: Cloth


@node("Cut", category="cloth")
def cut(cloth: Cloth) -> Halves:
    """Cut a cloth in two."""
    return Halves(Cloth(cloth.colour + "<"), Cloth(cloth.colour + ">"))


@node("Stack", category="cloth")
def stack(cloths: Annotated[list[Cloth], Field(min_length=2)]) -> str:
    """Name a stack of cloths."""
    return "+".join(cloth.colour for cloth in cloths)


@node("Weave", category="cloth")
def weave(*, threads: Annotated[int, Field(ge=8, le=64, multiple_of=8)] = 8) -> Cloth:
    """Weave a cloth."""
    return Cloth(f"#{threads}")


@node("Knot", category="cloth")
def knot(lengths: list[float]) -> float:
    """Knot threads together."""
    return sum(lengths)


class Fold(BaseModel):
    kind: Literal["fold"] = "fold"
    times: int = Field(default=1, ge=1, le=4)


class Roll(BaseModel):
    kind: Literal["roll"] = "roll"
    width: float = 1.0


@node("Pack", category="cloth")
def pack(cloth: Cloth, *, how: Annotated[Fold | Roll, Field(discriminator="kind")] = Fold()) -> str:
    """Pack a cloth."""
    return f"{cloth.colour} {how!r}"


@node("Switch", category="logic")
def switch(condition: bool, on_true: Lazy[T], on_false: Lazy[T]) -> T:
    """Pass one of two values on, and compute only that one."""
    return on_true() if condition else on_false()


@node("Clock", category="time", volatile=True)
def clock() -> float:
    """Tell the time."""
    calls.append("Clock")
    return time.time()


@node("Dice", category="time", volatile=True)
def dice() -> float:
    """Throw loaded dice: 4 each time."""
    calls.append("Dice")
    return 4.0


@node("Odd", category="time", volatile=True)
def odd() -> Any:
    """Give what no codec knows."""
    calls.append("Odd")
    return object()


@node("Tally", category="math")
def tally(numbers: Grid[float]) -> str:
    """Write a table of numbers down."""
    sides = ";".join(f"{axis.name}:{','.join(map(str, axis.labels))}" for axis in numbers.axes)
    return f"{sides}={','.join(f'{cell:g}' for cell in numbers.cells)}"


@node("Less", category="logic")
def less(a: float, b: float = 0.0) -> bool:
    """Whether a number is less than another."""
    calls.append("Less")
    return a < b


@node("Count", category="math")
def count_up(*, length: int = 3) -> list[int]:
    """Count."""
    return list(range(length))


@node("Anything", category="math")
def anything(value: Any) -> Any:
    """Pass anything on."""
    return value


@node("Hem", category="cloth")
def hem(*, stitches: Annotated[int, Field(ge=0, le=2)] = 0) -> int:
    """Hem a cloth with a few stitches."""
    return stitches


@node("Linger", category="math")
def slow(a: float = 0.0) -> float:
    """Take a moment."""
    calls.append("Linger")
    time.sleep(0.05)
    return a


@node("Named", category="books")
def named(parts: list[int]) -> str:
    """A title that nobody knows beforehand."""
    return "red"


pages: dict[int, str] = {}
"""Pages that are not what they were."""


class Forgetful(dict[str, Any]):
    """A memory that keeps nothing."""

    @override
    def __setitem__(self, key: str, value: Any) -> None:
        return


def page_digest(title: str, page: int) -> str:
    return f"page {page} of {title} {pages.get(page)}"


@node("Look", category="books", fingerprint=page_digest)
def look(*, title: str = "blue", page: int = 1) -> str:
    """Look at a page."""
    return pages.get(page, f"{title} {page}")


@node("Choose", category="logic")
def choose(condition: float, on_true: Lazy[float]) -> float:
    """Pass a value on if a number is not 0."""
    return on_true() if condition else 0.0


@node("Rows", category="math")
def rows_(rows: list[list[int]]) -> int:
    """The sum of a table."""
    return sum(map(sum, rows))


@node("Either", category="logic")
def either(*, value: Any = None) -> str:
    """Whether there is a value."""
    return "none" if value is None else "some"


@node("March", category="time")
def march(
    *,
    steps: int = 3,
    odd: bool = False,
    progress: Progress = silent,
    waypoints: Waypoints = nowhere,
) -> int:
    """Take steps, and remember the way."""
    route = waypoints("march", odd)
    done, _ = route.last(steps) or (0, None)
    while done < steps:
        calls.append("Step")
        done += 1
        route.offer(done, object if odd else partial(int, done))
        progress(done, steps)
    return done


@node("Mean", category="math")
def mean(numbers: Grid[float], *, weight: float = 0.0) -> float:
    """The mean of a table, and a weight."""
    return sum(numbers.cells) / len(numbers.cells) + weight


@node("Hold", category="math", lane="device")
def hold(*, value: float = 0.0) -> float:
    """Hold a number on the device."""
    calls.append(f"Hold {value:g}")
    return value


@node("Note", category="output", lane="device")
def note(number: float, *, index: int = 0, delivery: Delivery = here) -> Artifact:
    """Write a number into a file."""
    calls.append(f"Note {number:g}")
    return delivery.write("note", "txt", f"{index} {number:g}".encode(), "text/plain")


def book_digest(title: str, shelf: Shelf) -> str:
    if title not in shelf.books:
        raise InputError(
            f"there is no book {title!r}; there are {', '.join(shelf.books)}",
            code="missing_file",
            input="title",
            hint=shelf.books[0],
        )
    return f"digest of {title}"


@node("Read", category="books", fingerprint=book_digest)
def read(*, title: str = "blue", shelf: Shelf = Shelf()) -> str:
    """Read a book."""
    calls.append("Read")
    return title + str(len(shelf.books))


@node("Heavy", category="faults", lane="device")
def heavy(*, call: int = 2) -> int:
    """Run out of memory before the call of that number."""
    calls.append("Heavy")
    if calls.count("Heavy") < call:
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
    return call


@node("Endless", category="faults")
def endless(*, delay: float = 0.0) -> float:
    """Give an infinite number."""
    return float("inf")


@node("Write", category="output")
def write(text: str, *, name: str = "note", delivery: Delivery = here) -> Artifact:
    """Write a text into a file."""
    calls.append("Write")
    return delivery.write(name, "txt", text.encode(), "text/plain")


@dataclass(frozen=True)
class Gate(Service):
    """Lets a test hold nodes until it opens."""

    open: Event
    reached: Event


@node("Wait", category="time", lane="device")
def wait(
    value: float = 0.0, *, gate: Gate = Gate(Event(), Event()), progress: Progress = silent
) -> float:
    """Wait at the gate, telling the time."""
    calls.append("Wait")
    gate.reached.set()
    for step in range(1000):
        progress(step, 1000)
        if gate.open.wait(0.01):
            break
    return value


functions: list[Any] = [
    leave, endless, dice, odd, tally, less, count_up, note, anything, hem, mean, hold, slow, named, march, look, choose, either, rows_,
    weave, embroider, add, pass_on, join, dye, spin, sew, cut, stack, knot, pack, switch, clock, read, fail, heavy, detour, write, wait,
]  # fmt: skip
catalog = Catalog(*(node_type(function) for function in functions))
