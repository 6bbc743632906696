from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any, get_args

import diffusers
import numpy as np
import pytest
from diffusers.schedulers.scheduling_utils import AysSchedules

from engine.errors import InputError
from nodes.diffusion.schedules import (
    DISCARDING,
    NoiseSchedule,
    Schedule,
    given,
    run,
    schedule,
    turbo,
)
from nodes.diffusion.training_noise import ALIGNED_XL
from nodes.states import SamplingDetails
from nodes.widgets import ProfileName, SamplerName, ScheduleName

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
TRAINED = NoiseSchedule.scaled_linear()
BETAS = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
}
COUNTS = (1, 2, 7, 10, 30)
ALIGNED: Any = AysSchedules


def made(
    name: ScheduleName,
    steps: int,
    sampler: SamplerName = "euler",
    profile: ProfileName = "diffusers",
) -> Schedule:
    return schedule(name, TRAINED, steps, sampler=sampler, profile=profile)


def reference(kind: str, steps: int, **config: Any) -> Any:
    scheduler = getattr(diffusers, kind)(**(BETAS | config))
    scheduler.set_timesteps(steps)
    return scheduler


def test_training_noise_is_that_of_diffusers() -> None:
    assert np.array_equal(
        TRAINED.alphas_cumprod, reference("DDIMScheduler", 1).alphas_cumprod.double().numpy()
    )
    assert TRAINED.sigmas[-1] == pytest.approx(14.6146, abs=1e-4)
    assert TRAINED.sigmas[0] == pytest.approx(0.0292, abs=1e-4)


LOW = {"ddim", "pndm", "tcd", "deis"}
"""In diffusers, these end at the noise of the first timestep."""


def end(sampler: SamplerName, profile: ProfileName) -> float:
    if profile == "comfyui":
        return 0.001 if sampler in {"unipc", "unipc_bh1"} else 0.0
    return float(TRAINED.sigmas[0]) if sampler in LOW else 0.0


@pytest.mark.parametrize("profile", get_args(ProfileName))
@pytest.mark.parametrize("name", get_args(ScheduleName))
@pytest.mark.parametrize("steps", [1, 2, 10])
def test_sigmas_descend_to_the_end_in_the_number_of_steps(
    name: ScheduleName, profile: ProfileName, steps: int
) -> None:
    for sampler in get_args(SamplerName):
        if name == "turbo" and profile == "comfyui" and steps == 10 and sampler in DISCARDING:
            continue  # ComfyUI gives these a level more, and there are ten
        found = made(name, steps, sampler, profile)
        assert len(found.sigmas) == steps + 1
        assert len(found.timesteps) == steps
        assert found.sigmas[0] > found.sigmas[-1] or steps == 1
        assert all(before >= after for before, after in pairwise(found.sigmas))
        assert found.sigmas[-1] == end(sampler, profile)
        assert all(0 <= t <= 999 for t in found.timesteps)


@pytest.mark.parametrize("name", [name for name in get_args(ScheduleName) if name != "turbo"])
def test_a_thousand_steps_stay_within_the_table(name: ScheduleName) -> None:
    for sampler in get_args(SamplerName):
        if sampler in {"lcm", "tcd"} and name in {"linspace", "leading", "trailing"}:
            with pytest.raises(InputError, match="at most 50"):
                made(name, 1000, sampler)
            continue
        found = made(name, 1000, sampler)
        assert 0 <= min(found.timesteps) <= max(found.timesteps) <= 999
        assert all(before > after for before, after in pairwise(found.sigmas)) or sampler in LOW


def test_turbo_begins_among_ten_levels() -> None:
    assert made("turbo", 4).timesteps == (999, 899, 799, 699)
    assert made("turbo", 1).sigmas == (float(TRAINED.sigmas[999]), 0)
    full = partial(made, "turbo")
    assert turbo(full, 2, denoise=0.5, start_step=0).timesteps == (499, 399)
    assert turbo(full, 2, denoise=0.5, start_step=1).timesteps == (399,)
    assert turbo(full, 2, denoise=0.0, start_step=0).steps == 0
    with pytest.raises(InputError, match="the turbo schedule has 10 levels, 11 steps"):
        made("turbo", 11)


