import pytest

from engine.errors import InputError
from nodes.control import control_net_apply
from nodes.values import Image
from tests.nodes import small
from tests.nodes.small import CONTROLNETS, prompt

HINT = Image(small.noise(1, (1, 3, 64, 64)).sigmoid())


def test_both_prompts_come_under_the_same_control() -> None:
    positive, negative = prompt(1), prompt(2)
    made = control_net_apply(
        positive, negative, CONTROLNETS[0], HINT, strength=0.5, start=0.1, end=0.9
    )
    assert made.positive.controls == made.negative.controls
    (control,) = made.positive.controls
    assert control.controlnet == CONTROLNETS[0]
    assert control.hint is HINT.pixels
    assert (control.strength, control.start, control.end) == (0.5, 0.1, 0.9)
    assert made.positive.embeddings is positive.embeddings
    assert not positive.controls


def test_several_stand_in_the_order_applied() -> None:
    made = control_net_apply(prompt(1), prompt(2), CONTROLNETS[0], HINT)
    made = control_net_apply(*made, CONTROLNETS[1], HINT)
    assert [control.controlnet for control in made.negative.controls] == list(CONTROLNETS)


def test_a_window_that_ends_before_it_starts_is_an_error() -> None:
    with pytest.raises(
        InputError, match=r"start is 0.6 and end 0.5: give a start that is at most end"
    ):
        control_net_apply(prompt(1), prompt(2), CONTROLNETS[0], HINT, start=0.6, end=0.5)
