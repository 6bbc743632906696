"""What delivered files tell of a run, and of the runs before it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.artifacts import Delivery, here
from engine.catalog import Catalog
from engine.check import compile_graph
from engine.executor import execute
from engine.node import node, node_type
from engine.runtime import Measured, Runtime
from engine.store import Store

from . import notes
from .conftest import flow, link
from .notes import Notes

Tell = Callable[..., dict[str, Any]]
told: dict[str, Any] = {}


@node("Tell", category="test")
def tell_it(value: Any, *, colour: str = "red", delivery: Delivery = here) -> float:
    """Note what is lent."""
    told.clear()
    told.update(delivery.provenance)
    return 0.0


catalog = Catalog(*notes.catalog.values(), node_type(tell_it))


@pytest.fixture
def lent(runtime: Runtime) -> Runtime:
    shelf = Notes({"a.txt": "hello", "b.txt": "there"})
    return replace(runtime, services={**runtime.services, Notes: shelf}, files=shelf)


@pytest.fixture
def tell(lent: Runtime, tmp_path: Path) -> Tell:
    """What a file tells after a run of the nodes; the store is opened anew each time."""

    def tell(nodes: dict[str, Any], colour: str = "red", **options: Any) -> dict[str, Any]:
        used = options.get("runtime", lent)
        store = options.get("store") or Store(tmp_path / "store", lent.codecs)
        end = {"end": ("Tell", {"value": link(*options.get("end", ("last",))), "colour": colour})}
        workflow = flow(nodes)
        document = workflow.to_json()
        document["nodes"]["end"] = {"type": "Tell", "inputs": end["end"][1]}
        document["outputs"] = {"result": {"node": "end", "output": "value"}}
        execute(compile_graph(workflow.from_json(document), catalog, used), store, used)
        return dict(told)

    return tell


SLOW = {
    "one": ("Add", {"a": 1.0, "b": 1.0}),
    "two": ("Add", {"a": link("one")}),
    "last": ("Slow", {"value": link("two")}),
}


@node("Slow", category="test")
def slow(value: float = 0.0) -> float:
    """Take long enough to be stored."""
    time.sleep(0.01)
    return value


catalog = Catalog(*catalog.values(), node_type(slow))


def test_what_came_by_links_is_told_also_behind_a_stored_result(tell: Tell) -> None:
    first = tell(SLOW)
    again = tell(SLOW, colour="blue")

    assert first["inputs"]["two"] == {"a": 2.0, "b": 0.0}
    assert first["inputs"]["last"] == {"value": 2.0}
    assert again["inputs"] == first["inputs"] | {"end": {"value": 2.0, "colour": "blue"}}
    assert again["costs"] == first["costs"]
    assert again["costs"]["last"]["seconds"] >= 0.01
    assert again["run"] != first["run"]


def test_equal_nodes_are_told_alike(tell: Tell) -> None:
    found = tell(
        SLOW
        | {
            "twin": ("Add", {"a": link("one")}),
            "last": ("Join", {"left": link("two"), "right": link("twin")}),
        }
    )

    assert found["inputs"]["twin"] == found["inputs"]["two"] == {"a": 2.0, "b": 0.0}


def test_the_memory_tier_remembers_what_is_behind(tell: Tell) -> None:
    store = Store()
    tell(SLOW, store=store)

    again = tell(SLOW, colour="blue", store=store)

    assert again["inputs"]["two"] == {"a": 2.0, "b": 0.0}


def test_what_a_lazy_input_was_given_is_told(tell: Tell) -> None:
    nodes = {
        "one": ("Add", {"a": 1.0}),
        "last": ("Switch", {"condition": True, "on_true": link("one"), "on_false": 5.0}),
    }
    assert tell(nodes)["inputs"]["last"]["on_true"] == 1.0
    nodes["last"] = ("Switch", {"condition": False, "on_true": link("one"), "on_false": 5.0})
    assert tell(nodes)["inputs"]["last"] == {"condition": False, "on_false": 5.0}


@pytest.mark.parametrize(
    ("value", "is_told"),
    [([1.0, 2.0], True), ([0.0] * 1000, False), (None, True), ([{1: object()}], False), (float("inf"), False)],
    ids=["numbers", "too many", "nothing", "an object", "infinite"],
)  # fmt: skip
def test_only_what_json_can_carry_is_told(tell: Tell, value: Any, is_told: bool) -> None:
    def give() -> Any:
        """Give it."""
        return value

    giving = Catalog(*catalog.values(), node_type(node("Give", category="test")(give)))
    workflow = flow({"last": ("Add", {})}).to_json()
    workflow["nodes"] = {
        "give": {"type": "Give", "inputs": {}},
        "end": {"type": "Tell", "inputs": {"value": {"$link": ["give", "value"]}}},
    }
    workflow["outputs"] = {"result": {"node": "end", "output": "value"}}
    runtime = Runtime()
    execute(compile_graph(flow({}).from_json(workflow), giving, runtime), Store(memory={}), runtime)
    assert ("value" in told["inputs"]["end"]) == is_told


def test_what_a_volatile_node_gave_is_told(tell: Tell) -> None:
    found = tell({"dice": ("Cast", {}), "last": ("Gauge", {"values": link("dice", "pair")})})

    number = found["inputs"]["last"]["values"][0]
    assert found["given"] == {"dice": {"$dict": [["number", number], ["pair", [number, 1.0]]]}}


@pytest.mark.parametrize("last", [("Void", {}), ("Sky", {"length": 100_000})])
def test_what_cannot_be_given_again_is_not_told(tell: Tell, last: Any) -> None:
    assert tell({"last": last})["given"] == {}


def test_the_peak_of_device_nodes_is_measured_and_stored(tell: Tell, lent: Runtime) -> None:
    measured = []

    @contextmanager
    def meter() -> Iterator[Measured]:
        measured.append(1)
        yield Measured(peak=1000 * len(measured))

    runtime = replace(lent, meter=meter)
    nodes = {
        "one": ("Add", {"a": 1.0}),
        "weigh": ("Weigh", {"value": link("one")}),
        "last": ("Slow", {"value": link("weigh")}),
    }

    first = tell(nodes, runtime=runtime)
    again = tell(nodes, colour="blue", runtime=runtime)

    assert measured == [1]
    assert first["costs"]["weigh"]["peak"] == again["costs"]["weigh"]["peak"] == 1000
    assert "one" not in first["costs"]


def test_files_types_and_machine_are_told(tell: Tell) -> None:
    found = tell(
        {"note": ("ReadNote", {"note": "b.txt"}), "last": ("Pass", {"value": link("note")})}
    )

    (file,) = found["files"]
    assert (file["name"], file["kind"], file["size"]) == ("b.txt", "notes", 5)
    assert file["read_by"] == [["note", "note"]]
    assert set(found["types"]) == {"ReadNote", "Pass", "Tell"}
    assert found["profile"] == {"device": "cpu"}
    assert {"python", "platform"} <= found["machine"].keys()
    assert found["provenance"] == 2


def test_one_of_several_files_knows_which_it_is() -> None:
    delivery = Delivery(provenance={"node": "n"})

    assert delivery.provenance_of(1, 3) == {"node": "n", "index": 1, "count": 3}
    assert here.provenance_of(1, 3) == {}