def test_beta_is_spaced_as_each_reference_does() -> None:
    from scipy.stats import beta

    euler = reference("EulerDiscreteScheduler", 9, use_beta_sigmas=True)
    assert made("beta", 9).sigmas == pytest.approx(euler.sigmas.tolist(), rel=2e-6)
    shares = beta.ppf(1 - np.linspace(0, 1, 9, endpoint=False), 0.6, 0.6)
    found = made("beta", 9, profile="comfyui").timesteps
    assert found == tuple(np.rint(shares * 999))


def test_steps_are_aligned_as_published() -> None:
    found = made("align_your_steps", 10)
    assert found.sigmas == pytest.approx(ALIGNED["StableDiffusionSigmas"])
    xl = replace(TRAINED, aligned=ALIGNED_XL)
    found = schedule("align_your_steps", xl, 10, sampler="euler", profile="diffusers")
    assert found.sigmas == pytest.approx(ALIGNED["StableDiffusionXLSigmas"])
    halves = made("align_your_steps", 5).sigmas
    assert halves[:-1] == pytest.approx(ALIGNED["StableDiffusionSigmas"][:-1:2])


def test_noise_without_signal_is_that_of_diffusers() -> None:
    expected = reference("EulerDiscreteScheduler", 10, rescale_betas_zero_snr=True)
    assert TRAINED.ending_in_noise().alphas_cumprod == pytest.approx(
        expected.alphas_cumprod.double().numpy(), rel=2e-3, abs=1e-8
    )
    assert TRAINED.ending_in_noise().sigmas[-1] == pytest.approx(4096, rel=1e-3)


@pytest.mark.parametrize("sampler", ["dpm_2", "dpm_2_ancestral", "unipc", "unipc_bh1"])
def test_comfyui_leaves_out_the_last_level_but_one(sampler: SamplerName) -> None:
    found = made("karras", 6, sampler, "comfyui")
    longer = made("karras", 7, "euler", "comfyui")
    assert found.sigmas[:-1] == longer.sigmas[:-2]


def test_details_depart_from_the_profile() -> None:
    def sigmas(**details: Any) -> Schedule:
        return schedule(
            "karras",
            TRAINED,
            5,
            sampler="euler",
            profile="diffusers",
            details=SamplingDetails(**details),
        )

    assert sigmas(last_level="lowest").sigmas[-1] == TRAINED.sigmas[0]
    assert all(t == round(t) for t in sigmas(clock="rounded").timesteps)
    assert any(t != round(t) for t in sigmas().timesteps)


def test_levels_that_are_given_are_gone_through() -> None:
    found = given((10.0, 1.0, 0.5), TRAINED, sampler="euler", profile="comfyui")
    assert found.sigmas == (10.0, 1.0, 0.5)
    assert found.timesteps == tuple(TRAINED.timestep(np.array([10.0, 1.0]), "rounded"))


@pytest.mark.parametrize("steps", COUNTS[1:])
@pytest.mark.parametrize("spacing", ["linspace", "leading", "trailing"])
@pytest.mark.parametrize(
    ("sampler", "kind"),
    [
        ("euler", "EulerDiscreteScheduler"),
        ("euler_ancestral", "EulerAncestralDiscreteScheduler"),
        ("dpmpp_2m", "DPMSolverMultistepScheduler"),
        ("dpmpp_2m_sde", "DPMSolverMultistepScheduler"),
        ("unipc", "UniPCMultistepScheduler"),
    ],
)
def test_spacing_is_that_of_the_scheduler_class(
    spacing: ScheduleName, steps: int, sampler: SamplerName, kind: str
) -> None:
    expected = reference(kind, steps, timestep_spacing=spacing)
    found = made(spacing, steps, sampler)
    assert found.timesteps == pytest.approx(expected.timesteps.tolist(), abs=1e-3)
    assert found.sigmas == pytest.approx(expected.sigmas.tolist(), rel=2e-6)


@pytest.mark.parametrize("steps", COUNTS[1:])
@pytest.mark.parametrize("spacing", ["linspace", "leading", "trailing"])
def test_heun_visits_the_levels_of_its_scheduler(spacing: ScheduleName, steps: int) -> None:
    expected = reference("HeunDiscreteScheduler", steps, timestep_spacing=spacing)
    found = made(spacing, steps, "heun")
    assert found.sigmas == pytest.approx([*expected.sigmas.tolist()[:-1:2], 0.0], rel=2e-6)
    assert found.timesteps == pytest.approx([*expected.timesteps.tolist()[::2]], abs=1e-3)


