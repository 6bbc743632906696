"""The notebook and the guide do what they say, with the model that comes with Darkroom."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import notebooks
from tests.notebooks import Json
from tests.serving import ROOT, Served

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    with Served(folder / "data", nodes="nodes", options=("--workers", "cpu")) as server:
        yield server


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: Served) -> None:
    shutil.copy(ROOT / "workflows" / "starter" / "postcard.png", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DARKROOM_SERVER", served.url)


def words(output: Json) -> set[str]:
    """What a cell printed, but for how far nodes were: a slow reader is told less often."""
    return {word for word in "".join(output.get("text", ())).split() if not word.endswith("%")}


def test_the_notebook_shows_what_it_showed() -> None:
    document = notebooks.read(ROOT / "docs" / "client.ipynb")
    cells = [cell for cell in document["cells"] if cell["cell_type"] == "code"]

    for cell, outputs in zip(cells, notebooks.run(document), strict=True):
        kinds = [sorted(each.get("data", {})) for each in cell["outputs"]]
        assert [sorted(each.get("data", {})) for each in outputs] == kinds
        for was, now in zip(cell["outputs"], outputs, strict=True):
            assert words(now) == words(was)


def test_the_guides_code_runs(served: Served, tmp_path: Path) -> None:
    text = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")
    space: dict[str, object] = {"__name__": "guide"}

    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        there = code.replace("http://127.0.0.1:8188", served.url)
        exec(compile(there, "docs/client.md", "exec"), space)  # noqa: S102 - our own example

    assert len(list((tmp_path / "pictures").glob("*.png"))) == 3
    assert space["problems"]
    assert (served.data / "inputs" / "postcard.png").is_file()


def test_a_picture_that_lies_here_is_sent(served: Served, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from server.cli.commands import app

    (tmp_path / "postcard.png").rename("mine.png")
    arguments = ["run", "image-to-image", "--set", "image=mine.png", "--set", "steps=2"]

    said = CliRunner().invoke(app, [*arguments, "--output", "o"], catch_exceptions=False)

    assert said.exit_code == 0
    assert len(list((tmp_path / "o").glob("*.png"))) == 1
    assert (served.data / "inputs" / "mine.png").is_file()
