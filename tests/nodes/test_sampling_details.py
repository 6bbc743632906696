"""Departures from a profile, levels of one's own, and what a model is said to predict."""

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.errors import InputError
from nodes.diffusion.training_noise import ALIGNED, ALIGNED_XL
from nodes.latents import empty_latent
from nodes.levels import sample_sigmas
from nodes.sampling import finish_sampling, ksampler, sample_steps, start_sampling
from nodes.sampling_details import (
    aligned_sigmas,
    exponential_sigmas,
    karras_sigmas,
    model_sampling,
    sampler_noise,
    sampling_rules,
    schedule_sigmas,
    solver_order,
    split_sigmas,
)
from nodes.states import Sigmas
from nodes.values import Latents
from tests.nodes import small
from tests.nodes.small import MODEL, SmallPool, prompt, relative_rms

PROMPTS = prompt(1), prompt(2)
EMPTY = empty_latent(width=56, height=40)


def sampled(details: Any = None, latents: Latents = EMPTY, **settings: Any) -> Tensor:
    given: dict[str, Any] = {"steps": 3, "seed": 3, "pool": SmallPool()} | settings
    return ksampler(MODEL, *PROMPTS, latents, details, **given).samples


def through(sigmas: Sigmas, **settings: Any) -> Tensor:
    state = start_sampling(MODEL, EMPTY, None, sigmas, seed=3, **settings)
    return finish_sampling(sample_steps(MODEL, *PROMPTS, state, pool=SmallPool()).state).samples


def levelled(sigmas: Sigmas, latents: Latents = EMPTY, **settings: Any) -> Latents:
    return sample_sigmas(MODEL, *PROMPTS, latents, sigmas, pool=SmallPool(), **settings).latents


def test_no_departure_is_the_profile() -> None:
    assert torch.equal(sampled(sampling_rules()), sampled())
    assert torch.equal(
        sampled(sampler_noise(eta=0.0), sampler="ddim"), sampled(None, sampler="ddim")
    )


@pytest.mark.parametrize(
    "rule",
    [
        {"start_scale": "variance"},
        {"clock": "rounded"},
        {"last_level": "lowest"},
        {"noise": "comfyui"},
        {"denoise_rule": "shorter"},
    ],
)
def test_every_rule_changes_a_run(rule: dict[str, Any]) -> None:
    start = Latents(small.noise(4, (2, 4, 5, 7)))
    settings: dict[str, Any] = {"denoise": 0.7, "sampler": "euler_ancestral"}
    changed = sampled(sampling_rules(**rule), start, **settings)
    assert not torch.equal(changed, sampled(None, start, **settings))


def test_mask_rules_differ_and_keep_what_is_kept() -> None:
    mask = torch.zeros(1, 1, 5, 7)
    mask[..., :3] = torch.tensor([1.0, 1.0, 0.5])
    start = Latents(small.noise(4, (1, 4, 5, 7)), mask)
    made = [
        sampled(sampling_rules(mask_rule=rule), start, denoise=0.8)
        for rule in ("behind", "ahead", "around")
    ]
    for each in made:
        assert torch.allclose(each[..., 3:], start.samples[..., 3:], atol=1e-5)
    assert not torch.equal(made[0], made[1])
    assert not torch.equal(made[1], made[2])


def test_shorter_takes_fewer_steps_as_a_strength_does() -> None:
    start = Latents(small.noise(4, (1, 4, 5, 7)))
    details = sampling_rules(denoise_rule="shorter")
    short = sampled(details, start, steps=5, denoise=0.5)
    assert torch.equal(short, sampled(None, start, steps=5, start_step=3))


def test_departures_add_up() -> None:
    details = solver_order(sampler_noise(sampling_rules(clock="rounded"), eta=0.4), order=3)
    assert (details.clock, details.eta, details.order) == ("rounded", 0.4, 3)


def test_a_brownian_motion_can_be_chosen() -> None:
    drawn = sampled(None, sampler="dpmpp_2m_sde")
    moved = sampled(sampler_noise(source="brownian"), sampler="dpmpp_2m_sde")
    assert not torch.equal(drawn, moved)


def test_levels_laid_before_are_those_of_the_schedule() -> None:
    levels = schedule_sigmas(MODEL, steps=3, schedule="karras")
    assert torch.equal(
        through(levels, sampler="dpm_2", schedule="karras"), through(levels, sampler="dpm_2")
    )
    assert torch.equal(through(levels), sampled(schedule="karras"))
    assert karras_sigmas(steps=3).levels == pytest.approx(levels.levels, rel=1e-5)
    exponential = schedule_sigmas(MODEL, steps=3, schedule="exponential")
    assert exponential_sigmas(steps=3).levels == pytest.approx(exponential.levels, rel=1e-5)