@pytest.mark.parametrize("steps", COUNTS[1:])
@pytest.mark.parametrize("spacing", ["linspace", "leading", "trailing"])
def test_ddim_timesteps_are_those_of_its_scheduler(spacing: ScheduleName, steps: int) -> None:
    expected = reference("DDIMScheduler", steps, timestep_spacing=spacing)
    assert made(spacing, steps, "ddim").timesteps == tuple(expected.timesteps.tolist())


@pytest.mark.parametrize("steps", [1, 2, 4, 8, 50])
@pytest.mark.parametrize("spacing", ["linspace", "leading", "trailing"])
def test_lcm_timesteps_are_those_of_its_scheduler(spacing: ScheduleName, steps: int) -> None:
    expected = reference("LCMScheduler", steps)
    assert made(spacing, steps, "lcm").timesteps == tuple(expected.timesteps.tolist())


@pytest.mark.parametrize("steps", COUNTS)
@pytest.mark.parametrize(
    ("name", "flag"), [("karras", "use_karras_sigmas"), ("exponential", "use_exponential_sigmas")]
)
def test_karras_and_exponential_read_the_clock_as_the_scheduler_class(
    name: ScheduleName, flag: str, steps: int
) -> None:
    euler = reference("EulerDiscreteScheduler", steps, timestep_spacing="trailing", **{flag: True})
    found = made(name, steps)
    if steps > 1:
        euler = reference("EulerDiscreteScheduler", steps, **{flag: True})
        assert found.sigmas == pytest.approx(euler.sigmas.tolist(), rel=2e-6)
    assert found.timesteps == pytest.approx(euler.timesteps.tolist(), abs=2e-2)
    multistep = reference("DPMSolverMultistepScheduler", steps, **{flag: True})
    found = made(name, steps, "dpmpp_2m")
    assert found.sigmas == pytest.approx(multistep.sigmas.tolist(), rel=2e-6)
    # diffusers rounds karras, and cuts the decimals off exponential.
    assert found.timesteps == pytest.approx(
        multistep.timesteps.tolist(), abs=0 if name == "karras" else 1
    )


def test_names_mean_what_the_table_says() -> None:
    clock = {name: [round(t) for t in made(name, 10).timesteps] for name in get_args(ScheduleName)}
    assert clock["normal"] == clock["linspace"] == [999, 888, 777, 666, 555, 444, 333, 222, 111, 0]
    assert clock["simple"] == clock["trailing"] == [999, 899, 799, 699, 599, 499, 399, 299, 199, 99]
    assert (
        clock["ddim_uniform"]
        == clock["leading"]
        == [901, 801, 701, 601, 501, 401, 301, 201, 101, 1]
    )
    assert clock["sgm_uniform"] == [999, 899, 799, 699, 599, 500, 400, 300, 200, 100]
    multistep = [round(t) for t in made("leading", 10, "dpmpp_2m").timesteps]
    assert multistep == [901, 811, 721, 631, 541, 451, 361, 271, 181, 91]


def test_simple_is_not_trailing_where_the_steps_do_not_divide_the_timesteps() -> None:
    assert list(made("simple", 30).timesteps[:3]) == [999, 966, 933]
    assert list(made("trailing", 30).timesteps[:3]) == [999, 966, 932]


def test_comfyui_reads_the_clock_at_the_nearest_entry() -> None:
    rounded = made("karras", 10, "euler", "comfyui").timesteps
    between = made("karras", 10, "euler", "diffusers").timesteps
    assert all(t == int(t) for t in rounded)
    assert any(t != int(t) for t in between)
    assert rounded == pytest.approx(between, abs=0.5)


def test_clock_inverts_sigma() -> None:
    t = np.linspace(0, 999, 77)
    assert TRAINED.timestep(TRAINED.sigma(t)) == pytest.approx(t, abs=1e-6)
    assert TRAINED.timestep(np.array([0.0, 1e9])) == pytest.approx([0, 999])
    assert TRAINED.sigma(np.arange(1000.0)) == pytest.approx(
        TRAINED.sigma_linear(np.arange(1000.0))
    )


