"""What holds for every workflow, tried on random ones."""

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings, strategies as st

from engine.artifacts import Delivery
from engine.check import compile_graph
from engine.executor import execute
from engine.keyring import Keyring
from engine.keys import TypeDigests
from engine.runtime import Runtime
from engine.store import Store
from engine.workflow import Workflow

from . import toys
from .conftest import flow, link

RUNTIME = Runtime(services={toys.Shelf: toys.Shelf()}, delivery=Delivery())
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text().filter(lambda name: not name.startswith("$")), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def known(graph: dict[str, Any], digests: TypeDigests) -> dict[str, str]:
    program = compile_graph(flow(graph), toys.catalog, RUNTIME)
    return Keyring(program.calls.values(), digests).known


nodes = st.builds(
    lambda kind, version, inputs, extra: (
        {"type": kind, "version": version, "inputs": inputs} | extra
    ),
    st.text(),
    st.integers(1, 9),
    st.dictionaries(
        st.text(), json_values | st.tuples(st.text(), st.text()).map(lambda t: link(*t)), max_size=3
    ),
    st.dictionaries(st.sampled_from(["title", "colour"]), json_values),
)


@st.composite
def sums(draw: st.DrawFn) -> dict[str, Any]:
    """A random acyclic graph of additions, each of numbers and of earlier nodes."""
    placed: dict[str, Any] = {}
    for index in range(draw(st.integers(1, 12))):
        earlier = st.integers(0, index - 1).map(lambda i: link(str(i))) if index else st.nothing()
        value = st.integers(-5, 5).map(float) | earlier
        placed[str(index)] = ("Add", {"a": draw(value), "b": draw(value)})
    return placed


def expected(graph: Mapping[str, Any], node: str) -> float:
    """The sum that a node stands for, by the definition."""
    values = graph[node][1].values()
    return sum(v if isinstance(v, float) else expected(graph, v["$link"][0]) for v in values)


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(st.text(), nodes, max_size=4),
    st.dictionaries(st.sampled_from(["view", "later"]), json_values),
)
def test_any_document_survives_reading_and_writing(
    placed: dict[str, Any], extra: dict[str, Any]
) -> None:
    document = {"darkroom": 1, "name": "n", "inputs": {}, "outputs": {}, "nodes": placed} | extra
    workflow = Workflow.from_json(document)
    assert workflow.to_json() == document
    assert Workflow.parse(workflow.text()).text() == workflow.text()


@settings(max_examples=50, deadline=None)
@given(sums())
def test_a_run_gives_what_the_graph_means(graph: dict[str, Any]) -> None:
    last = str(len(graph) - 1)
    store = Store()
    for _ in range(2):
        result = execute(compile_graph(flow(graph), toys.catalog, RUNTIME), store, RUNTIME)
        assert result.outputs["result"] == expected(graph, last)


@settings(max_examples=50, deadline=None)
@given(sums(), st.randoms())
def test_keys_depend_neither_on_ids_nor_on_order(graph: dict[str, Any], chance: Any) -> None:
    names = {node: f"renamed {node}" for node in graph}
    renamed = {}
    for node in chance.sample(list(graph), len(graph)):
        kind, inputs = graph[node]
        renamed[names[node]] = (
            kind,
            json.loads(
                json.dumps(inputs),
                object_hook=lambda o: link(names[o["$link"][0]]) if "$link" in o else o,
            ),
        )
    digests = TypeDigests()
    before = known(graph, digests)
    after = known(renamed, digests)
    assert {names[node]: key for node, key in before.items()} == after
