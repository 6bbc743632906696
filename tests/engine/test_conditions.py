"""What results depend on, and what is not as it was."""

from typing import Annotated, Any

import pytest
from pydantic import Field

from engine.check import compile_graph
from engine.conditions import Conditions, Drift, FileRead, TypeRead, conditions, drift, file_kind
from engine.keys import TypeDigests
from engine.runtime import NoFiles, Runtime

from . import toys
from .conftest import flow
from .notes import Notes, catalog

FILE = FileRead(name="a.txt", kind="notes", sha256="1" * 64, size=5, read_by=(("note", "note"),))
THEN = Conditions(
    files=(FILE,),
    types={"Add": TypeRead(version=1, code="c" * 64)},
    profile={"torch": "2.6", "device": "cpu"},
    machine={"python": "3.11", "threads": "2"},
)


def found(nodes: dict[str, Any], inputs: Any = None, **texts: str) -> Conditions:
    shelf = Notes({"a.txt": "hello", "b.txt": "there", **texts})
    runtime = Runtime(services={Notes: shelf, toys.Shelf: toys.Shelf()}, files=shelf)
    program = compile_graph(flow(nodes), catalog, runtime)
    told = inputs or {node: dict(call.arguments) for node, call in program.calls.items()}
    return conditions(program.calls.values(), told, TypeDigests(), runtime)


def test_a_file_that_two_nodes_read_is_told_once() -> None:
    read = found({n: ("ReadNote", {"note": "a.txt"}) for n in ("one", "two")})

    (file,) = read.files
    assert file.read_by == (("one", "note"), ("two", "note"))
    assert file.sha256 == Notes({"a.txt": "hello"}).describe("notes", "a.txt")[0]
    assert set(read.types) == {"ReadNote"}


def test_every_file_of_a_list_is_told() -> None:
    read = found({"n": ("ReadAll", {"names": ["a.txt", "b.txt"]})})

    assert [(file.name, file.size) for file in read.files] == [("a.txt", 5), ("b.txt", 5)]


def test_a_file_that_is_gone_is_told_by_what_was_read() -> None:
    """The digest in the key counts: the file may have changed since."""
    nodes = {"n": ("ReadNote", {"note": "a.txt"})}

    (file,) = found(nodes, {"n": {"note": "away.txt"}}).files
    assert (file.name, file.size) == ("away.txt", None)
    assert found({"n": ("ReadAll", {"names": ["a.txt"]})}, {"n": {"names": ["c.txt"]}}).files == ()


def test_what_a_fingerprint_says_is_told_where_no_input_names_a_file() -> None:
    (file,) = found({"n": ("Read", {"title": "red"})}).files

    assert (file.name, file.kind, file.read_by) == ("red", "", (("n", "title"),))
    (other,) = found({"n": ("ReadAll", {})}).files
    assert (other.name, other.read_by) == ("", (("n", ""),))


@pytest.mark.parametrize(
    ("hint", "kind"),
    [
        (str, None),
        (Annotated[str, Field(max_length=3)], None),
        (Annotated[str, Field(json_schema_extra={"widget": "x"})], None),
        (Annotated[str, Field(json_schema_extra={"files": "vae"})], "vae"),
        (list[Annotated[str, Field(json_schema_extra={"files": "vae"})]], "vae"),
        (list[str], None),
    ],
)
def test_the_kind_of_files_is_read_from_the_type(hint: Any, kind: str | None) -> None:
    assert file_kind(hint) == kind


def test_what_is_as_it_was_is_no_drift() -> None:
    assert drift(THEN, THEN, {}) == []
    assert (
        drift(THEN, THEN.model_copy(update={"files": (), "machine": {"python": "3.11"}}), {}) == []
    )


def test_everything_that_changed_is_told_in_words() -> None:
    moved = FILE.model_copy(update={"sha256": "2" * 64, "read_by": (("other", "note"),)})
    now = Conditions(
        files=(moved,),
        types={"Add": TypeRead(version=1, code="d" * 64)},
        profile={"torch": "2.7", "numpy": "2.0", "device": "cpu"},
        machine={"python": "3.12", "platform": "Linux"},
    )

    changes = drift(THEN, now, {"Add": "sum"})

    assert [(each.what, each.name, each.node, each.input) for each in changes] == [
        ("file", "a.txt", "other", "note"),
        ("code", "Add", "sum", None),
        ("profile", "torch", None, None),
        ("profile", "numpy", None, None),
        ("machine", "python", None, None),
    ]
    assert [each.text for each in changes] == [
        "a.txt has other content: it was 111111111111, it is 222222222222",
        "the code of Add is another: it was cccccccccccc, it is dddddddddddd",
        "torch was 2.6, it is 2.7",
        "numpy was not there, it is 2.0",
        "python was 3.11, it is 3.12",
    ]


def test_another_version_or_a_missing_type_is_told_as_such() -> None:
    newer = THEN.model_copy(update={"types": {"Add": TypeRead(version=2, code="d" * 64)}})

    assert drift(THEN, newer, {}) == [Drift("node", "Add", "version 1", "version 2")]
    (gone,) = drift(THEN, THEN.model_copy(update={"types": {}}), {})
    assert gone.text == "Add was version 1, it is not there"


def test_fingerprints_without_a_kind_are_told_apart_by_their_node() -> None:
    plain = FILE.model_copy(update={"kind": ""})
    then, now = (THEN.model_copy(update={"files": (each,)}) for each in (plain, plain))
    assert drift(then, now, {}) == []
    elsewhere = plain.model_copy(update={"sha256": "", "read_by": (("x", "note"),)})
    assert drift(then, THEN.model_copy(update={"files": (elsewhere,)}), {}) == []
    gone = plain.model_copy(update={"sha256": ""})
    (change,) = drift(then, THEN.model_copy(update={"files": (gone,)}), {})
    assert change.text.endswith("it is not there")


def test_a_package_without_files_finds_none() -> None:
    files = NoFiles()
    files.stand_in("notes", "a", "b")

    assert files.search("notes", "1" * 64, None) is None
    with pytest.raises(ValueError, match="there are no notes here"):
        files.describe("notes", "a")
    with pytest.raises(ValueError, match="there are no notes here"):
        files.place("notes", "a")
