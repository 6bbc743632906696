import pytest

from engine.errors import InputError
from nodes.lists import integer_range, pick


@pytest.mark.parametrize(
    ("start", "stop", "step", "numbers"),
    [
        (0, 4, 1, [0, 1, 2, 3]),
        (5, 20, 5, [5, 10, 15]),
        (3, 0, -1, [3, 2, 1]),
        (4, 0, 1, []),
        (0, 100_000, 1, list(range(100_000))),
    ],
)
def test_a_range_stops_before_its_end(start: int, stop: int, step: int, numbers: list[int]) -> None:
    assert integer_range(start=start, stop=stop, step=step) == numbers


@pytest.mark.parametrize(
    ("stop", "step", "fault"),
    [
        (4, 0, "step is 0"),
        (100_001, 1, "has 100001 numbers, and 100000 are the most"),
        (-(10**30), -1, "larger step or a nearer stop"),
    ],
)
def test_a_range_without_a_sensible_end_is_refused(stop: int, step: int, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        integer_range(stop=stop, step=step)


def test_a_value_is_picked_by_its_place() -> None:
    assert [pick(["a", "b", "c"], index=index) for index in (0, 2, -1, -3)] == ["a", "c", "c", "a"]


@pytest.mark.parametrize(
    ("values", "index", "fault"),
    [
        (["a", "b"], 2, "no value 2 in a list of 2: the places are 0 to 1"),
        (["a", "b"], -3, "no value -3"),
        ([], 0, "the places are none"),
    ],
)
def test_a_place_outside_the_list_is_refused(values: list[str], index: int, fault: str) -> None:
    with pytest.raises(InputError, match=fault) as caught:
        pick(values, index=index)
    assert (caught.value.code, caught.value.input) == ("out_of_range", "index")
