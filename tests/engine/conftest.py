"""What the engine's tests share: fresh folders, a runtime, and a way to run a document."""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from engine.artifacts import Delivery
from engine.check import compile_graph
from engine.codecs import Codecs
from engine.executor import Result, execute
from engine.runtime import Runtime
from engine.store import Store
from engine.workflow import Workflow

from . import toys

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def calls() -> Iterator[list[str]]:
    """The names of the toy nodes called in this test, in order."""
    toys.calls.clear()
    yield toys.calls
    toys.calls.clear()


@pytest.fixture
def gate() -> toys.Gate:
    return toys.Gate(Event(), Event())


@pytest.fixture
def runtime(tmp_path: Path, gate: toys.Gate) -> Runtime:
    return Runtime(
        services={toys.Shelf: toys.Shelf(), toys.Gate: gate},
        profile={"device": "cpu"},
        codecs=Codecs(frozenset({"engine", "tests"})),
        delivery=Delivery(tmp_path / "out", tmp_path / "previews"),
    )


@pytest.fixture
def store(tmp_path: Path, runtime: Runtime) -> Store:
    return Store(tmp_path / "store", runtime.codecs)


@pytest.fixture
def run(store: Store, runtime: Runtime) -> Run:
    """Runs a document of nodes on a store that lasts for the test."""

    def run(document: dict[str, Any] | Workflow, **options: Any) -> Result:
        workflow = document if isinstance(document, Workflow) else flow(document)
        used: Store = options.pop("store", store)
        lent: Runtime = options.pop("runtime", runtime)
        return execute(compile_graph(workflow, toys.catalog, lent), used, lent, **options)

    return run


def flow(nodes: dict[str, Any], **outputs: str) -> Workflow:
    """A workflow from nodes as `{id: (type, inputs)}`; outputs as `name="node.output"`."""
    ends = {
        name: dict(zip(("node", "output"), end.split("."), strict=True))
        for name, end in outputs.items()
    }
    if not outputs and nodes:
        ends = {"result": {"node": list(nodes)[-1], "output": "value"}}
    placed = {
        node_id: {
            "type": kind,
            "version": toys.catalog[kind].version if kind in toys.catalog else 1,
            "inputs": inputs,
        }
        for node_id, (kind, inputs) in nodes.items()
    }
    return Workflow.from_json({"darkroom": 1, "name": "", "nodes": placed, "outputs": ends})


def link(node: str, output: str = "value") -> dict[str, list[str]]:
    return {"$link": [node, output]}


SEWN = {
    "cloth": ("Dye", {"colour": "blue"}),
    "thread": ("Spin", {"metres": 2.0}),
    "sewn": ("Sew", {"cloth": link("cloth"), "thread": link("thread"), "stitches": 3}),
}
