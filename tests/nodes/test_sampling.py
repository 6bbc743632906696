import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.errors import Cancelled, InputError
from engine.node import node_type
from nodes.control import control_net_apply
from nodes.latents import empty_latent
from nodes.sampling import check_steps, ksampler
from nodes.values import Image, Latents
from nodes.widgets import ProfileName, SamplerName, ScheduleName
from tests.nodes import small
from tests.nodes.small import CONTROLNETS, MODEL, V_MODEL, SmallPool, in_turn, prompt, relative_rms

SAMPLERS = get_args(SamplerName)
PROFILES = get_args(ProfileName)
SHAPE = (1, 4, 8, 8)
START = Latents(small.noise(1, SHAPE))
HALF = torch.cat([torch.ones(1, 1, 8, 4), torch.zeros(1, 1, 8, 4)], dim=-1)


def sampled(latents: Latents = START, **settings: Any) -> Tensor:
    given: dict[str, Any] = {"steps": 3, "pool": SmallPool()} | settings
    return ksampler(given.pop("model", MODEL), prompt(1), prompt(2), latents, **given).samples


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("sampler", "schedule"), in_turn(3))
def test_every_choice_makes_a_picture(
    sampler: SamplerName, schedule: ScheduleName, profile: ProfileName
) -> None:
    made = sampled(
        empty_latent(width=64, height=64),
        steps=2,
        sampler=sampler,
        schedule=schedule,
        profile=profile,
    )
    assert made.shape == SHAPE
    assert made.dtype == torch.float32
    assert made.isfinite().all()
    assert 0.05 < float(made.std()) < 50


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_same_inputs_give_the_same_latents(sampler: SamplerName) -> None:
    before = torch.random.get_rng_state()
    assert torch.equal(sampled(sampler=sampler, seed=4), sampled(sampler=sampler, seed=4))
    assert relative_rms(sampled(sampler=sampler, seed=5), sampled(sampler=sampler, seed=4)) > 0.1
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("sampler", ["euler", "dpmpp_2m_sde"])
def test_image_of_a_batch_is_that_of_its_own_seed(sampler: SamplerName) -> None:
    batch = sampled(empty_latent(width=64, height=64, batch_size=3), sampler=sampler, seed=4)
    for index in range(3):
        alone = sampled(empty_latent(width=64, height=64), sampler=sampler, seed=4 + index)
        assert relative_rms(batch[index : index + 1], alone) < 1e-5


@pytest.mark.parametrize(
    ("values", "fault"),
    [((20, 21, 1.0), "start_step is 21 of 20"), ((20, 0, 0.01), "take 10 steps")],
)
def test_steps_without_a_schedule_are_refused_before_a_run(
    values: tuple[int, int, float], fault: str
) -> None:
    with pytest.raises(InputError, match=fault):
        check_steps(*values)
    check_steps(20, 20, 0.5)


@pytest.mark.parametrize("settings", [{"denoise": 0.0}, {"start_step": 3}])
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_nothing_to_do_leaves_the_latents(sampler: SamplerName, settings: dict[str, Any]) -> None:
    pool = SmallPool()
    assert sampled(sampler=sampler, pool=pool, **settings) is START.samples
    assert not pool.lent


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_one_step(sampler: SamplerName) -> None:
    assert sampled(sampler=sampler, steps=1).isfinite().all()


def test_less_denoise_stays_closer_to_the_start() -> None:
    distance = [
        relative_rms(sampled(denoise=denoise), START.samples) for denoise in (0.1, 0.5, 1.0)
    ]
    assert distance == sorted(distance)


def test_progress_counts_steps_and_previews_on_demand() -> None:
    told: list[tuple[int, int]] = []
    previews: list[Callable[[], Any]] = []

    def progress(done: int, total: int, preview: Callable[[], Any] | None = None) -> None:
        told.append((done, total))
        assert preview is not None
        previews.append(preview)

    sampled(progress=progress, start_step=1)
    assert told == [(1, 2), (2, 2)]
    picture = previews[-1]()
    assert picture.shape == (8, 8, 3)
    assert picture.dtype == np.uint8


