import pytest

from engine.errors import InputError
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


def test_a_value_passes() -> None:
    value = object()

    assert logic.pass_on(value) is value


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("a {colour} house, {hour}:00", "a red house, 7:00"),
        ("{scale} {half} {is_day}", "20 7.5 true"),
        ("{{colour}} {colour}}}", "{colour} red}"),
        (
            "{a|b} {colour.upper} {0.x} {} {colour!r} {",
            "{a|b} {colour.upper} {0.x} {} {colour!r} {",
        ),
        ("", ""),
    ],
)
def test_values_stand_in_place_of_their_names(template: str, text: str) -> None:
    values: dict[str, str | bool | int | float]
    values = {"colour": "red", "hour": 7, "scale": 20.0, "half": 7.5, "is_day": True}

    assert logic.format_text(template=template, values=values) == text


def test_a_value_is_not_looked_into_for_names() -> None:
    assert logic.format_text(template="{a}", values={"a": "{b}", "b": "x"}) == "{b}"


def test_a_name_without_a_value_is_told() -> None:
    with pytest.raises(InputError, match=r"names \{color\}.*there is colour, hour") as caught:
        logic.format_text(template="{color}", values={"colour": "red", "hour": 7})
    assert caught.value.hint == "colour"
    with pytest.raises(InputError, match="there is none"):
        logic.format_text(template="{x}", values={})
