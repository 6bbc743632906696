"""Which links fit."""

from typing import Annotated, Any, Literal, TypeVar

import pytest
from pydantic import Field

from engine.types import Bindings, accepts, bound

from .toys import Cloth, Thread

T = TypeVar("T")
U = TypeVar("U")


@pytest.mark.parametrize(
    ("wanted", "given", "fits"),
    [
        (float, int, True),
        (int, float, False),
        (int, bool, False),
        (bool, bool, True),
        (bool, int, False),
        (Annotated[int, Field(ge=1)], int, True),
        (Cloth, Thread, False),
        (object, Cloth, True),
        (Any, Cloth, True),
        (Cloth, Any, True),
        (Cloth, T, True),
        (Cloth | None, Cloth, True),
        (Cloth, Cloth | None, False),
        (Cloth | Thread | None, Cloth | None, True),
        (Literal["a", "b"], str, True),
        (Literal["a", "b"], int, False),
        (Literal["a", "b"], Literal["a"], True),
        (Literal["a"], Literal["a", "b"], False),
        (str, Literal["a"], True),
        (list[Cloth], list[Cloth], True),
        (list[Cloth], list[Thread], False),
        (list[Cloth], Cloth, False),
        (dict[str, float], dict[str, int], True),
        ("not a type", Cloth, False),
    ],
)
def test_a_link_fits(wanted: Any, given: Any, *, fits: bool) -> None:
    assert accepts(wanted, given, {}) is fits


def test_a_type_variable_keeps_its_first_type() -> None:
    bindings: Bindings = {}
    assert accepts(T, Cloth, bindings)
    assert not accepts(T, Thread, bindings)
    assert accepts(list[U], list[Thread], bindings)  # type: ignore[valid-type]
    assert bound(dict[str, T], bindings) == dict[str, Cloth]  # type: ignore[valid-type]
    assert bound(U, bindings) is Thread
    assert bound(TypeVar("V"), bindings) is Any