def test_cancelling_ends_the_run() -> None:
    def progress(done: int, total: int, preview: Callable[[], Any] | None = None) -> None:
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        sampled(progress=progress, steps=50)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_outside_the_mask_the_latents_stay(sampler: SamplerName, profile: ProfileName) -> None:
    made = sampled(replace(START, mask=HALF), sampler=sampler, profile=profile)
    kept, original = made[..., 4:], START.samples[..., 4:]
    if profile == "diffusers":
        assert torch.equal(kept, original)
    # ComfyUI keeps what is around each call, and its unipc ends at a noise of 0.001.
    assert float((kept - original).abs().max()) < (5e-3 if sampler.startswith("unipc") else 1e-5)
    assert relative_rms(made[..., :4], START.samples[..., :4]) > 0.1


@pytest.mark.parametrize("profile", PROFILES)
def test_a_mask_of_ones_repaints_everything(profile: ProfileName) -> None:
    everything = replace(START, mask=torch.ones(1, 1, 8, 8))
    assert relative_rms(sampled(everything, profile=profile), sampled(profile=profile)) < 1e-5


def test_the_mask_travels_on() -> None:
    made = ksampler(
        MODEL, prompt(1), prompt(2), replace(START, mask=HALF), steps=1, pool=SmallPool()
    )
    assert made.mask is HALF


def test_profiles_differ() -> None:
    assert relative_rms(sampled(profile="comfyui", sampler="lcm"), sampled(sampler="lcm")) > 1e-3


def test_prediction_type_is_that_of_the_model() -> None:
    assert relative_rms(sampled(model=V_MODEL), sampled()) > 0.1


def test_guidance_scale_of_one_does_not_read_the_negative_prompt() -> None:
    made = ksampler(
        MODEL, prompt(1), prompt(2, width=7), START, steps=2, guidance_scale=1.0, pool=SmallPool()
    ).samples
    assert torch.equal(made, sampled(steps=2, guidance_scale=1.0))


def test_result_can_be_trained_on() -> None:
    assert not sampled().is_inference()


def test_model_in_half_precision_integrates_in_full() -> None:
    half = copy.deepcopy(small.unet()).to(torch.bfloat16)
    made = sampled(pool=SmallPool(unet=half))
    assert made.dtype == torch.float32
    assert 1e-5 < relative_rms(made, sampled()) < 0.2


def test_controlnets_are_borrowed_only_if_they_act() -> None:
    hint = Image(small.noise(4, (1, 3, 64, 64)).sigmoid())
    prompts = control_net_apply(prompt(1), prompt(2), CONTROLNETS[0], hint)
    prompts = control_net_apply(*prompts, CONTROLNETS[1], hint, strength=0.0)
    pool = SmallPool()
    ksampler(MODEL, *prompts, START, steps=1, pool=pool)
    assert set(pool.lent) == {"unet", "small-0"}


@pytest.mark.parametrize(
    ("latents", "message"),
    [
        (replace(START, mask=torch.ones(1, 1, 4, 4)), "SetLatentMask"),
        (replace(START, mask=torch.ones(2, 1, 8, 8)), "SetLatentMask"),
        (Latents(torch.zeros(1, 16, 8, 8)), "latents have 16 channels, the model takes 4"),
    ],
)
def test_what_does_not_fit_is_an_error_on_the_latents(latents: Latents, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        sampled(latents)
    assert caught.value.input == "latents"


def test_declaration() -> None:
    declared = node_type(ksampler)
    assert (declared.name, declared.lane, list(declared.outputs)) == (
        "KSampler",
        "device",
        ["value"],
    )
    assert set(declared.services) == {"pool"}
    assert (declared.progress, declared.waypoints) == ("progress", "waypoints")
    assert [name for name, item in declared.inputs.items() if item.required] == [
        "model",
        "positive",
        "negative",
        "latents",
    ]
