"""Declarations read from signatures."""

from typing import Annotated, Any, NamedTuple

import pytest
from pydantic import Field, ValidationError

from engine import literals
from engine.errors import DeclarationError
from engine.grid import Grid
from engine.node import Progress, node, node_type, rename, silent, type_name

from .toys import Cloth, Fold, Shelf, catalog, cut, dye, pack, sew, switch, wait, write


def test_the_function_is_returned_unchanged() -> None:
    assert sew(
        Cloth("red"), __import__("tests.engine.toys", fromlist=["x"]).Thread(1.0), stitches=2
    ) == Cloth("red-1-2")
    assert switch(True, lambda: "this", lambda: 1 / 0) == "this"


def test_inputs_follow_from_the_parameters() -> None:
    declared = node_type(sew)
    assert list(declared.inputs) == ["cloth", "thread", "stitches"]
    assert declared.inputs["cloth"].required
    assert declared.inputs["stitches"].default == 1
    assert declared.progress == "progress"
    assert declared.lane == "device"


def test_services_and_delivery_are_no_inputs() -> None:
    assert list(node_type(write).inputs) == ["text", "name"]
    assert node_type(write).delivery == "delivery"
    assert "gate" not in node_type(wait).inputs
    assert node_type(write).delivers
    assert not node_type(cut).delivers


def test_schema_has_the_docstring_ranges_and_links() -> None:
    schema = node_type(dye).schema()
    assert schema["summary"] == "Make a coloured cloth."
    colour = schema["inputs"]["properties"]["colour"]
    assert colour["description"] == "What to dye it with."
    assert colour["enum"] == ["red", "blue"]
    sewing = node_type(sew).schema()["inputs"]["properties"]
    assert sewing["cloth"]["link"] == "Cloth"
    assert sewing["stitches"]["maximum"] == 10


def test_schema_names_outputs_lazies_and_type_variables() -> None:
    assert node_type(cut).schema()["outputs"] == {"left": "Cloth", "right": "Cloth"}
    schema = node_type(switch).schema()
    assert schema["lazy"] == ["on_true", "on_false"]
    assert schema["inputs"]["properties"]["on_true"]["link"] == "T"


def test_a_generic_value_can_only_be_linked() -> None:
    @node("Show", category="cloth")
    def show(cloths: Grid[Cloth]) -> str:
        """Show cloths."""
        return str(cloths.shape)

    item = node_type(show).inputs["cloths"]

    assert node_type(show).schema()["inputs"]["properties"]["cloths"]["link"] == "Grid[Cloth]"
    assert literals.expected(item) == "link it to Grid[Cloth]"
    assert show(item.adapter.validate_python(Grid.of(Cloth("red")))) == "()"
    with pytest.raises(ValidationError):
        literals.validated(item, {"axes": [], "cells": []})


def test_a_choice_of_models_is_one_of() -> None:
    how = node_type(pack).schema()["inputs"]["properties"]["how"]
    assert how["discriminator"]["propertyName"] == "kind"
    assert how["default"] == Fold().model_dump()


def test_every_toy_has_a_schema() -> None:
    for declared in catalog.values():
        assert declared.schema()["summary"]


def test_types_read_as_people_write_them() -> None:
    assert type_name(Annotated[int, Field(ge=1)]) == "int"
    assert type_name(list[Cloth]) == "list[Cloth]"
    assert type_name(int | None) == "int | nothing"
    assert type_name(Any) == "anything"
    assert type_name(catalog["Dye"].inputs["colour"].hint) == "'red' | 'blue'"


def test_rename_is_a_migration() -> None:
    assert rename(old="new")({"old": 1, "kept": 2}) == {"new": 1, "kept": 2}


def test_silent_progress_does_nothing() -> None:
    assert silent(1, 2) is None  # type: ignore[func-returns-value]


def no_return(a: int):  # type: ignore[no-untyped-def]
    """Say."""


def no_docstring(a: int) -> int:
    return a


def no_annotation(a) -> int:  # type: ignore[no-untyped-def]
    """Say."""
    return int(a)


def starred(*a: int) -> int:
    """Say."""
    return sum(a)


class Odd:
    """A class that is neither JSON nor opaque."""


def odd(a: Odd) -> int:
    """Say."""
    return 1


@pytest.mark.parametrize(
    ("function", "fault"),
    [
        (no_return, "annotate the return type"),
        (no_docstring, "give a docstring"),
        (no_annotation, "annotate the parameter 'a'"),
        (starred, "must be a named parameter"),
        (odd, "neither JSON nor Opaque"),
    ],
)
def test_a_wrong_declaration_says_what_is_wrong(function: Any, fault: str) -> None:
    with pytest.raises(DeclarationError, match=fault):
        node("Wrong", category="test")(function)


def test_a_plain_function_is_no_node() -> None:
    with pytest.raises(DeclarationError, match="is not a node"):
        node_type(no_docstring)


def test_named_outputs_keep_their_order() -> None:
    class Two(NamedTuple):
        second: int
        first: str

    def both(progress: Progress = silent, shelf: Shelf = Shelf()) -> Two:
        """Give both."""
        return Two(1, "")

    both.__annotations__["return"] = Two
    declared = node_type(node("Both", category="test")(both))
    assert list(declared.outputs) == ["second", "first"]
    assert declared.services == {"shelf": Shelf}