def test_denoise_runs_the_last_of_a_longer_schedule() -> None:
    full = partial(made, "karras")
    assert run(full, 10, denoise=0.5).sigmas == full(20).sigmas[10:]
    assert run(full, 10).sigmas == full(10).sigmas
    assert run(full, 10, denoise=0) == Schedule((0.0,), ())
    assert run(full, 10, denoise=0.7).steps == 10


def test_start_step_leaves_out_the_noisy_steps() -> None:
    full = partial(made, "leading")
    assert run(full, 10, start_step=4).sigmas == full(10).sigmas[4:]
    assert run(full, 10, start_step=4).timesteps == full(10).timesteps[4:]
    assert run(full, 10, denoise=0.5, start_step=4).sigmas == full(20).sigmas[14:]
    assert run(full, 10, start_step=10).steps == 0
    with pytest.raises(
        InputError, match="start_step is 11 of 10 steps: give a number from 0 to 10"
    ):
        run(full, 10, start_step=11)


def test_more_steps_than_timesteps_is_an_error() -> None:
    with pytest.raises(InputError, match="20000 steps is asked for, the model knows 1000"):
        run(partial(made, "karras"), 20, denoise=0.001)


DISTILLED = TRAINED.distilled()
TAUGHT = [*range(999, 0, -20)]


def distilled(
    name: ScheduleName, steps: int, profile: ProfileName = "comfyui", sampler: SamplerName = "euler"
) -> Schedule:
    return schedule(name, DISTILLED, steps, sampler=sampler, profile=profile)


def test_a_distilled_model_knows_some_of_the_timesteps() -> None:
    assert [*DISTILLED.timesteps[::-1]] == TAUGHT
    assert np.array_equal(DISTILLED.sigmas, TRAINED.sigmas[19::20])
    assert np.array_equal(DISTILLED.deviation(np.arange(1000.0)), TRAINED.sigmas)
    for clock in ("interpolated", "rounded"):
        assert DISTILLED.timestep(TRAINED.sigmas[[0, 24, 34, 999]], clock).tolist() == [
            19,
            19,
            39,
            999,
        ]


def test_schedules_of_a_distilled_model_lie_among_its_timesteps() -> None:
    assert distilled("simple", 4).timesteps == (999, 759, 499, 259)
    assert distilled("ddim_uniform", 5).timesteps == (839, 639, 439, 239, 39)
    assert distilled("turbo", 2).timesteps == (999, 899)
    evenly = TRAINED.sigma_linear(np.array([999, 754, 509, 264]))
    assert distilled("sgm_uniform", 4).sigmas[:-1] == pytest.approx(evenly, rel=1e-2)
    for name in get_args(ScheduleName):
        found = distilled(name, 7)
        assert set(found.timesteps) <= set(TAUGHT)
        if name not in {"align_your_steps", "ddim_uniform"}:
            assert found.sigmas[0] == pytest.approx(TRAINED.sigmas[999])
        if name in {"normal", "karras", "exponential"}:
            assert found.sigmas[-2] == pytest.approx(TRAINED.sigmas[19])


@pytest.mark.parametrize("profile", get_args(ProfileName))
@pytest.mark.parametrize("spacing", ["linspace", "leading", "trailing"])
def test_a_distilled_model_is_spaced_as_by_its_scheduler(
    spacing: ScheduleName, profile: ProfileName
) -> None:
    expected = tuple(reference("LCMScheduler", 8).timesteps.tolist())
    for sampler in ("euler", "dpmpp_2m", "lcm"):
        assert distilled(spacing, 8, profile, sampler).timesteps == expected


@pytest.mark.parametrize("name", ["simple", "ddim_uniform", "trailing"])
def test_what_takes_the_timesteps_of_a_distilled_model_takes_no_more(name: ScheduleName) -> None:
    assert len(set(distilled(name, 50).timesteps)) == 50
    with pytest.raises(InputError, match=r"51 steps is asked for, .* knows 50|at most 50"):
        distilled(name, 51)
    assert distilled("karras", 80).steps == 80
