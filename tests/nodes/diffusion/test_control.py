from dataclasses import replace

import pytest
import torch

from engine.errors import InputError
from nodes.diffusion.control import ActiveControl, bind, residuals, same, window
from nodes.diffusion.schedules import NoiseSchedule, schedule
from nodes.values import Control
from tests.nodes import small
from tests.nodes.small import CONTROLNETS, relative_rms

TRAINED = NoiseSchedule.scaled_linear()
SHAPE = (2, 4, 8, 8)


def control(
    start: float = 0.0, end: float = 1.0, strength: float = 1.0, index: int = 0, batch: int = 1
) -> Control:
    return Control(
        CONTROLNETS[index], small.noise(index, (batch, 3, 64, 64)).sigmoid(), strength, start, end
    )


def bound(acting: Control, index: int, active: tuple[bool, ...] = (True,)) -> ActiveControl:
    return bind(acting, small.controlnet(index), SHAPE, active)


@pytest.mark.parametrize("steps", [1, 3, 10])
@pytest.mark.parametrize(
    ("start", "end"), [(0.0, 1.0), (0.0, 0.5), (0.3, 0.8), (0.5, 0.5), (0.9, 1.0)]
)
def test_diffusers_window_keeps_steps_that_lie_inside(start: float, end: float, steps: int) -> None:
    plan = schedule("karras", TRAINED, steps, sampler="euler", profile="diffusers")
    expected = tuple(not (i / steps < start or (i + 1) / steps > end) for i in range(steps))
    assert window(control(start, end), plan, TRAINED, "diffusers") == expected


def test_comfyui_window_goes_by_noise() -> None:
    plan = schedule("normal", TRAINED, 10, sampler="euler", profile="comfyui")
    assert window(control(0.0, 0.5), plan, TRAINED, "comfyui") == (True,) * 5 + (False,) * 5
    assert window(control(0.5, 1.0), plan, TRAINED, "comfyui") == (False,) * 5 + (True,) * 5
    assert window(control(), plan, TRAINED, "comfyui") == (True,) * 10
    assert window(control(0.0, 0.5), plan.last(5), TRAINED, "comfyui") == (False,) * 5


def test_no_strength_never_acts() -> None:
    plan = schedule("normal", TRAINED, 3, sampler="euler", profile="comfyui")
    assert window(control(strength=0), plan, TRAINED, "diffusers") == (False,) * 3


def test_residuals_add_up_over_those_that_act() -> None:
    x, t = small.noise(8, SHAPE), torch.tensor(300.0)
    texts = small.noise(9, (2, 77, small.WIDTH))
    first, second = (
        bound(control(strength=0.5), 0, (True, True)),
        bound(control(index=1), 1, (True, False)),
    )
    with torch.inference_mode():
        both = residuals([first, second], x, t, texts, 0)
        one = residuals([first, second], x, t, texts, 1)
        other = residuals([second], x, t, texts, 0)
        full = residuals([replace(first, control=control())], x, t, texts, 0)
        none = residuals([second], x, t, texts, 1)
    assert none is None
    assert both is not None
    assert one is not None
    assert other is not None
    assert full is not None
    assert relative_rms(both.mid, one.mid + other.mid) < 1e-6
    assert relative_rms(one.mid * 2, full.mid) < 1e-6
    for sum_, a, b in zip(both.down, one.down, other.down, strict=True):
        assert relative_rms(sum_, a + b) < 1e-6


def test_a_hint_serves_the_batch_and_both_roles() -> None:
    acting = bound(control(), 0)
    assert acting.hint.shape == (2, 3, 64, 64)
    assert acting.for_roles(2).hint.shape == (4, 3, 64, 64)
    assert acting.for_roles(1) is acting


def test_a_hint_of_another_size_is_an_error() -> None:
    with pytest.raises(
        InputError, match="'small-0' is 64x64, the picture becomes 80x64: put ResizeImage before"
    ):
        bind(control(), small.controlnet(0), (1, 4, 8, 10), (True,))


def test_hints_of_another_number_are_an_error() -> None:
    with pytest.raises(InputError, match="has 3 images for 2 latents: give 1 or 2"):
        bound(control(batch=3), 0)


def test_equal_controls_are_the_same_also_after_they_were_stored() -> None:
    one = control(0.1)
    copy = replace(one, hint=one.hint.clone())
    assert same([one], [one])
    assert same([one], [copy])
    assert same([], [])
    assert not same([one], [])
    assert not same([one], [control(0.2)])
    assert not same([one], [replace(one, hint=one.hint + 1)])
