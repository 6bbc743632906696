"""Node types collected from packages."""

import importlib.metadata
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.catalog import Catalog
from engine.errors import DeclarationError
from engine.runtime import Runtime

from .toys import catalog

SHOP = '''
from engine.node import node
@node("Sell", category="shop", formerly=("Trade",))
def sell(price: float = 1.0) -> float:
    """Sell something."""
    return price
'''
RUNTIME = """
from engine.runtime import Runtime
def open_runtime(device: str) -> Runtime:
    return Runtime(profile={"device": device})
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "shopping"
    (folder / "inner").mkdir(parents=True)
    for name, text in {
        "__init__.py": "",
        "selling.py": SHOP,
        "runtime.py": RUNTIME,
        "again.py": "from .selling import sell\n",
        "_private.py": "1/0",
        "inner/__init__.py": "1/0",
    }.items():
        (folder / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.startswith("shopping")]:
        del sys.modules[name]


def test_the_modules_of_a_package_are_collected(shop: Path) -> None:
    loaded = Catalog.load("shopping")
    assert list(loaded) == ["Sell"]
    assert len(loaded) == 1
    assert loaded["Trade"] is loaded["Sell"]
    assert "Trade" in loaded


def test_the_package_opens_the_runtime(shop: Path) -> None:
    assert Catalog.load("shopping").runtime(device="cpu") == Runtime(profile={"device": "cpu"})


def test_other_distributions_plug_in(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "engine.catalog.entry_points", lambda group: [SimpleNamespace(value="shopping")]
    )
    assert "Sell" in Catalog.load()
    assert importlib.metadata.entry_points is not None


def test_a_plug_in_that_cannot_be_loaded_is_named(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shop / "broken.py").write_text("def broken(:")
    monkeypatch.setattr(
        "engine.catalog.entry_points", lambda group: [SimpleNamespace(value="shopping")]
    )
    with pytest.raises(DeclarationError, match="the plug-in 'shopping' could not be loaded"):
        Catalog.load()
    with pytest.raises(SyntaxError):
        Catalog.load("shopping")
    (shop / "broken.py").write_text(SHOP)
    with pytest.raises(DeclarationError, match="two nodes"):
        Catalog.load()


def test_two_nodes_of_one_name_are_an_error(shop: Path) -> None:
    (shop / "other.py").write_text(SHOP)
    with pytest.raises(DeclarationError, match="two nodes are named 'Sell'"):
        Catalog.load("shopping")


def test_nearest_ignores_case() -> None:
    assert catalog.nearest("switsh") == "Switch"
    assert catalog.nearest("zzzz") is None


def test_a_type_may_be_added_twice() -> None:
    twice = Catalog(catalog["Add"], catalog["Add"])
    assert list(twice) == ["Add"]
