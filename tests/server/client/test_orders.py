import json
from pathlib import Path
from typing import Any

import pytest

from engine.workflow import Workflow
from server.client import ClientError, Order
from server.client.orders import document_of

ADD: dict[str, Any] = {"darkroom": 1, "nodes": {"add": {"type": "Add"}}}


def written(folder: Path, name: str, document: object) -> Path:
    path = folder / name
    path.write_text(json.dumps(document))
    return path


def test_a_name_is_the_servers_and_a_file_is_sent_whole(tmp_path: Path) -> None:
    path = written(tmp_path, "add.json", ADD)

    assert Order("text-to-image").graph() == {"workflow": "text-to-image"}
    for given in (path, str(path), ADD, Workflow.read(path)):
        assert Order(given).graph()["document"]["nodes"]["add"]["type"] == "Add"


def test_only_what_was_said_is_sent() -> None:
    order = Order("a", {"x": 1}, {"seed": range(0, 8, 2), "y": (1, 2)}, priority=3)

    assert order.body() == {
        "workflow": "a",
        "inputs": {"x": 1},
        "axes": {"seed": {"from": 0, "to": 6, "step": 2}, "y": [1, 2]},
        "priority": 3,
    }


@pytest.mark.parametrize("name", ["missing.json", Path("missing")])
def test_a_file_that_is_not_there_is_told(name: str | Path) -> None:
    with pytest.raises(ClientError, match="no workflow file missing"):
        Order(name).graph()


def test_a_name_is_no_document() -> None:
    with pytest.raises(ClientError, match="is the name of a workflow"):
        document_of("text-to-image")


def test_graphs_from_other_files_come_along(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    written(tmp_path / "inner", "leaf.json", ADD)
    branch = {"nodes": {"b": {"type": "Graph", "graph": "leaf.json"}}, "darkroom": 1}
    written(tmp_path / "inner", "branch.json", branch)
    root = {"nodes": {"r": {"type": "Graph", "graph": "inner/branch.json"}}, "darkroom": 1}

    document = document_of(written(tmp_path, "root.json", root))

    inner = document["subgraphs"]["inner/branch.json"]
    assert inner["subgraphs"]["leaf.json"]["nodes"]["add"]["type"] == "Add"


def test_files_that_contain_each_other_end(tmp_path: Path) -> None:
    loop = {"nodes": {"r": {"type": "Graph", "graph": "loop.json"}}, "darkroom": 1}

    document = document_of(written(tmp_path, "loop.json", loop))

    assert "subgraphs" not in document["subgraphs"]["loop.json"]


async def test_pictures_are_sent_wherever_they_stand() -> None:
    async def send(path: Path) -> str:
        return f"sent {path}"

    order = await Order(
        "a", {"one": Path("a.png"), "more": [Path("b.png"), "c.png"]}, {"x": [Path("d.png")]}
    ).sent(send)

    assert order.inputs == {"one": "sent a.png", "more": ["sent b.png", "c.png"]}
    assert order.axes == {"x": ["sent d.png"]}
