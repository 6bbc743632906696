import json
import time
from pathlib import Path
from typing import Any

import pytest

from engine.errors import GraphError
from engine.workflow import Workflow
from server.admission import Limits, admit, check_size, count_nodes, is_quick
from server.catalogue import Catalogue
from tests.server.catalogues import toy_catalogue

Json = dict[str, Any]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return toy_catalogue()


def graph(nodes: Json, **rest: Any) -> Json:
    last = next(reversed(nodes))
    return {
        "darkroom": 1,
        "nodes": nodes,
        "outputs": {"value": {"node": last, "output": "value"}},
        **rest,
    }


ADD: Json = {"type": "Add", "inputs": {"a": 1.0}}


def codes(document: Json, catalogue: Catalogue, limits: Limits | None = None) -> set[str]:
    with pytest.raises(GraphError) as raised:
        admit(Workflow.from_json(document), catalogue, limits or Limits())
    return {problem.code for problem in raised.value.problems}


def test_a_good_graph_is_admitted(catalogue: Catalogue) -> None:
    workflow = Workflow.from_json(graph({"a": ADD}, name="sum"))
    admitted = admit(workflow, catalogue, Limits())
    assert admitted.name == "sum"
    again = Workflow.from_json(admitted.document)
    assert again.nodes["a"].inputs == {"a": 1.0}


def test_too_many_nodes_are_refused(catalogue: Catalogue) -> None:
    document = graph({f"n{number}": ADD for number in range(11)})
    assert codes(document, catalogue, Limits(nodes=10)) == {"too_large"}


def test_the_nodes_of_subgraphs_count(catalogue: Catalogue) -> None:
    inner = graph({f"n{number}": ADD for number in range(10)})
    document = graph({"a": {"type": "Subgraph", "graph": "inner"}}, subgraphs={"inner": inner})
    assert count_nodes(Workflow.from_json(document)) == 11
    assert codes(document, catalogue, Limits(nodes=10)) == {"too_large"}


def test_what_unfolds_too_far_is_refused(catalogue: Catalogue) -> None:
    swept = {"type": "Add", "inputs": {"a": {"$axis": {"$range": {"from": 1, "to": 50}}}}}
    document = graph({"a": swept})
    assert codes(document, catalogue, Limits(calls=20)) == {"too_large"}
    assert not is_quick(Workflow.from_json(document))
    assert is_quick(Workflow.from_json(graph({"a": ADD})))


def nested(levels: int) -> Json:
    """Graphs that each hold the next one twice."""
    twice = {"outputs": {"value": {"node": "b", "output": "value"}}}
    inner = {
        f"g{level}": {
            "darkroom": 1,
            "nodes": {name: {"type": "Subgraph", "graph": f"g{level + 1}"} for name in ("a", "b")},
            **twice,
        }
        for level in range(levels)
    }
    inner[f"g{levels}"] = graph({"a": ADD, "b": ADD})
    return graph({"a": {"type": "Subgraph", "graph": "g0"}}, subgraphs=inner)


def test_graphs_that_double_at_each_level_are_refused_at_once(catalogue: Catalogue) -> None:
    began = time.monotonic()
    for levels in (20, 60, 90):
        assert codes(nested(levels), catalogue) == {"too_large"}
    assert time.monotonic() - began < 5
    assert codes(nested(8), catalogue, Limits(calls=20)) == {"too_large"}


def test_a_long_chain_of_graphs_is_measured(catalogue: Catalogue) -> None:
    def chain(levels: int) -> Workflow:
        inner = {
            f"g{level}": graph({"a": {"type": "Subgraph", "graph": f"g{level + 1}"}})
            for level in range(levels)
        }
        inner[f"g{levels}"] = graph({"a": ADD})
        top = graph({"a": {"type": "Subgraph", "graph": "g0"}}, subgraphs=inner)
        return Workflow.from_json(top)

    check_size(chain(50), Limits(calls=60))
    with pytest.raises(GraphError):
        check_size(chain(50), Limits(calls=40))
    check_size(chain(3_000), Limits())
    itself = graph({"a": {"type": "Subgraph", "graph": "me"}})
    check_size(Workflow.from_json(graph(itself["nodes"], subgraphs={"me": itself})), Limits())


def test_a_name_means_the_nearest_graph(catalogue: Catalogue) -> None:
    large = graph({f"n{number}": ADD for number in range(50)})
    call = {"type": "Subgraph", "graph": "x"}
    inner = graph({"a": call}, subgraphs={"x": graph({"a": ADD})})
    document = graph(
        {"a": {"type": "Subgraph", "graph": "inner"}, "b": call},
        subgraphs={"inner": inner, "x": large},
    )
    check_size(Workflow.from_json(document), Limits(calls=54))
    with pytest.raises(GraphError):
        check_size(Workflow.from_json(document), Limits(calls=53))


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    folder = tmp_path / "workflows"
    folder.mkdir()
    (tmp_path / "outside.json").write_text(json.dumps(graph({"a": ADD})))
    (folder / "inside.json").write_text(json.dumps(graph({"a": ADD})))
    (folder / "link.json").symlink_to(tmp_path / "outside.json")
    (folder / "sub").mkdir()
    (folder / "sub" / "deep.json").write_text(json.dumps(taking("next.json")))
    (folder / "sub" / "next.json").write_text(json.dumps(taking("../../outside.json")))
    (folder / "sub" / "up.json").write_text(json.dumps(taking("../inside.json")))
    (folder / "round.json").write_text(json.dumps(taking("round.json")))
    return folder


def taking(name: str) -> Json:
    return graph({"a": {"type": "Subgraph", "graph": name}})


def saved(shelf: Path, document: Json) -> Workflow:
    path = shelf / "saved.json"
    path.write_text(json.dumps(document))
    return Workflow.read(path)


def test_graphs_are_taken_from_the_own_folder_and_carried_along(
    catalogue: Catalogue, shelf: Path
) -> None:
    admitted = admit(saved(shelf, taking("inside.json")), catalogue, Limits())
    assert "inside.json" in admitted.document["subgraphs"]
    assert "folder" not in admitted.document


@pytest.mark.parametrize(
    "name",
    ["../outside.json", "/etc/outside.json", "link.json", "sub/../../outside.json", "sub/deep.json",
     "sub/up.json", "a\\b.json", "\0.json"],
)  # fmt: skip
def test_graphs_are_taken_from_nowhere_else(catalogue: Catalogue, shelf: Path, name: str) -> None:
    with pytest.raises(GraphError) as raised:
        admit(saved(shelf, taking(name)), catalogue, Limits())
    assert {problem.code for problem in raised.value.problems} == {"outside_roots"}


@pytest.mark.parametrize("name", ["../outside.json", "link.json"])
def test_an_inner_graph_takes_nothing_from_elsewhere_either(
    catalogue: Catalogue, shelf: Path, name: str
) -> None:
    inner = taking(name)
    document = graph({"a": {"type": "Subgraph", "graph": "inner"}}, subgraphs={"inner": inner})
    with pytest.raises(GraphError, match="leads out"):
        admit(saved(shelf, document), catalogue, Limits())


def test_a_file_that_takes_itself_ends(catalogue: Catalogue, shelf: Path) -> None:
    with pytest.raises(GraphError):
        admit(saved(shelf, taking("round.json")), catalogue, Limits())
