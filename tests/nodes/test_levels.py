from typing import Any

import pytest
import torch

from nodes.latents import empty_latent
from nodes.levels import Denoised, choose_sampler, sample_sigmas
from nodes.sampling import ksampler
from nodes.sampling_details import schedule_sigmas
from nodes.states import Sigmas
from nodes.values import Latents
from nodes.widgets import ProfileName
from tests.nodes import small
from tests.nodes.small import MODEL, SmallPool, prompt, relative_rms

EMPTY = empty_latent(width=64, height=64)


def through(sigmas: Sigmas, latents: Latents = EMPTY, **settings: Any) -> Denoised:
    given: dict[str, Any] = {"seed": 4, "pool": SmallPool()} | settings
    return sample_sigmas(MODEL, prompt(1), prompt(2), latents, sigmas, **given)


@pytest.mark.parametrize("profile", ["diffusers", "comfyui"])
def test_the_levels_of_a_schedule_are_that_schedules_run(profile: ProfileName) -> None:
    levels = schedule_sigmas(MODEL, steps=3, profile=profile)
    whole = ksampler(MODEL, prompt(1), prompt(2), EMPTY, seed=4, steps=3, profile=profile, pool=SmallPool())  # fmt: skip
    made = through(levels, profile=profile)
    assert relative_rms(made.latents.samples, whole.samples) < 5e-3  # the scale of the start alone


def test_at_no_noise_the_latents_are_the_last_estimate() -> None:
    made = through(schedule_sigmas(MODEL, steps=2), sampler=choose_sampler(sampler="euler"))
    assert relative_rms(made.latents.samples, made.denoised.samples) < 1e-6


def test_an_end_above_no_noise_leaves_some() -> None:
    made = through(Sigmas((14.0, 4.0, 1.0)))
    assert relative_rms(made.latents.samples, made.denoised.samples) > 0.01


def test_noisy_latents_get_no_noise_anew() -> None:
    noisy = Latents(3.0 * small.noise(5, (1, 4, 8, 8)))
    levels = Sigmas((3.0, 1.0, 0.0))
    one, other = (through(levels, noisy, seed=seed, add_noise=False) for seed in (1, 2))
    assert torch.equal(one.latents.samples, other.latents.samples)
    assert not torch.equal(one.latents.samples, through(levels, noisy).latents.samples)


def test_no_steps_leave_the_latents() -> None:
    start = Latents(small.noise(5, (1, 4, 8, 8)))
    made = through(Sigmas((3.0,)), start)
    assert torch.equal(made.latents.samples, start.samples)
    assert torch.equal(made.denoised.samples, start.samples)
