import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any, get_args

import diffusers
import pytest
import torch
from torch import Tensor

from nodes.diffusion.brownian import BrownianTree
from nodes.diffusion.noise import NoiseStream, initial
from nodes.diffusion.samplers import Denoiser, Options, Point, finish, step
from nodes.diffusion.schedules import VARIANCE_PRESERVING, NoiseSchedule, Schedule, schedule
from nodes.states import SamplingDetails
from nodes.widgets import SamplerName, ScheduleName
from tests.nodes.small import CODECS, relative_rms

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:__array_wrap__ must accept:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Should have t[ab][<>]=t[01]:UserWarning"),
]

SAMPLERS = get_args(SamplerName)
RANDOM: tuple[SamplerName, ...] = (
    "euler_ancestral",
    "dpm_2_ancestral",
    "dpmpp_2s_ancestral",
    "dpmpp_sde",
    "dpmpp_2m_sde",
    "dpmpp_3m_sde",
    "ddpm",
    "lcm",
    "tcd",
)
CONSISTENCY: tuple[SamplerName, ...] = ("lcm", "tcd")
TRAINED = NoiseSchedule.scaled_linear()
SHAPE = (2, 4, 6, 5)
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
KINDS: dict[SamplerName, tuple[str, dict[str, Any]]] = {
    "euler": ("EulerDiscreteScheduler", {"steps_offset": 1}),
    "euler_ancestral": ("EulerAncestralDiscreteScheduler", {"steps_offset": 1}),
    "heun": ("HeunDiscreteScheduler", {"steps_offset": 1}),
    "dpmpp_2m": ("DPMSolverMultistepScheduler", {"steps_offset": 1}),
    "dpmpp_2m_sde": (
        "DPMSolverMultistepScheduler",
        {"steps_offset": 1, "algorithm_type": "sde-dpmsolver++"},
    ),
    "ddim": ("DDIMScheduler", {"steps_offset": 1, "clip_sample": False, "set_alpha_to_one": False}),
    "dpm_2": ("KDPM2DiscreteScheduler", {"steps_offset": 1}),
    "dpm_2_ancestral": ("KDPM2AncestralDiscreteScheduler", {"steps_offset": 1}),
    "lms": ("LMSDiscreteScheduler", {"steps_offset": 1}),
    "dpmpp_sde": ("DPMSolverSDEScheduler", {"steps_offset": 1}),
    "ddpm": ("DDPMScheduler", {"steps_offset": 1, "clip_sample": False}),
    "pndm": ("PNDMScheduler", {"steps_offset": 1, "skip_prk_steps": True}),
    "unipc": ("UniPCMultistepScheduler", {"steps_offset": 1}),
    # diffusers' own bh1 is NaN in a step to no noise.
    "unipc_bh1": (
        "UniPCMultistepScheduler",
        {"steps_offset": 1, "solver_type": "bh1", "final_sigmas_type": "sigma_min"},
    ),
    "deis": ("DEISMultistepScheduler", {"steps_offset": 1}),
    "lcm": ("LCMScheduler", {"clip_sample": False}),
    "tcd": ("TCDScheduler", {"clip_sample": False, "set_alpha_to_one": False}),
}


TOLERANCE = dict.fromkeys(KINDS, 1e-5)
# A single step down to a five hundredth of the noise cancels what float32 has.
TOLERANCE["dpm_2_ancestral"] = 1e-4


def model(x: Tensor, t: float) -> Tensor:
    """Some eps of the model's input and clock."""
    return torch.tanh(1.3 * x + 0.2) * (0.6 + 0.4 * t / 1000) + 0.1 * x.roll(1, -1)


def toy(plan: Schedule) -> Denoiser:
    def denoise(x: Tensor, index: int, sigma: float | None = None) -> Tensor:
        t = plan.timesteps[index] if sigma is None else plan.clock(sigma)
        sigma = plan.sigmas[index] if sigma is None else sigma
        return x - sigma * model(x / math.sqrt(1 + sigma**2), t)

    return denoise


