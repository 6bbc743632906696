"""The documents say what is so."""

import re
from pathlib import Path

import pytest

from engine.catalog import Catalog
from engine.check import check
from engine.workflow import Workflow

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_shipped_workflow_is_listed() -> None:
    text = (ROOT / "docs" / "workflows.md").read_text(encoding="utf-8")
    assert [w.stem for w in (ROOT / "workflows").glob("*.json") if f"`{w.stem}`" not in text] == []


def test_the_python_example_makes_a_valid_workflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = blocks(ROOT / "docs" / "workflows.md", "python")
    exec(compile(code, "docs/workflows.md", "exec"), {})  # noqa: S102 - our own example
    catalog = Catalog.load("nodes")
    runtime = catalog.runtime(data=tmp_path, device="cpu")
    assert check(Workflow.read(tmp_path / "house.json"), catalog, runtime) == []


def test_the_example_node_is_a_node() -> None:
    import torch

    from engine.node import node_type
    from nodes import facts
    from nodes.values import Image

    space: dict[str, object] = {"__name__": "example"}
    for code in blocks(ROOT / "docs" / "nodes.md", "python"):
        exec(compile(code, "docs/nodes.md", "exec"), space)  # noqa: S102 - our own example
    brighten, halve = space["brighten"], space["halve_image"]
    assert callable(brighten)
    assert float(brighten(Image(torch.full((1, 3, 2, 2), 0.25)), amount=2.0).pixels.max()) == 0.5
    assert callable(halve)
    declared = node_type(halve)
    assert declared.infer is not None
    odd = Image(torch.zeros(2, 3, 5, 7))
    assert declared.infer(image=facts.of(odd)) == facts.of(halve(odd)) == facts.PixelFacts(2, 2, 3)


def test_every_node_has_a_summary_a_category_and_a_schema() -> None:
    for declared in Catalog.load("nodes").values():
        schema = declared.schema()
        assert schema["summary"].endswith("."), declared.name
        assert schema["category"], declared.name
        assert schema["inputs"]["type"] == "object"
