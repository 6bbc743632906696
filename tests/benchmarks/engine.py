"""What the engine costs: lattices and chains of nodes that do nothing."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.catalog import Catalog
from engine.check import compile_graph
from engine.executor import execute
from engine.journal import Journal
from engine.links import Link
from engine.node import node, node_type
from engine.plan import make_plan
from engine.runtime import Runtime
from engine.store import Store
from engine.workflow import Endpoint, Node, Workflow

WIDTH = 10
BOUNDS = {
    "lattice_cold_us_per_node": 100.0,
    "lattice_stored_us_per_node": 30.0,
    "plan_10000_seconds": 1.0,
    "explain_10000_seconds": 1.0,
    "linearity_10000_over_1000": 1.5,
    "chain_10000_us_per_node": 150.0,
}


@node("Nothing", category="benchmark")
def nothing(left: float = 0.0, right: float = 0.0) -> float:
    """Do nothing."""
    return left


CATALOG = Catalog(node_type(nothing))


def lattice(count: int) -> Workflow:
    """`count` nodes in rows of ten; each reads the two above it."""
    nodes = {}
    for index in range(count):
        row, column = divmod(index, WIDTH)
        inputs: dict[str, object] = {"left": float(index)}
        if row:
            above = (row - 1) * WIDTH
            inputs = {
                "left": Link(str(above + column)),
                "right": Link(str(above + (column + 1) % WIDTH)),
            }
        nodes[str(index)] = Node("Nothing", 1, inputs)
    last = range(count - WIDTH, count)
    return Workflow(outputs={str(i): Endpoint(str(i), "value") for i in last}, nodes=nodes)


def chain(count: int) -> Workflow:
    """`count` nodes in one line."""
    nodes = {
        str(i): Node("Nothing", 1, {"left": Link(str(i - 1))} if i else {}) for i in range(count)
    }
    return Workflow(outputs={"end": Endpoint(str(count - 1), "value")}, nodes=nodes)


def best(action: Callable[[], object], repeats: int = 5) -> float:
    """The shortest of several runs, in seconds: what the code costs without the machine's noise."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return min(times)


def run(workflow: Workflow, store: Store, runtime: Runtime) -> None:
    """Check, key and run a workflow: all that the engine does for one."""
    execute(compile_graph(workflow, CATALOG, runtime), store, runtime)


def edited(workflow: Workflow) -> Workflow:
    """The workflow with every node of its first row changed, so that all of it has to run."""
    nodes = {
        name: node.with_inputs({"left": -1.0 - index})
        for index, (name, node) in enumerate(list(workflow.nodes.items())[:WIDTH])
    }
    return replace(workflow, nodes={**workflow.nodes, **nodes})


def explain(workflow: Workflow, runtime: Runtime) -> float:
    """Seconds to say of every node what has changed, with a journal of all of them."""
    with TemporaryDirectory() as folder:
        journal = Journal(Path(folder) / "journal.db")
        execute(compile_graph(workflow, CATALOG, runtime), Store(), runtime, journal=journal)
        changed = edited(workflow)
        seconds = best(
            lambda: make_plan(compile_graph(changed, CATALOG, runtime), Store(), runtime, journal),
            3,
        )
        journal.close()
    return seconds


def measure() -> dict[str, float]:
    """Microseconds for each node, validation and keys included; and how they grow."""
    runtime = Runtime()
    small, large = lattice(1000), lattice(10_000)
    stored = Store()
    run(small, stored, runtime)
    cold = best(lambda: run(small, Store(), runtime)) / 1000
    cold_large = best(lambda: run(large, Store(), runtime), 3) / 10_000
    warm = best(lambda: run(small, stored, runtime)) / 1000
    line = chain(10_000)
    return {
        "lattice_cold_us_per_node": cold * 1e6,
        "lattice_stored_us_per_node": warm * 1e6,
        "lattice_10000_cold_us_per_node": cold_large * 1e6,
        "linearity_10000_over_1000": cold_large / cold,
        "plan_10000_seconds": best(
            lambda: make_plan(compile_graph(large, CATALOG, runtime), Store(), runtime), 3
        ),
        "explain_10000_seconds": explain(large, runtime),
        "chain_10000_us_per_node": best(lambda: run(line, Store(), runtime), 2) / 10_000 * 1e6,
    }