def ours(
    sampler: SamplerName,
    plan: Schedule,
    x: Tensor,
    noise: NoiseStream,
    denoise: Denoiser | None = None,
    *,
    options: Options | None = None,
) -> Tensor:
    point = Point(x, noise)
    for _ in range(plan.steps):
        point = step(sampler, plan, point, denoise or toy(plan), options)
    return finish(plan, point)


def theirs(sampler: SamplerName, steps: int, seed: int, **config: Any) -> Tensor:
    kind, own = KINDS[sampler]
    eta = {"eta": config.pop("eta")} if "eta" in config else {}
    seeds = [seed + index for index in range(SHAPE[0])]
    if sampler == "dpmpp_sde":
        config["noise_sampler_seed"] = seeds
    scheduler = getattr(diffusers, kind)(**(BETAS | own | config))
    scheduler.set_timesteps(steps)
    generators = [torch.Generator().manual_seed(each) for each in seeds]
    x: Tensor = (
        torch.cat([torch.randn((1, *SHAPE[1:]), generator=each) for each in generators])
        * scheduler.init_noise_sigma
    )
    random = (sampler in RANDOM or eta) and sampler != "dpmpp_sde"
    drawn = ({"generator": generators} if random else {}) | eta
    for t in scheduler.timesteps:
        eps = model(scheduler.scale_model_input(x, t), float(t))
        x = scheduler.step(eps, t, x, **drawn).prev_sample
    return x


def compared(sampler: SamplerName, name: ScheduleName, steps: int, **config: Any) -> float:
    details = SamplingDetails(last_level="lowest" if sampler == "unipc_bh1" else None)
    plan = schedule(name, TRAINED, steps, sampler=sampler, profile="diffusers", details=details)
    noise, stream = initial("diffusers", 5, SHAPE)
    if sampler == "dpmpp_sde":
        levels = [sigma for sigma in plan.sigmas if sigma]
        stream = replace(stream, tree=BrownianTree((5, 6), min(levels), max(levels)))
    options = Options(eta=config.get("eta"), order=config.get("solver_order"))
    plain = sampler not in VARIANCE_PRESERVING and name != "leading"
    scale = plan.sigmas[0] if plain else math.sqrt(1 + plan.sigmas[0] ** 2)
    return relative_rms(
        ours(sampler, plan, noise * scale, stream, options=options),
        theirs(sampler, steps, 5, **config),
    )


# Where the steps do not divide the timesteps, these step past the next one: leading only.
LEADING: tuple[SamplerName, ...] = ("ddim", "pndm")
SPACED = [
    (sampler, spacing)
    for sampler in KINDS
    for spacing in ("leading", "trailing", "linspace")
    if spacing == "leading" or sampler not in LEADING
]


@pytest.mark.parametrize("steps", [2, 7, 20])
@pytest.mark.parametrize(("sampler", "spacing"), SPACED)
def test_sampler_equals_its_scheduler(
    sampler: SamplerName, spacing: ScheduleName, steps: int
) -> None:
    config = {} if sampler in CONSISTENCY else {"timestep_spacing": spacing}
    assert compared(sampler, spacing, steps, **config) < TOLERANCE[sampler]


@pytest.mark.parametrize("sampler", KINDS)
def test_one_step_equals_that_of_its_scheduler(sampler: SamplerName) -> None:
    config = {} if sampler in CONSISTENCY else {"timestep_spacing": "trailing"}
    assert compared(sampler, "trailing", 1, **config) < TOLERANCE[sampler]


KARRAS = [
    *("euler", "heun", "dpm_2", "dpm_2_ancestral", "lms", "dpmpp_sde"),
    *("dpmpp_2m", "dpmpp_2m_sde", "unipc", "unipc_bh1", "deis"),
]


@pytest.mark.parametrize("sampler", KARRAS)
@pytest.mark.parametrize("steps", [3, 10, 16])
def test_karras_equals_that_of_its_scheduler(sampler: SamplerName, steps: int) -> None:
    assert compared(sampler, "karras", steps, use_karras_sigmas=True) < TOLERANCE[sampler]


