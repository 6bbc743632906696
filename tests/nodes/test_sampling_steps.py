"""Runs in several nodes: steps in any partition, other models and other schedules on the way."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast, get_args

import pytest
import torch
from torch import Tensor

from engine.errors import InputError
from engine.node import node_type
from nodes import fitting
from nodes.diffusion import families, halts, roles, runs
from nodes.diffusion.schedules import SPACINGS
from nodes.sampling import (
    finish_sampling,
    ksampler,
    reschedule_sampling,
    sample_steps,
    start_sampling,
)
from nodes.states import SamplerState
from nodes.values import Latents, Model, Weights
from nodes.widgets import ProfileName, SamplerName, ScheduleName
from tests.nodes import small
from tests.nodes.small import CODECS, MODEL, SmallPool, in_turn, prompt

SAMPLERS = get_args(SamplerName)
PROFILES = get_args(ProfileName)
STEPS = 4
SHAPE = (2, 4, 3, 5)
START = Latents(small.noise(1, SHAPE))
SOFT = torch.rand((1, 1, 3, 5), generator=torch.Generator().manual_seed(3))
CAT, NOTHING = prompt(1), prompt(2)
ALL = 1000


def started(latents: Latents = START, **settings: Any) -> SamplerState:
    return start_sampling(MODEL, latents, **({"steps": STEPS, "seed": 9} | settings))


def stepped(state: SamplerState, count: int = ALL, **settings: Any) -> SamplerState:
    chosen: dict[str, Any] = {"model": MODEL, "pool": SmallPool()} | settings
    prompts = chosen.pop("positive", CAT), NOTHING
    return sample_steps(chosen.pop("model"), *prompts, state, count=count, **chosen).state


def whole(latents: Latents = START, **settings: Any) -> Tensor:
    given: dict[str, Any] = {"steps": STEPS, "seed": 9, "pool": SmallPool()} | settings
    return ksampler(MODEL, CAT, NOTHING, latents, **given).samples


def parts(state: SamplerState, counts: Sequence[int]) -> Tensor:
    for count in counts:
        state = stepped(state, count)
    return finish_sampling(state).samples


@pytest.mark.parametrize(
    ("sampler", "profile", "mask"),
    [
        *((sampler, profile, None) for sampler in SAMPLERS for profile in PROFILES),
        *((sampler, profile, SOFT) for sampler in ("dpm_2", "unipc") for profile in PROFILES),
    ],
)
def test_steps_in_any_partition_are_those_of_ksampler(
    sampler: SamplerName, profile: ProfileName, mask: Tensor | None
) -> None:
    settings: dict[str, Any] = {"sampler": sampler, "profile": profile}
    latents = replace(START, mask=mask)
    expected = whole(latents, **settings)
    for counts in ([1] * STEPS, [2, ALL]):
        assert torch.equal(parts(started(latents, **settings), counts), expected), counts


@pytest.mark.parametrize(
    "settings",
    [
        {"steps": 1},
        {"denoise": 0.0},
        {"start_step": STEPS},
        {"denoise": 0.5, "start_step": 2},
        {"schedule": "leading", "draws_before": 1},
    ],
)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_steps_are_those_of_ksampler_at_the_edges(
    sampler: SamplerName, settings: dict[str, Any]
) -> None:
    given = settings | {"sampler": sampler}
    assert torch.equal(parts(started(**given), [1] * STEPS), whole(**given))


def test_done_ends_with_the_last_step() -> None:
    state, told = started(), []
    for _ in range(STEPS + 1):
        state, done, step = sample_steps(MODEL, CAT, NOTHING, state, count=1, pool=SmallPool())
        told.append((step, done))
    assert told == [(1, False), (2, False), (3, False), (4, True), (4, True)]


def test_a_finished_state_stays_as_it_is_and_asks_for_no_model() -> None:
    ended, pool = stepped(started()), SmallPool()
    assert stepped(ended, pool=pool) is ended
    assert not pool.lent


def test_progress_counts_the_steps_of_the_node() -> None:
    told: list[tuple[int, int]] = []
    stepped(
        stepped(started(), 1), 2, progress=lambda done, total, preview: told.append((done, total))
    )
    assert told == [(1, 2), (2, 2)]


@pytest.mark.parametrize("mask", [None, SOFT], ids=["whole", "masked"])
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_state_stored_and_read_back_goes_on_bit_equal(
    sampler: SamplerName, mask: Tensor | None
) -> None:
    latents = replace(START, mask=mask)
    expected, state = whole(latents, sampler=sampler), started(latents, sampler=sampler)
    while not state.done:
        state = CODECS.decode(*CODECS.encode(state))
        state = stepped(state, 1)
    assert torch.equal(parts(CODECS.decode(*CODECS.encode(state)), []), expected)


def test_a_state_can_be_trained_on_and_stays_as_it_was() -> None:
    state = stepped(started(sampler="dpmpp_2m_sde"), 2)
    assert state.denoised is not None
    tensors = [state.x, state.noise, state.denoised, *state.generators]
    before = [tensor.clone() for tensor in tensors]
    assert not any(tensor.is_inference() for tensor in tensors)
    stepped(state)
    assert all(map(torch.equal, tensors, before))


def test_an_unfinished_run_has_no_result() -> None:
    with pytest.raises(InputError, match="1 of 4 steps are taken: take the rest") as caught:
        finish_sampling(stepped(started(), 1))
    assert caught.value.input == "state"


def test_the_mask_travels_to_the_end() -> None:
    assert finish_sampling(stepped(started(replace(START, mask=SOFT)))).mask is SOFT


REFINER = Model(Weights("checkpoints", "refiner", "1"), prediction_type="v_prediction")


def refiner(channels: int = 4) -> Any:
    """Another UNet, which reads other latents if told so."""
    return small._frozen(
        type(small.unet()),
        5,
        in_channels=channels,
        out_channels=channels,
        sample_size=64,
        **small._levels(),
    )


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_another_model_goes_on_as_in_one_loop(sampler: SamplerName, profile: ProfileName) -> None:
    state = started(sampler=sampler, profile=profile)
    base, other = SmallPool(), SmallPool(unet=refiner())
    found = stepped(stepped(state, 2, pool=base), model=REFINER, pool=other)

    cpu = torch.device("cpu")
    with torch.inference_mode():
        run, point = runs.Run.of(state, cpu), halts.point(state, cpu)
        denoisers = [
            run.denoiser(
                pool.modules["unet"],
                roles.Prompts.of(CAT, NOTHING, 7.5, model),
                lambda _: None,
                origin="state",
            )
            for pool, model in ((base, MODEL), (other, REFINER))
        ]
        for step in range(STEPS):
            point = run.advance(point, denoisers[step >= 2])
        expected = run.result(point)
    assert torch.equal(finish_sampling(found).samples, expected)
    assert not torch.equal(expected, whole(sampler=sampler, profile=profile))


def test_a_model_of_other_latents_is_an_error_on_the_state() -> None:
    with pytest.raises(InputError, match="latents have 4 channels, the model takes 16") as caught:
        stepped(stepped(started(), 2), model=REFINER, pool=SmallPool(unet=refiner(16)))
    assert caught.value.input == "state"


def test_a_model_of_a_family_with_other_latents_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(families.SD1, title="Another 1.0", scaling_factor=0.13)
    monkeypatch.setattr(fitting, "FAMILIES", {"sd1": families.SD1, "another": other})
    with pytest.raises(InputError, match=r"latents of SD 1\.x, which a model of Another") as caught:
        stepped(started(), model=replace(MODEL, family=cast("Any", "another")))
    assert caught.value.input == "model"


def test_another_prompt_and_guidance_go_on_from_a_state() -> None:
    halfway = stepped(started(), 2)
    assert not torch.equal(stepped(halfway, positive=prompt(3)).x, stepped(halfway).x)
    assert not torch.equal(stepped(halfway, guidance_scale=2.0).x, stepped(halfway).x)


LAID_APART: tuple[SamplerName, ...] = ("euler", "dpmpp_2m", "dpm_2", "unipc", "ddim", "lcm")
"""One of every group of samplers that lay a schedule their own way."""
CHOICES = [
    (sampler, schedule, profile)
    for sampler in LAID_APART
    for schedule in get_args(ScheduleName)
    for profile in PROFILES
    # Several of these schedules meet at one of lcm's 50 levels.
    if (sampler, profile) != ("lcm", "diffusers") or schedule not in SPACINGS
]


@pytest.mark.parametrize(("sampler", "schedule", "profile"), CHOICES)
def test_the_rest_laid_anew_in_as_many_steps_is_that_rest(
    sampler: SamplerName, schedule: ScheduleName, profile: ProfileName
) -> None:
    # Turbo has ten levels, of which some samplers leave one out.
    steps = (9, 5) if schedule == "turbo" else (20, 7)
    for settings in (
        {"steps": steps[0]},
        {"steps": steps[1], "denoise": 0.6},
        {"steps": 9, "start_step": 3},
    ):
        state = started(sampler=sampler, schedule=schedule, profile=profile, **settings)
        for step in range(state.steps):
            here = replace(state, step=step)
            again = reschedule_sampling(here, steps=state.steps - step, schedule=schedule)
            assert (again.sigmas, again.timesteps) == (state.sigmas, state.timesteps)


@pytest.mark.parametrize(("sampler", "schedule"), in_turn(2))
def test_a_run_is_extended_without_its_first_steps(
    sampler: SamplerName, schedule: ScheduleName
) -> None:
    state = stepped(started(sampler=sampler, schedule=schedule), 2)
    longer = reschedule_sampling(state, steps=5, schedule=schedule)
    assert (longer.step, longer.steps) == (2, 7)
    assert longer.sigmas[:3] == state.sigmas[:3]
    assert longer.timesteps[:3] == state.timesteps[:3]
    assert longer.sigmas[-1] == state.sigmas[-1]
    assert list(longer.sigmas) == sorted(longer.sigmas, reverse=True)
    pool = SmallPool()
    made = finish_sampling(stepped(longer, pool=pool)).samples
    assert made.isfinite().all()
    assert 0.05 < float(made.std()) < 50


@pytest.mark.parametrize("steps", [1, 2, 100])
def test_a_run_is_cut_short_or_drawn_out(steps: int) -> None:
    longer = reschedule_sampling(stepped(started(steps=20), 10), steps=steps)
    assert longer.steps == 10 + steps
    assert len(set(longer.sigmas)) == len(longer.sigmas)
    spans = [a / b for a, b in zip(longer.sigmas[10:-2], longer.sigmas[11:-1], strict=True)]
    assert all(span > 1 for span in spans)


def test_no_levels_are_an_error() -> None:
    with pytest.raises(InputError, match="all 4 steps of the state are taken") as caught:
        reschedule_sampling(stepped(started()), steps=3)
    assert caught.value.input == "state"
    late = stepped(started(schedule="leading"), 3)
    with pytest.raises(InputError, match="no 600 steps of this schedule below a noise") as caught:
        reschedule_sampling(late, steps=600, schedule="leading")
    assert caught.value.input == "steps"


def test_lcm_has_no_more_steps_than_it_was_taught() -> None:
    state = stepped(started(sampler="lcm", schedule="leading"), 1)
    with pytest.raises(InputError, match="no 50 steps of this schedule"):
        reschedule_sampling(state, steps=50, schedule="leading")


def test_declarations() -> None:
    assert node_type(sample_steps).lane == "device"
    assert node_type(start_sampling).lane == "cpu"
    assert list(node_type(sample_steps).outputs) == ["state", "done", "step"]
    names = {node_type(each).name for each in (start_sampling, finish_sampling)}
    assert names == {"StartSampling", "FinishSampling"}
