"""Facts before a run: what flows along links, and what is found by it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import pytest
from pydantic import Field

from engine.catalog import Catalog
from engine.check import check, compile_graph
from engine.errors import DeclarationError, InputError, Problem
from engine.node import UNKNOWN, Lazy, Opaque, node, node_type
from engine.program import LATE
from engine.runtime import Runtime
from engine.workflow import Workflow

from .conftest import link
from .toys import Shelf, T

Check = Callable[..., list[Problem]]
Few = Annotated[int, Field(ge=0, le=10)]


@dataclass(frozen=True)
class Rope(Opaque):
    metres: float


class Ends(NamedTuple):
    head: Rope
    tail: Rope


@node("Count", category="facts", early=True)
def count(*, value: int = 0) -> int:
    """A number."""
    if value == 13:
        raise ValueError("13 is unlucky: give another value")
    return value


@node("Ratio", category="facts", early=True)
def ratio(a: float, b: float) -> float:
    """One number over another."""
    return a / b


@node("Dice", category="facts", volatile=True)
def dice() -> int:
    """Another number each time."""
    return 4


@node(
    "Twist",
    category="facts",
    infer=lambda metres: UNKNOWN if metres is UNKNOWN else {"metres": metres},
)
def twist(*, metres: Few = 1) -> Rope:
    """A rope."""
    return Rope(metres)


@node("Halve", category="facts", infer=lambda rope: (rope, UNKNOWN))
def halve(rope: Rope) -> Ends:
    """A rope in two."""
    return Ends(rope, rope)


@node("Shrug", category="facts", infer=lambda rope: "nothing in particular")
def shrug(rope: Rope) -> Ends:
    """A rope in two, said badly."""
    return Ends(rope, rope)


def needs_two(rope: Any, books: Any, shelf: Any = None, spare: str = "2") -> Any:
    if rope is not UNKNOWN and rope["metres"] < books:
        raise InputError("the rope is too short", code="too_short", hint=spare)
    if books == 9:
        raise InputError("9 books do not fit", code="too_many", input="books")
    if books == 8:
        raise OSError(2, "No such file", "books.txt")
    return rope, len(shelf.books)


class Tied(NamedTuple):
    rope: Rope
    shelved: int


@node("Tie", category="facts", infer=needs_two)
def tie(rope: Rope, *, books: Few = 2, shelf: Shelf = Shelf()) -> Tied:
    """Tie up books."""
    return Tied(rope, len(shelf.books))


def chosen(condition: Any, on_true: Callable[[], Any], on_false: Callable[[], Any]) -> Any:
    if condition is UNKNOWN:
        return (on_true(), on_false())[0]
    return on_true() if condition else on_false()


@node("Choose", category="facts", infer=chosen)
def choose(condition: bool, on_true: Lazy[T], on_false: Lazy[T]) -> T:
    """One of two."""
    return on_true() if condition else on_false()


@node("Toss", category="facts", volatile=True)
def toss() -> bool:
    """A coin."""
    return True


def at_most(low: int, high: int) -> None:
    if low > high:
        raise InputError("low is above high", input="low")


@node("Between", category="facts", check=at_most, fingerprint=lambda low: f"from {low}")
def between(*, low: Few = 0, high: Few = 10) -> int:
    """A range."""
    return high - low


@node("Braid", category="facts", infer=lambda ropes: ropes[0])
def braid(ropes: list[Rope]) -> Rope:
    """Ropes in one."""
    return ropes[0]


@node("Weigh", category="facts", early=True)
def weigh(ropes: list[Rope], named: dict[str, int]) -> float:
    """What ropes weigh."""
    return float(len(ropes) + sum(named.values()))


FUNCTIONS: list[Any] = [count, ratio, dice, twist, halve, shrug, tie, choose, toss, between, braid, weigh]  # fmt: skip
CATALOG = Catalog(*(node_type(function) for function in FUNCTIONS))


def flow(nodes: dict[str, tuple[str, dict[str, Any]]], output: str) -> Workflow:
    placed = {name: {"type": kind, "version": 1, "inputs": inputs} for name, (kind, inputs) in nodes.items()}  # fmt: skip
    ends = dict(zip(("node", "output"), output.split("."), strict=True))
    return Workflow.from_json(
        {"darkroom": 1, "name": "", "nodes": placed, "outputs": {"result": ends}}
    )


@pytest.fixture
def problems(runtime: Runtime) -> Check:
    def problems(output: str, **nodes: tuple[str, dict[str, Any]]) -> list[Problem]:
        return check(flow(nodes, output), CATALOG, runtime)

    return problems


def test_facts_flow_along_links_to_the_input_that_they_fail(problems: Check) -> None:
    (problem,) = problems(
        "tied.rope",
        metres=("Count", {"value": 1}),
        twist=("Twist", {"metres": link("metres")}),
        halve=("Halve", {"rope": link("twist")}),
        tied=("Tie", {"rope": link("halve", "head")}),
    )
    assert problem == Problem(
        "too_short", 'Tie "tied": the rope is too short', "tied", "rope", hint="2"
    )


def test_what_is_unknown_is_no_problem(problems: Check) -> None:
    nodes = {"twist": ("Twist", {"metres": 1}), "halve": ("Halve", {"rope": link("twist")})}
    assert problems("t.rope", **nodes, t=("Tie", {"rope": link("halve", "tail")})) == []
    vague = {"twist": ("Twist", {"metres": 1}), "shrug": ("Shrug", {"rope": link("twist")})}
    assert problems("t.rope", **vague, t=("Tie", {"rope": link("shrug", "head")})) == []


def test_a_fault_stops_the_facts_behind_it(problems: Check) -> None:
    found = problems(
        "second.rope",
        twist=("Twist", {"metres": 1}),
        first=("Tie", {"rope": link("twist")}),
        second=("Tie", {"rope": link("first", "rope")}),
    )
    assert [problem.node for problem in found] == ["first"]


@pytest.mark.parametrize(
    ("books", "code", "place"), [(9, "too_many", "books"), (8, "unreadable_file", "rope")]
)
def test_a_fault_is_shown_on_its_input(problems: Check, books: int, code: str, place: str) -> None:
    (problem,) = problems(
        "t.rope",
        twist=("Twist", {"metres": 10}),
        t=("Tie", {"rope": link("twist"), "books": books}),
    )
    assert (problem.code, problem.input) == (code, place)


def test_a_known_value_behind_a_link_is_checked_as_if_it_stood_there(problems: Check) -> None:
    (problem,) = problems(
        "twist.value", count=("Count", {"value": 11}), twist=("Twist", {"metres": link("count")})
    )
    assert (problem.code, problem.node, problem.input) == ("out_of_range", "twist", "metres")
    assert problem.hint == "10"
    assert problems("t.value", dice=("Dice", {}), t=("Twist", {"metres": link("dice")})) == []


def test_a_node_that_is_known_early_computes_its_fact(problems: Check) -> None:
    (problem,) = problems(
        "twist.value",
        count=("Count", {"value": 50}),
        ratio=("Ratio", {"a": link("count"), "b": 2.0}),
        whole=("Count", {"value": 13}),
        twist=("Twist", {"metres": link("whole")}),
    )
    assert problem.message == 'Count "whole": 13 is unlucky: give another value'
    assert (problem.code, problem.input) == ("bad_value", "value")


def test_a_node_that_is_known_early_waits_for_all_its_inputs(problems: Check) -> None:
    zero = {"dice": ("Dice", {}), "ratio": ("Ratio", {"a": link("dice"), "b": 0.0})}
    assert problems("ratio.value", **zero) == []
    ropes = {
        "dice": ("Dice", {}),
        "twist": ("Twist", {}),
        "count": ("Count", {"value": 3}),
        "weigh": ("Weigh", {"ropes": [link("twist")], "named": {"a": link("dice")}}),
        "all": ("Weigh", {"ropes": [link("twist")], "named": {"a": link("count")}}),
    }
    assert problems("weigh.value", **ropes) == []


def test_facts_come_in_lists_too(problems: Check) -> None:
    (problem,) = problems(
        "t.rope",
        twist=("Twist", {"metres": 1}),
        braid=("Braid", {"ropes": [link("twist"), link("twist")]}),
        t=("Tie", {"rope": link("braid")}),
    )
    assert problem.node == "t"


def branches(condition: Any) -> dict[str, Any]:
    return {
        "toss": ("Toss", {}),
        "short": ("Twist", {"metres": 1}),
        "long": ("Twist", {"metres": 5}),
        "bad": ("Tie", {"rope": link("short")}),
        "good": ("Tie", {"rope": link("long")}),
        "choose": (
            "Choose",
            {"condition": condition, "on_true": link("bad", "rope"), "on_false": link("good", "rope")},
        ),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "found"), [(True, ["bad"]), (False, []), (link("toss"), ["bad"])]
)
def test_a_branch_that_is_known_not_to_run_is_not_doubted(
    problems: Check, condition: Any, found: list[str]
) -> None:
    nodes = branches(condition)
    assert [problem.node for problem in problems("choose.value", **nodes)] == found


def test_a_node_that_nothing_asks_for_is_not_doubted(problems: Check) -> None:
    nodes = branches(False)
    assert problems("good.rope", **nodes) == []


def test_a_lazy_literal_is_asked_for_too(problems: Check) -> None:
    twist = ("Twist", {"metres": link("choose")})
    right = ("Choose", {"condition": True, "on_true": 3, "on_false": 40})
    wrong = ("Choose", {"condition": False, "on_true": 3, "on_false": 40})
    assert problems("twist.value", choose=right, twist=twist) == []
    (problem,) = problems("twist.value", choose=wrong, twist=twist)
    assert (problem.code, problem.node) == ("out_of_range", "twist")


def test_check_and_fingerprint_hear_of_known_values(runtime: Runtime, problems: Check) -> None:
    (problem,) = problems(
        "b.value", low=("Count", {"value": 9}), b=("Between", {"low": link("low"), "high": 3})
    )
    assert (problem.node, problem.input) == ("b", "low")
    nodes: dict[str, Any] = {
        "low": ("Count", {"value": 2}),
        "b": ("Between", {"low": link("low"), "high": 3}),
    }
    assert compile_graph(flow(nodes, "b.value"), CATALOG, runtime).calls["b"].fingerprint == "from 2"  # fmt: skip
    late: dict[str, Any] = {"low": ("Dice", {}), "b": ("Between", {"low": link("low"), "high": 3})}
    assert compile_graph(flow(late, "b.value"), CATALOG, runtime).calls["b"].fingerprint is LATE


def test_an_output_of_a_faulty_node_is_followed_no_further(problems: Check) -> None:
    found = problems("gone.value", gone=("Nowhere", {}))
    assert [problem.code for problem in found] == ["unknown_node"]


def test_a_loop_of_needs_ends(problems: Check) -> None:
    nodes = branches(link("toss"))
    twice = ("Braid", {"ropes": [link("choose"), link("choose"), link("good", "rope")]})
    assert [problem.node for problem in problems("b.value", **nodes, b=twice)] == ["bad"]


def test_what_cannot_be_known_early_is_a_wrong_declaration() -> None:
    def lazy(value: Lazy[T]) -> T:
        """A lazy one."""
        return value()

    def clock() -> float:
        """The time."""
        return 0.0

    with pytest.raises(DeclarationError, match="give infer"):
        node("Lazy", category="facts", early=True)(lazy)
    with pytest.raises(DeclarationError, match="volatile"):
        node("Clock", category="facts", early=True, volatile=True)(clock)


def test_what_is_unknown_says_so() -> None:
    assert repr(UNKNOWN) == "UNKNOWN"