def test_levels_that_do_not_descend_are_refused() -> None:
    with pytest.raises(InputError, match="from 1 down to 2"):
        karras_sigmas(highest=1, lowest=2)


def test_a_model_is_what_it_is_said_to_be() -> None:
    said = model_sampling(MODEL, prediction_type="v_prediction", zero_snr=True)
    assert said == replace(MODEL, prediction_type="v_prediction", zero_snr=True)
    state = start_sampling(said, EMPTY, steps=4, schedule="trailing")
    assert state.sigmas[0] == pytest.approx(4096, rel=1e-3)
    ended = sample_steps(said, *PROMPTS, state, pool=SmallPool()).state
    assert bool(finish_sampling(ended).samples.isfinite().all())
    with pytest.raises(InputError, match="predicts epsilon says nothing"):
        model_sampling(MODEL, zero_snr=True)


def test_weights_that_are_no_numbers_are_named() -> None:
    broken = copy.deepcopy(small.unet())
    with torch.no_grad():
        broken.conv_out.bias[0] = float("nan")

    with pytest.raises(InputError, match=r"after step 1 .* \(conv_out.bias\): the file is damaged"):
        sampled(None, steps=4, pool=SmallPool(unet=broken))


def test_a_distilled_model_is_asked_at_the_timesteps_of_its_distillation() -> None:
    said = model_sampling(MODEL, distilled=True)
    assert said == replace(MODEL, distilled=True)
    state = start_sampling(said, EMPTY, steps=4, schedule="karras")
    assert {timestep % 20 for timestep in state.timesteps} == {19}
    assert schedule_sigmas(said, steps=4).levels == state.sigmas
    ended = sample_steps(said, *PROMPTS, state, pool=SmallPool()).state
    again = sample_steps(MODEL, *PROMPTS, state, pool=SmallPool()).state
    assert 0 < relative_rms(ended.x, again.x) < 1e-4


def test_latents_that_are_no_numbers_name_their_step() -> None:
    class Overflowing:
        calls = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(small.unet(), name)

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            factor = float("inf") if self.calls == 2 else 1.0
            return (small.unet()(*args, **kwargs)[0] * factor,)

    with pytest.raises(InputError, match=r"after step 2 .* predict epsilon") as caught:
        sampled(None, steps=4, pool=SmallPool(unet=Overflowing()))
    assert caught.value.input == "model"


def test_levels_are_aligned_as_found_for_the_family() -> None:
    assert aligned_sigmas().levels == pytest.approx((*ALIGNED[:-1], 0.0))
    assert aligned_sigmas(family="sdxl").levels == pytest.approx((*ALIGNED_XL[:-1], 0.0))
    assert aligned_sigmas(start_step=4).levels == aligned_sigmas().levels[4:]
    halves = aligned_sigmas(steps=20).levels
    assert halves[::2] == pytest.approx(aligned_sigmas().levels)
    assert halves[1] == pytest.approx((halves[0] * halves[2]) ** 0.5)
    with pytest.raises(InputError, match="start_step is 11 of 10 steps"):
        aligned_sigmas(start_step=11)


def test_levels_part_where_a_second_sampler_goes_on() -> None:
    levels = schedule_sigmas(MODEL, steps=4)
    high, low = split_sigmas(levels, step=3)
    assert (high.levels, low.levels) == (levels.levels[:4], levels.levels[3:])
    assert split_sigmas(levels).low == levels
    begun = levelled(high)
    again = levelled(low, latents=begun, add_noise=False)
    assert torch.allclose(again.samples, levelled(levels).samples, atol=1e-5)
    with pytest.raises(InputError, match="step is 5 of 4 steps"):
        split_sigmas(levels, step=5)


def test_details_hold_for_levels_of_ones_own() -> None:
    levels = schedule_sigmas(MODEL, steps=3)
    still = sampler_noise(eta=0.0)
    plain = levelled(levels, sampler="euler_ancestral").samples
    settled = levelled(levels, sampler="euler_ancestral", details=still).samples
    assert not torch.allclose(settled, plain)
    assert torch.allclose(settled, levelled(levels, sampler="euler").samples, atol=1e-5)