@pytest.mark.parametrize("sampler", ["unipc", "unipc_bh1", "deis"])
@pytest.mark.parametrize("steps", [2, 6, 20])
def test_third_order_equals_that_of_its_scheduler(sampler: SamplerName, steps: int) -> None:
    assert compared(sampler, "trailing", steps, timestep_spacing="trailing", solver_order=3) < 1e-5


@pytest.mark.parametrize("sampler", ["ddim", "tcd"])
@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
def test_eta_is_that_of_its_scheduler(sampler: SamplerName, eta: float) -> None:
    assert compared(sampler, "leading", 8, eta=eta) < 1e-5


def test_a_wrong_offset_is_noticed() -> None:
    assert compared("euler", "leading", 10, timestep_spacing="leading", steps_offset=0) > 1e-3
    assert compared("ddim", "leading", 10, set_alpha_to_one=True) > 1e-3


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("cut", [0, 1, 2, 3, 4])
def test_a_run_continued_from_its_record_is_bit_equal(sampler: SamplerName, cut: int) -> None:
    plan = schedule("karras", TRAINED, 5, sampler=sampler, profile="diffusers")
    noise, stream = initial("diffusers", 1, SHAPE)
    whole = ours(sampler, plan, noise * 14, stream)
    point = Point(noise * 14, stream)
    for _ in range(cut):
        point = step(sampler, plan, point, toy(plan))
    point = CODECS.decode(*CODECS.encode(point.at_rest()))
    assert point.step == cut
    for _ in range(cut, plan.steps):
        point = step(sampler, plan, point, toy(plan))
    assert torch.equal(finish(plan, point), whole)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_step_leaves_its_point_as_it_was(sampler: SamplerName) -> None:
    plan = schedule("karras", TRAINED, 3, sampler=sampler, profile="diffusers")
    noise, stream = initial("diffusers", 1, SHAPE)
    point = step(sampler, plan, Point(noise * 14, stream), toy(plan))
    before = point.at_rest()
    once, again = (step(sampler, plan, point, toy(plan)) for _ in range(2))
    assert torch.equal(once.x, again.x)
    assert torch.equal(before.x, point.x)
    assert all(map(torch.equal, before.noise.states, point.noise.states))
    assert before.denoised is not None
    assert point.denoised is not None
    assert torch.equal(before.denoised, point.denoised)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_run_of_no_steps_gives_the_start(sampler: SamplerName) -> None:
    start = torch.ones(SHAPE)
    assert torch.equal(ours(sampler, Schedule((0.0,), ()), start, NoiseStream.seeded(0)), start)


def gaussian(plan: Schedule, spread: float = 0.7, mean: float = 0.4) -> Denoiser:
    """The exact denoiser of normally distributed latents."""

    def denoise(x: Tensor, index: int, sigma: float | None = None) -> Tensor:
        variance = (plan.sigmas[index] if sigma is None else sigma) ** 2
        return (spread**2 * x + variance * mean) / (spread**2 + variance)

    return denoise


def exact(x: Tensor, sigma: float, end: float, spread: float = 0.7, mean: float = 0.4) -> Tensor:
    """Where the probability flow leads from x."""
    return mean + (x - mean) * math.sqrt((spread**2 + end**2) / (spread**2 + sigma**2))


@pytest.mark.parametrize(
    ("sampler", "order"), [("euler", 1), ("ddim", 1), ("heun", 2), ("dpmpp_2m", 2)]
)
def test_error_falls_with_the_order_of_the_sampler(sampler: SamplerName, order: int) -> None:
    def error(steps: int) -> float:
        # Geometric, down to a level above 0: the last step to 0 is of first order in any sampler.
        sigmas = tuple(10 * (0.1 / 10) ** (index / steps) for index in range(steps + 1))
        plan = Schedule(sigmas, (0.0,) * steps)
        x = torch.linspace(-20, 20, 9, dtype=torch.float64)
        point = Point(x, NoiseStream.seeded(0))
        for _ in range(steps):
            point = step(sampler, plan, point, gaussian(plan))
        return relative_rms(point.x, exact(x, sigmas[0], sigmas[-1]))

    assert math.log2(error(64) / error(128)) == pytest.approx(order, abs=0.15)


