"""Derivation keys: equal for equal results, different for anything that matters."""

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from engine.canonical import canonical
from engine.check import compile_graph
from engine.keyring import Keyring
from engine.keys import FileDigests, TypeDigests
from engine.node import node, node_type
from engine.program import Program
from engine.runtime import Runtime

from . import toys
from .conftest import SEWN, flow, link


def keys(nodes: dict[str, Any], runtime: Runtime, **outputs: str) -> dict[str, str]:
    program = compile_graph(flow(nodes, **outputs), toys.catalog, runtime)
    return known(program, TypeDigests(runtime.profile))


def known(program: Program, digests: TypeDigests) -> dict[str, str]:
    return Keyring(program.calls.values(), digests).known


def test_canonical_json_tells_types_apart() -> None:
    values = [1, 1.0, "1", True, None, [1], {"a": 1}, {"a": [1]}]
    assert len({canonical(value) for value in values}) == len(values)
    assert canonical({"b": 1, "a": 2}) == canonical({"a": 2, "b": 1})


def test_node_ids_do_not_count(runtime: Runtime) -> None:
    renamed = {
        "c": SEWN["cloth"],
        "t": SEWN["thread"],
        "s": ("Sew", {"cloth": link("c"), "thread": link("t"), "stitches": 3}),
    }
    assert keys(SEWN, runtime)["sewn"] == keys(renamed, runtime)["s"]


def test_a_default_given_equals_one_left_out(runtime: Runtime) -> None:
    assert keys({"n": ("Spin", {})}, runtime) == keys({"n": ("Spin", {"metres": 1})}, runtime)
    pack = {"d": ("Dye", {}), "n": ("Pack", {"cloth": link("d")})}
    given = pack | {"n": ("Pack", {"cloth": link("d"), "how": {"kind": "fold", "times": 1}})}
    assert keys(pack, runtime) == keys(given, runtime)


def test_an_input_changes_the_key_of_all_that_follows(runtime: Runtime) -> None:
    before = keys(SEWN, runtime)
    after = keys(SEWN | {"thread": ("Spin", {"metres": 2.5})}, runtime)
    assert before["cloth"] == after["cloth"]
    assert before["thread"] != after["thread"]
    assert before["sewn"] != after["sewn"]


def test_which_output_a_link_takes_counts(runtime: Runtime) -> None:
    cut = {"d": ("Dye", {}), "c": ("Cut", {"cloth": link("d")})}
    left = keys(cut | {"n": ("Pass", {"value": link("c", "left")})}, runtime)
    right = keys(cut | {"n": ("Pass", {"value": link("c", "right")})}, runtime)
    assert left["n"] != right["n"]


def test_links_in_lists_count_in_order(runtime: Runtime) -> None:
    nodes = {"a": ("Dye", {}), "b": ("Dye", {"colour": "blue"})}
    one = keys(nodes | {"n": ("Stack", {"cloths": [link("a"), link("b")]})}, runtime)
    other = keys(nodes | {"n": ("Stack", {"cloths": [link("b"), link("a")]})}, runtime)
    assert one["n"] != other["n"]


def test_the_profile_and_the_fingerprint_count(runtime: Runtime) -> None:
    nodes = {"n": ("Read", {"title": "red"})}
    assert keys(nodes, runtime) != keys(nodes, replace(runtime, profile={"device": "cuda"}))
    program = compile_graph(flow(nodes), toys.catalog, runtime)
    first = known(program, TypeDigests())["n"]
    program.calls["n"].fingerprint = "another digest"
    assert known(program, TypeDigests())["n"] != first


