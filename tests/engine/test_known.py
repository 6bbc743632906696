"""Facts in loops and maps: what holds for every lap is known, and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any

import pytest
from pydantic import Field

from engine.catalog import Catalog
from engine.check import check, compile_graph
from engine.errors import InputError, Problem
from engine.executor import execute
from engine.known import lasting
from engine.node import UNKNOWN, Opaque, node, node_type
from engine.runtime import Runtime
from engine.store import Store
from engine.workflow import Workflow

from .conftest import link

Check = Callable[..., list[Problem]]
Json = dict[str, Any]
Few = Annotated[int, Field(ge=0, le=10)]
DICE: tuple[str, Json] = ("Dice", {})


@dataclass(frozen=True)
class Rope(Opaque):
    metres: int
    knots: Any = 0

    def lasting(self) -> "Rope":
        return replace(self, knots=UNKNOWN)


@node("Dice", category="laps", volatile=True)
def dice() -> int:
    """Another number each time."""
    return 4


@node("Twist", category="laps", infer=lambda metres: UNKNOWN if metres is UNKNOWN else Rope(metres))
def twist(*, metres: Few = 1) -> Rope:
    """A rope."""
    return Rope(metres)


def knotted(rope: Any) -> Any:
    if rope is UNKNOWN:
        return UNKNOWN
    return rope if rope.knots is UNKNOWN else replace(rope, knots=rope.knots + 1)


@node("Knot", category="laps", infer=knotted)
def knot(rope: Rope) -> Rope:
    """A rope with one more knot."""
    return replace(rope, knots=rope.knots + 1)


@node(
    "Double", category="laps", infer=lambda rope: rope if rope is UNKNOWN else Rope(2 * rope.metres)
)
def double(rope: Rope) -> Rope:
    """A rope twice as long."""
    return Rope(2 * rope.metres)


def short(rope: Any, metres: Any) -> Any:
    if rope is not UNKNOWN and metres is not UNKNOWN and rope.metres < metres:
        raise InputError(f"{rope.metres} m of rope are not enough", code="short")
    return rope


@node("Need", category="laps", infer=short)
def need(rope: Rope, *, metres: Few = 2) -> Rope:
    """A rope that is long enough."""
    return short(rope, metres)  # type: ignore[no-any-return]


def loose(rope: Any, most: Any) -> Any:
    if rope is not UNKNOWN and rope.knots is not UNKNOWN and rope.knots > most:
        raise InputError(f"the rope has {rope.knots} knots", code="tight")
    return rope


@node("Loose", category="laps", infer=loose)
def untied(rope: Rope, *, most: Few = 0) -> Rope:
    """A rope without many knots."""
    return loose(rope, most)  # type: ignore[no-any-return]


@node("Fewer", category="laps", early=True)
def fewer(*, value: Few = 1) -> int:
    """One less."""
    return value - 1


@node("IsLess", category="laps", early=True)
def is_less(a: int, b: int) -> bool:
    """Whether one number is below another."""
    return a < b


@node("Coil", category="laps", infer=lambda ropes: ropes)
def coil(ropes: list[Rope]) -> list[Rope]:
    """Ropes side by side."""
    return ropes


@node("Find", category="laps")
def find() -> list[Rope]:
    """Some ropes."""
    return [Rope(1), Rope(2)]


FUNCTIONS: list[Any] = [dice, twist, knot, double, need, untied, fewer, is_less, coil, find]
CATALOG = Catalog(*(node_type(function) for function in FUNCTIONS))


def ends(table: Json, role: str) -> Json:
    return {name: dict(zip(("node", role), end.split("."), strict=True)) for name, end in table.items()}  # fmt: skip


def placed(nodes: Json) -> Json:
    return {
        name: {"type": kind, "version": 1, "inputs": inputs} | (more[0] if more else {})
        for name, (kind, inputs, *more) in nodes.items()
    }


def flow(output: str, inputs: Json, outputs: Json, body: Json, **nodes: Any) -> Workflow:
    """A workflow around the graph `g` with those ends, which holds `body`."""
    inner = {"nodes": placed(body), "inputs": ends(inputs, "input"), "outputs": ends(outputs, "output")}  # fmt: skip
    return Workflow.from_json(
        {"darkroom": 1, "name": "", "nodes": placed(nodes), "subgraphs": {"g": inner}}
        | {"outputs": ends({"result": output}, "output")}
    )


@pytest.fixture
def problems(runtime: Runtime) -> Check:
    def problems(*ends: Any, **nodes: Any) -> list[Problem]:
        return check(flow(*ends, **nodes), CATALOG, runtime)

    return problems


ROPE = ("Twist", {"metres": 1})
KNOTS: Json = {"k": ("Knot", {})}


def round_and_round(*body: Any, **more: Any) -> Json:
    """A loop of `g` over a rope of 1 m, as often as the dice say, and a node that needs 2 m."""
    given = {"times": link("dice"), "rope": link("twist")}
    return {
        "dice": DICE,
        "twist": ROPE,
        "loop": ("Loop", given | more.pop("inputs", {}), {"graph": "g"} | more),
        "need": ("Need", {"rope": link("loop", "rope")}),
    }


def test_what_every_lap_keeps_is_known_behind_a_loop(problems: Check) -> None:
    (problem,) = problems("need.value", {"rope": "k.rope"}, {"rope": "k.value"}, KNOTS, **round_and_round())  # fmt: skip
    assert (problem.node, problem.input, problem.code) == ("need", "rope", "short")


def test_what_changes_from_lap_to_lap_is_not(problems: Check) -> None:
    body: Json = {"d": ("Double", {})}
    assert problems("need.value", {"rope": "d.rope"}, {"rope": "d.value"}, body, **round_and_round()) == []  # fmt: skip
    nodes = round_and_round() | {"loose": ("Loose", {"rope": link("loop", "rope")})}
    assert problems("loose.value", {"rope": "k.rope"}, {"rope": "k.value"}, KNOTS, **nodes) == []


def test_what_the_laps_count_up_is_not_taken_for_what_the_second_has(problems: Check) -> None:
    body: Json = {"l": ("Loose", {"most": 1}), "k": ("Knot", {"rope": link("l")})}
    ends = {"rope": "l.rope"}, {"rope": "k.value"}
    assert problems("loop.rope", *ends, body, **round_and_round()) == []
    body["l"] = ("Loose", {"most": 0, "rope": link("k")})
    body["k"] = ("Knot", {})
    (problem,) = problems("loop.rope", {"rope": "k.rope"}, {"rope": "l.value"}, body, **round_and_round())  # fmt: skip
    assert (problem.node, problem.code) == ("loop/l", "tight")


def test_a_change_that_comes_laps_later_is_reckoned_with(problems: Check) -> None:
    body: Json = {"keep": ("Knot", {}), "d": ("Double", {})}
    inputs, outputs = {"rope": "keep.rope", "next": "d.rope"}, {"rope": "keep.value", "next": "d.value"}  # fmt: skip
    nodes = round_and_round(carry={"rope": "next", "next": "next"}, inputs={"next": link("half")})
    nodes["twist"], nodes["half"] = ("Twist", {"metres": 0}), ("Twist", {"metres": 0})
    (problem,) = problems("need.value", inputs, outputs, body, **nodes)
    assert problem.node == "need"
    nodes["twist"] = nodes["half"] = ROPE
    body = {"keep": ("Knot", {}), "then": ("Knot", {}), "d": ("Double", {})}
    inputs, outputs = inputs | {"then": "then.rope"}, outputs | {"then": "then.value"}
    nodes |= round_and_round(
        carry={"rope": "then", "then": "next", "next": "next"},
        inputs={"next": link("half"), "then": link("half")},
    )
    assert problems("need.value", inputs, outputs, body, **nodes) == []


@pytest.mark.parametrize(
    ("stops", "found"),
    [
        ({"times": link("one")}, []),
        ({"a": 1, "b": 2}, []),
        ({"a": 2, "b": 1}, ["loop"]),
        ({"a": link("dice"), "b": 1}, ["loop"]),
    ],
)
def test_laps_that_surely_do_not_come_are_not_doubted(
    problems: Check, stops: Json, found: list[str]
) -> None:
    body: Json = {
        "done": ("IsLess", {"a": 1, "b": 1}),
        "l": ("Need", {"metres": 3}),
        "f": ("Twist", {}),
    }
    more: Json = {} if "times" in stops else {"until": "done"}
    nodes = round_and_round(inputs=stops, **more)
    if "times" not in stops:
        del nodes["loop"][1]["times"]
    nodes |= {"one": ("Fewer", {"value": 2}), "twist": ("Twist", {"metres": 3})}
    inputs = {"rope": "l.rope", "a": "done.a", "b": "done.b"}
    outputs = {"value": "l.value", "rope": "f.value", "done": "done.value"}
    assert [each.node for each in problems("loop.value", inputs, outputs, body, **nodes)] == found


def test_a_number_that_is_carried_is_not_known_in_further_laps(problems: Check) -> None:
    body: Json = {"f": ("Fewer", {})}
    nodes: Json = {"dice": DICE, "loop": ("Loop", {"times": link("dice"), "n": 0}, {"graph": "g"})}
    assert problems("loop.n", {"n": "f.value"}, {"n": "f.value"}, body, **nodes) == []


def test_the_number_of_a_lap_stands_for_all(problems: Check) -> None:
    body: Json = {"t": ("Twist", {}), "n": ("Need", {"rope": link("t")}), "k": ("Knot", {})}
    ends = {"rope": "k.rope", "index": "t.metres"}, {"rope": "k.value", "value": "n.value"}
    (first,) = problems("loop.value", *ends, body, **round_and_round())
    assert first.message == 'Need "loop/n": 0 m of rope are not enough'
    body["n"] = ("Need", {"rope": link("t"), "metres": 0})
    nodes = round_and_round() | {"last": ("Need", {"rope": link("loop", "value"), "metres": 1})}
    assert problems("last.value", *ends, body, **nodes) == []


def mapped(ropes: Any, each: str = "Map") -> Json:
    return {
        "one": ROPE,
        "two": ("Twist", {"metres": 2}),
        "pair": ("Coil", {"ropes": ropes}),
        "found": ("Find", {}),
        "map": (each, {"rope": link("pair")}, {"graph": "g", "each": ["rope"]}),
    }


NEED: Json = {"n": ("Need", {})}
ENDS = {"rope": "n.rope"}, {"rope": "n.value"}


@pytest.mark.parametrize(
    ("ropes", "found"),
    [
        ([link("one"), link("one")], ["map"]),
        ([link("two"), link("two")], []),
        ([link("one"), link("two")], []),
        ([], []),
        (link("found"), []),
    ],
)
def test_what_all_items_have_is_known_in_a_map(
    problems: Check, ropes: Any, found: list[str]
) -> None:
    nodes = mapped(ropes)
    assert [each.node for each in problems("map.rope", *ENDS, NEED, **nodes)] == found


def test_the_number_of_a_maps_lap_is_not_known(problems: Check) -> None:
    body: Json = {"t": ("Twist", {}), "n": ("Need", {"rope": link("t")}), "k": ("Knot", {})}
    ends = {"rope": "k.rope", "index": "t.metres"}, {"rope": "k.value", "value": "n.value"}
    assert problems("map.value", *ends, body, **mapped([link("one")])) == []


@pytest.mark.parametrize("is_known", [True, False])
def test_what_a_map_gives_is_known_to_the_next(problems: Check, is_known: bool) -> None:
    nodes = mapped([link("one"), link("one")] if is_known else link("found"))
    nodes["next"] = ("Map", {"rope": link("map", "kept")}, {"graph": "g", "each": ["rope"]})
    body: Json = {"k": ("Knot", {}), "n": ("Need", {"rope": link("k")})}
    ends = {"rope": "k.rope"}, {"kept": "k.value", "value": "n.value"}
    found = problems("next.value", *ends, body, **nodes)
    assert [each.node for each in found] == (["next/n"] if is_known else [])


def test_a_list_in_the_document_is_known_item_by_item(problems: Check) -> None:
    nodes = mapped([])
    nodes["map"] = ("Map", {"rope": [link("two"), link("one")]}, {"graph": "g", "each": ["rope"]})
    (problem,) = problems("map.rope", *ENDS, NEED, **nodes)
    assert problem.node == "map"


def test_values_may_change_places_from_lap_to_lap(runtime: Runtime) -> None:
    body: Json = {name: ("Need", {"metres": 0}) for name in "abc"}
    inputs, outputs = {n: f"{n}.rope" for n in "abc"}, {n: f"{n}.value" for n in "abc"}
    given = {name: link(f"rope{at}") for at, name in enumerate("abc")}
    nodes: Json = {f"rope{at}": ("Twist", {"metres": at}) for at in range(3)}
    carry = {"a": "b", "b": "c", "c": "a"}
    loop = ("Loop", {"times": link("dice"), **given}, {"graph": "g", "carry": carry})
    document = flow("loop.a", inputs, outputs, body, dice=DICE, loop=loop, **nodes)
    result = execute(compile_graph(document, CATALOG, runtime), Store(), runtime)
    assert result.outputs["result"] == Rope(0)


def test_what_lasts_of_a_list_is_what_lasts_of_its_parts() -> None:
    assert lasting([3, Rope(4, 2)]) == [UNKNOWN, Rope(4, UNKNOWN)]
