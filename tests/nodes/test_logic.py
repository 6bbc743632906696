import pytest

from nodes import logic


def never() -> str:
    raise AssertionError("computed, though not asked for")


def test_only_the_chosen_value_is_computed() -> None:
    assert logic.switch(True, lambda: "yes", never) == "yes"
    assert logic.switch(False, never, lambda: "no") == "no"


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("==", (False, True, False)),
        ("!=", (True, False, True)),
        ("<", (True, False, False)),
        ("<=", (True, True, False)),
        (">", (False, False, True)),
        (">=", (False, True, True)),
    ],
)
def test_numbers_are_compared(operator: logic.Comparison, expected: tuple[bool, ...]) -> None:
    assert tuple(logic.compare(a, 2, operator=operator) for a in (1, 2, 3)) == expected


@pytest.mark.parametrize("a", [False, True])
@pytest.mark.parametrize("b", [False, True])
def test_truth_tables(a: bool, b: bool) -> None:
    assert logic.and_(a, b) is (a and b)
    assert logic.or_(a, b) is (a or b)
    assert logic.not_(a) is (not a)


def test_texts_are_joined_without_the_empty_ones() -> None:
    assert logic.join_text(["a cat", "", "at night"]) == "a cat, at night"
    assert logic.join_text(["a", "b"], separator="") == "ab"
    assert logic.join_text([""]) == ""