def test_keys_behind_a_clock_or_an_unknown_file_are_not_known(runtime: Runtime) -> None:
    nodes = {
        "clock": ("Clock", {}),
        "n": ("Add", {"a": link("clock")}),
        "title": ("Pass", {"value": "red"}),
        "book": ("Read", {"title": link("title")}),
    }
    assert keys(nodes, runtime, r="n.value", s="book.value").keys() == {"title"}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package `shop` with a node module `shop/sewing.py` that imports some of the others."""
    folder = tmp_path / "shop"
    (folder / "deep").mkdir(parents=True)
    files = {
        "__init__.py": "",
        "sewing.py": "import os, json\nimport shop.scissors\nfrom . import needle\nfrom .deep import (\n  thread as t,\n)\nfrom shop.pins import Pin\nfrom other import x\n",
        "scissors.py": "", "needle.py": "from .needle import *\n", "pins.py": "", "unused.py": "",
        "deep/__init__.py": "", "deep/thread.py": "from ..needle import eye\n",
    }  # fmt: skip
    for name, text in files.items():
        (folder / name).write_text(text)
    module = ModuleType("shop.sewing")
    module.__file__ = str(folder / "sewing.py")
    monkeypatch.setitem(sys.modules, "shop.sewing", module)
    return folder


def shop_digest() -> str:
    def stitch(a: int = 0) -> int:
        """Stitch."""
        return a

    stitch.__module__ = "shop.sewing"
    return TypeDigests().of(node_type(node("Stitch", category="test")(stitch)))


@pytest.mark.parametrize(
    "file", ["sewing.py", "scissors.py", "needle.py", "pins.py", "deep/thread.py"]
)
def test_the_code_behind_a_node_counts(package: Path, file: str) -> None:
    before = shop_digest()
    (package / file).write_text((package / file).read_text() + "\nx = 1\n")
    assert shop_digest() != before


def test_code_that_is_not_imported_does_not_count(package: Path) -> None:
    before = shop_digest()
    (package / "unused.py").write_text("x = 1")
    assert shop_digest() == before


def test_a_node_of_a_console_is_its_own_source(monkeypatch: pytest.MonkeyPatch) -> None:
    def declared(body: str) -> Any:
        space: dict[str, Any] = {"__name__": "console"}
        exec(f"def f(a: int = 0) -> int:\n    'Say.'\n    return {body}", space)  # noqa: S102
        return node_type(node("Console", category="test")(space["f"]))

    assert TypeDigests().of(declared("a + 1")) == TypeDigests().of(declared("a + 1"))
    assert TypeDigests().of(declared("a + 1")) != TypeDigests().of(declared("a + 2"))
    monkeypatch.setitem(sys.modules, toys.__name__, ModuleType("x"))
    assert TypeDigests().of(toys.catalog["Add"]) != TypeDigests().of(toys.catalog["Join"])


def test_a_lone_module_is_its_own_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "lone.py"
    file.write_text("import json\n")
    module = ModuleType("lone")
    module.__file__ = str(file)
    monkeypatch.setitem(sys.modules, "lone", module)
    digests = TypeDigests()
    assert digests.source(file, "lone")[1] == ()


def aged(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_files_digest_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = aged(tmp_path / "weights", "abc")
    monkeypatch.setattr(time, "time_ns", lambda: path.stat().st_ctime_ns + 10**10)
    first = FileDigests(tmp_path / "memory" / "digests.json").of(path)
    again = FileDigests(tmp_path / "memory" / "digests.json")
    monkeypatch.setattr(Path, "open", None)
    assert again.of(path) == first


def test_a_file_replaced_in_place_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = aged(tmp_path / "weights", "abc")
    status = path.stat()
    monkeypatch.setattr(time, "time_ns", lambda: status.st_ctime_ns + 10**10)
    digests = FileDigests()
    first = digests.of(path)
    path.write_text("abd")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert digests.of(path) != first


def test_a_file_changed_just_now_is_not_remembered(tmp_path: Path) -> None:
    digests = FileDigests(tmp_path / "digests.json")
    digests.of(aged(tmp_path / "weights", "abc"))
    assert digests.known == {}


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000, '{"weights": 5}'])
def test_a_damaged_memory_of_digests_is_forgotten(tmp_path: Path, text: str) -> None:
    memory = aged(tmp_path / "digests.json", text)
    assert FileDigests(memory).known == {}
    assert json.loads(json.dumps(FileDigests(memory).known)) == {}


def test_digests_that_cannot_be_remembered_are_computed_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = aged(tmp_path / "weights", "abc")
    monkeypatch.setattr(time, "time_ns", lambda: path.stat().st_ctime_ns + 10**10)
    aged(tmp_path / "file", "")
    digests = FileDigests(tmp_path / "file" / "digests.json")
    assert digests.of(path) == FileDigests().of(path)
