import math
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.errors import InputError
from nodes.diffusion import guidance
from nodes.diffusion.guidance import fit
from nodes.diffusion.guides import Guide
from nodes.diffusion.regions import Part
from nodes.diffusion.schedules import Schedule
from nodes.values import Control
from tests.nodes import small
from tests.nodes.small import CONTROLNETS, relative_rms

PLAN = Schedule((3.0, 1.0, 0.0), (600.0, 250.0))
X = small.noise(1, (2, 4, 8, 8)) * 3


class Counted:
    """The small UNet, counting the batches it is asked for."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.config, self.parameters = small.unet().config, small.unet().parameters

    def __call__(self, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        self.batches.append(x.shape[0])
        return small.unet()(x, *args, **kwargs)


def guide(seed: int, tokens: int = 77, batch: int = 2, controls: tuple[Any, ...] = ()) -> Guide:
    return Guide(small.noise(seed, (1, tokens, small.WIDTH)).expand(batch, -1, -1), controls)


def eps(x: Tensor, prompt: Guide, step: int) -> Tensor:
    output: Tensor = small.unet()(
        x / math.sqrt(1 + PLAN.sigmas[step] ** 2),
        torch.tensor(PLAN.timesteps[step]),
        encoder_hidden_states=prompt.embeddings,
    ).sample
    return output


def guided(
    model: Any, positive: Guide, negative: Guide | None, scale: float, step: int = 1
) -> Tensor:
    given = {"positive": positive} | ({} if negative is None else {"negative": negative})
    roles = {role: (Part(each, (True,) * PLAN.steps),) for role, each in given.items()}
    with torch.inference_mode():
        denoise = guidance.guided(
            model, PLAN, roles, guidance_scale=scale, prediction_type="epsilon"
        )
        return denoise(X, step)


@pytest.mark.parametrize("step", [0, 1])
def test_both_prompts_are_asked_in_one_call(step: int) -> None:
    model, positive, negative = Counted(), guide(1), guide(2)
    found = guided(model, positive, negative, 7.5, step)
    away, toward = eps(X, negative, step), eps(X, positive, step)
    expected = X - PLAN.sigmas[step] * (away + 7.5 * (toward - away))
    assert relative_rms(found, expected) < 1e-5
    assert model.batches == [4]


def test_without_a_negative_prompt_the_positive_one_is_asked_alone() -> None:
    model, positive = Counted(), guide(1)
    assert relative_rms(guided(model, positive, None, 1.0), X - eps(X, positive, 1)) < 1e-5
    assert model.batches == [2]


@pytest.mark.parametrize(
    ("lengths", "calls"),
    [((154, 77), [4]), ((77, 231), [4]), ((154, 231), [4]), ((77, 80), [2, 2])],
)
def test_prompts_of_unequal_length_are_read_as_they_are(
    lengths: tuple[int, int], calls: list[int]
) -> None:
    model, positive, negative = Counted(), guide(1, lengths[0]), guide(2, lengths[1])
    away, toward = eps(X, negative, 1), eps(X, positive, 1)
    assert (
        relative_rms(guided(model, positive, negative, 3.0), X - (away + 3 * (toward - away)))
        < 1e-5
    )
    assert model.batches == calls


def test_a_control_of_one_prompt_leaves_the_other_alone() -> None:
    from nodes.diffusion.control import bind

    control = Control(CONTROLNETS[0], small.noise(4, (1, 3, 64, 64)).sigmoid(), 1.0, 0.0, 1.0)
    acting = bind(control, small.controlnet(0), X.shape, (True, True))
    model, positive, negative = Counted(), guide(1, controls=(acting,)), guide(2)
    found = guided(model, positive, negative, 2.0)
    assert model.batches == [2, 2]
    with torch.inference_mode():
        scaled, t = X / math.sqrt(2), torch.tensor(PLAN.timesteps[1])
        down, mid = small.controlnet(0)(
            scaled,
            t,
            encoder_hidden_states=positive.embeddings,
            controlnet_cond=acting.hint,
            return_dict=False,
        )
        toward = small.unet()(
            scaled,
            t,
            encoder_hidden_states=positive.embeddings,
            down_block_additional_residuals=down,
            mid_block_additional_residual=mid,
        ).sample
        away = eps(X, negative, 1)
    assert relative_rms(found, X - (away + 2 * (toward - away))) < 1e-5


def test_one_prompt_serves_all_latents() -> None:
    embeddings = small.noise(1, (1, 77, small.WIDTH))
    assert fit(embeddings, (3, 4, 8, 8), small.unet(), "positive").shape == (3, 77, small.WIDTH)
    assert fit(embeddings.repeat(3, 1, 1), (3, 4, 8, 8), small.unet(), "positive").shape[0] == 3


@pytest.mark.parametrize(
    ("embeddings", "latents", "message", "blamed"),
    [
        (
            (1, 77, 64),
            (1, 16, 8, 8),
            "latents have 16 channels, the model takes 4: use a VAE of the same",
            "latents",
        ),
        (
            (1, 77, 768),
            (1, 4, 8, 8),
            r"negative conditioning is 768 wide \(SD 1.x\), the model reads 64: use a text",
            "negative",
        ),
        (
            (2, 77, 64),
            (3, 4, 8, 8),
            "negative conditioning holds 2 prompts for 3 latents: give 1 or 3",
            "negative",
        ),
    ],
)
def test_what_does_not_fit_is_named(
    embeddings: tuple[int, ...], latents: tuple[int, ...], message: str, blamed: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        fit(torch.zeros(embeddings), latents, small.unet(), "negative")
    assert caught.value.input == blamed
