"""The noisy latents of a run: read, changed, put back; and blended latents as a loop over them."""

from dataclasses import replace
from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from engine.errors import InputError
from nodes.latents import empty_latent, mask_blend, set_latent_mask
from nodes.noisy_latents import noise_latents, read_noisy_latents, set_noisy_latents
from nodes.sampling import finish_sampling, ksampler, sample_steps, start_sampling
from nodes.states import SamplerState
from nodes.values import Latents, Mask
from nodes.widgets import SamplerName
from tests.nodes import small
from tests.nodes.small import MODEL, SmallPool, prompt

SAMPLERS = get_args(SamplerName)
SHAPE = (2, 4, 7, 5)
START = Latents(small.noise(1, SHAPE))
CAT, NOTHING = prompt(1), prompt(2)
SOFT = Mask(torch.rand((1, 1, 56, 40), generator=torch.Generator().manual_seed(3)))
HARD = Mask(SOFT.pixels.round())


def started(sampler: SamplerName = "euler", **settings: Any) -> SamplerState:
    return start_sampling(MODEL, START, **({"steps": 4, "seed": 9, "sampler": sampler} | settings))


def next_step(state: SamplerState) -> SamplerState:
    return sample_steps(MODEL, CAT, NOTHING, state, count=1, pool=SmallPool()).state


def blended(state: SamplerState, mask: Mask) -> Tensor:
    """The loop as a graph holds it."""
    done = state.done
    while not done:
        state, done, _ = sample_steps(MODEL, CAT, NOTHING, state, count=1, pool=SmallPool())
        kept = noise_latents(state, START, level="before")
        mixed = mask_blend(kept, read_noisy_latents(state), mask)
        state = set_noisy_latents(state, mixed)
    return mask_blend(START, finish_sampling(state), mask).samples


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"steps": 1},
        {"schedule": "leading", "start_step": 2},
        {"denoise": 0.5, "draws_before": 1},
        {"denoise": 0.0},
    ],
    ids=["whole", "one-step", "leading", "denoise", "nothing"],
)
@pytest.mark.parametrize("mask", [HARD, SOFT], ids=["hard", "soft"])
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_blended_latents_as_a_loop_are_those_of_the_masked_ksampler(
    sampler: SamplerName, mask: Mask, settings: dict[str, Any]
) -> None:
    chosen: dict[str, Any] = {"steps": 4, "seed": 9, "sampler": sampler} | settings
    masked = set_latent_mask(START, mask)
    expected = ksampler(MODEL, CAT, NOTHING, masked, pool=SmallPool(), **chosen).samples
    assert torch.equal(blended(started(**chosen), mask), expected)


def test_what_is_read_and_put_back_changes_nothing() -> None:
    state = next_step(started())
    again = set_noisy_latents(state, read_noisy_latents(state))
    assert torch.equal(next_step(again).x, next_step(state).x)


def test_the_run_s_mask_is_read_with_its_latents() -> None:
    masked = set_latent_mask(START, HARD)
    assert read_noisy_latents(start_sampling(MODEL, masked)).mask is masked.mask


def test_noise_of_the_level_reached_is_that_of_the_start() -> None:
    state = started()
    assert torch.equal(noise_latents(state, START).samples, state.x)
    state = next_step(state)
    noised = noise_latents(state, START).samples
    assert torch.equal(noised, START.samples + state.sigmas[1] * state.noise)


@pytest.mark.parametrize("sampler", ["euler", "ddim"])
def test_noise_of_the_level_before_has_the_scale_of_the_sampler(sampler: SamplerName) -> None:
    state = next_step(started(sampler))
    before, after = state.sigmas[:2]
    scale = ((1 + after**2) / (1 + before**2)) ** 0.5 if sampler == "ddim" else 1
    expected = (START.samples + before * state.noise) * scale
    assert torch.allclose(noise_latents(state, START, level="before").samples, expected)


def test_no_level_lies_before_the_first_step() -> None:
    with pytest.raises(InputError, match="no step yet") as caught:
        noise_latents(started(), START, level="before")
    assert (caught.value.input, caught.value.hint) == ("level", "reached")


@pytest.mark.parametrize("node", [noise_latents, set_noisy_latents])
def test_latents_of_another_size_are_an_error(node: Any) -> None:
    with pytest.raises(InputError, match="those of the run") as caught:
        node(started(), empty_latent(width=64, height=64))
    assert caught.value.input == "latents"


def test_a_state_keeps_its_place_under_other_latents() -> None:
    state = next_step(started())
    other = set_noisy_latents(state, replace(START, mask=torch.ones(1, 1, 7, 5)))
    assert torch.equal(other.x, START.samples)
    assert (other.step, other.sigmas, other.kept) == (1, state.sigmas, None)