@pytest.mark.parametrize("sampler", RANDOM)
def test_random_samplers_draw_the_distribution(sampler: SamplerName) -> None:
    steps = 60
    plan = schedule("karras", TRAINED, steps, sampler=sampler, profile="comfyui")
    noise, stream = initial("comfyui", 3, (1, 4, 100, 100))
    made = ours(sampler, plan, noise * plan.sigmas[0] + 0.4, stream, gaussian(plan))
    assert float(made.mean()) == pytest.approx(0.4, abs=0.02)
    if sampler not in CONSISTENCY:
        # Consistency sampling leaps to denoised pictures, which an exact denoiser makes the mean.
        assert float(made.std()) == pytest.approx(0.7, abs=0.04)


def test_ddim_equals_euler_in_these_variables() -> None:
    plan = schedule("leading", TRAINED, 5, sampler="euler", profile="diffusers")
    noise, stream = initial("diffusers", 1, SHAPE)
    assert torch.equal(
        ours("ddim", plan, noise * 8, stream), ours("euler", plan, noise * 8, stream)
    )


def test_heun_asks_twice_but_in_its_last_step() -> None:
    plan = schedule("karras", TRAINED, 3, sampler="heun", profile="diffusers")
    asked: list[int] = []

    def denoise(x: Tensor, index: int, sigma: float | None = None) -> Tensor:
        asked.append(index)
        return toy(plan)(x, index, sigma)

    ours("heun", plan, torch.ones(SHAPE), NoiseStream.seeded(0), denoise)
    assert asked == [0, 1, 1, 2, 2]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_image_of_a_batch_is_that_of_its_own_seed(sampler: SamplerName) -> None:
    plan = schedule("karras", TRAINED, 4, sampler=sampler, profile="diffusers")
    noise, stream = initial("diffusers", 8, SHAPE)
    batch = ours(sampler, plan, noise * 14, stream)
    for index in range(SHAPE[0]):
        noise, stream = initial("diffusers", 8 + index, (1, *SHAPE[1:]))
        assert torch.equal(ours(sampler, plan, noise * 14, stream), batch[index : index + 1])


def k_diffusion_2m_sde(
    x: Tensor, sigmas: tuple[float, ...], denoise: Denoiser, draw: Callable[[], Tensor]
) -> Tensor:
    """Written out from the paper's update in t = -log sigma, to compare with."""
    old, h_last = None, 0.0
    for index, (sigma, after) in enumerate(pairwise(sigmas)):
        now = denoise(x, index)
        if after == 0:
            return now
        h = math.log(sigma / after)
        x = after / sigma * math.exp(-h) * x - math.expm1(-2 * h) * now
        if old is not None:
            x = x - 0.5 * math.expm1(-2 * h) * (h / h_last) * (now - old)
        x = x + draw() * after * math.sqrt(-math.expm1(-2 * h))
        old, h_last = now, h
    return x


def test_dpmpp_2m_sde_is_the_published_update() -> None:
    plan = schedule("karras", TRAINED, 6, sampler="dpmpp_2m_sde", profile="comfyui")
    noise, stream = initial("comfyui", 8, SHAPE)
    generator = torch.Generator().manual_seed(9)
    reference = k_diffusion_2m_sde(
        noise * 14, plan.sigmas, toy(plan), lambda: torch.randn(SHAPE, generator=generator)
    )
    assert relative_rms(ours("dpmpp_2m_sde", plan, noise * 14, stream), reference) < 1e-5


def test_points_are_replaced_not_changed() -> None:
    point = Point(torch.zeros(SHAPE), NoiseStream.seeded(0))
    assert replace(point, step=2).step == 2
    assert point.step == 0
