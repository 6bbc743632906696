from collections.abc import Callable

import pytest

from engine.errors import InputError
from engine.node import node_type
from nodes import math as numbers


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (numbers.add, 8),
        (numbers.subtract, 4),
        (numbers.multiply, 12),
        (numbers.divide, 3),
        (numbers.minimum, 2),
        (numbers.maximum, 6),
    ],
)
def test_two_numbers(operation: Callable[[float, float], float], expected: float) -> None:
    assert operation(6, 2) == expected


def test_division_by_zero_is_told() -> None:
    with pytest.raises(InputError, match=r"3.0 cannot be divided by 0: give another b") as caught:
        numbers.divide(3.0, 0.0)
    assert caught.value.code == "division_by_zero"
    assert caught.value.input == "b"


@pytest.mark.parametrize("operation", [numbers.add, numbers.multiply])
def test_a_result_too_large_for_a_number_is_told(
    operation: Callable[[float, float], float],
) -> None:
    with pytest.raises(InputError, match="the result is inf"):
        operation(1.7e308, 1.7e308)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("nearest", [3, 2, -2, -3]), ("down", [2, 2, -3, -3]), ("up", [3, 3, -2, -2])],
)
def test_numbers_are_rounded(mode: numbers.Rounding, expected: list[int]) -> None:
    rounded = [numbers.round_(value, mode=mode) for value in (2.5, 2.2, -2.5, -2.7)]

    assert rounded == expected
    assert {type(value) for value in rounded} == {int}


def test_numbers_are_rounded_to_a_multiple() -> None:
    assert numbers.round_(517.0, mode="down", multiple_of=8) == 512


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_not_rounded(value: float) -> None:
    with pytest.raises(InputError):
        numbers.round_(value)


def test_constants_pass_their_value_on() -> None:
    assert numbers.integer(value=2**63) == 2**63
    assert numbers.number(value=0.1) == 0.1
    assert numbers.text(value="a cat") == "a cat"
    assert numbers.boolean(value=True) is True


def test_a_random_seed_differs_and_is_never_remembered() -> None:
    seeds = {numbers.random_seed() for _ in range(20)}

    assert len(seeds) > 1
    assert all(0 <= seed < 2**53 for seed in seeds)
    assert node_type(numbers.random_seed).volatile
