"""A run that was cut off goes on from its last waypoint."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from engine.codecs import content_digest
from engine.errors import Cancelled
from engine.node import Waypoints
from nodes.control import control_net_apply
from nodes.sampling import ksampler, sample_steps, start_sampling
from nodes.values import Conditioning, Image, Latents
from nodes.widgets import SamplerName
from tests.nodes import small
from tests.nodes.small import CODECS, CONTROLNETS, MODEL, SmallPool, prompt

SAMPLERS = get_args(SamplerName)
STEPS = 5
ASKED = dict.fromkeys(
    ("heun", "dpm_2", "dpm_2_ancestral", "dpmpp_2s_ancestral", "dpmpp_sde"), 2 * STEPS - 1
) | {"pndm": STEPS + 1}
"""How often the model is asked, where it is not once for each step."""
SHAPE = (2, 4, 4, 4)
START = Latents(small.noise(1, SHAPE))
MASK = torch.rand((1, 1, 4, 4), generator=torch.Generator().manual_seed(3))
PLAIN = prompt(1), prompt(2)
CONTROLLED = control_net_apply(
    *PLAIN, CONTROLNETS[0], Image(small.noise(4, (1, 3, 32, 32)).sigmoid()), start=0.2, end=0.8
)


@dataclass
class Recorded:
    """A route that keeps every step, or each `every`-th, as the store writes it."""

    every: int = 1
    steps: dict[int, Any] = field(default_factory=dict)

    def last(self, most: int) -> tuple[int, Any] | None:
        step = max((step for step in self.steps if step <= most), default=None)
        return None if step is None else (step, CODECS.decode(*self.steps[step]))

    def offer(self, step: int, value: Callable[[], Any]) -> None:
        if step % self.every == 0:
            self.steps[step] = CODECS.encode(value())


@dataclass
class Atlas:
    """Waypoints in memory."""

    every: int = 1
    routes: dict[str, Recorded] = field(default_factory=dict)

    def __call__(self, *made_of: Any) -> Recorded:
        key = content_digest(CODECS, list(made_of))
        return self.routes.setdefault(key, Recorded(self.every))


@dataclass
class Counted:
    """The UNet, and how often it was asked."""

    calls: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(small.unet(), name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        return small.unet()(*args, **kwargs)


def cut_at(step: int) -> Any:
    """A progress that cancels the run once it has got so far."""

    def progress(done: int, total: int, preview: Callable[[], Any] | None = None) -> None:
        if done >= step:
            raise Cancelled

    return progress


def sampled(
    latents: Latents,
    prompts: tuple[Conditioning, Conditioning],
    waypoints: Waypoints | None = None,
    **settings: Any,
) -> tuple[Tensor, int]:
    """The result, and how often the UNet was asked."""
    asked = Counted()
    if waypoints is not None:
        settings["waypoints"] = waypoints
    given: dict[str, Any] = {"steps": STEPS, "seed": 7, "pool": SmallPool(unet=asked)} | settings
    return ksampler(MODEL, *prompts, latents, **given).samples, asked.calls


@pytest.mark.parametrize(
    ("sampler", "mask", "prompts"),
    [
        *((sampler, None, PLAIN) for sampler in SAMPLERS),
        *((sampler, MASK, CONTROLLED) for sampler in ("heun", "dpmpp_2m_sde", "unipc")),
    ],
)
def test_a_run_cut_off_goes_on_bit_equal_and_repeats_nothing(
    sampler: SamplerName, mask: Tensor | None, prompts: tuple[Conditioning, Conditioning]
) -> None:
    latents = replace(START, mask=mask)
    expected, calls = sampled(latents, prompts, sampler=sampler)
    atlas = Atlas()
    for step in range(1, STEPS):
        with pytest.raises(Cancelled):
            sampled(latents, prompts, atlas, sampler=sampler, progress=cut_at(step))
    found, rest = sampled(latents, prompts, atlas, sampler=sampler)
    assert torch.equal(found, expected)
    assert rest == 1
    assert calls == ASKED.get(sampler, STEPS)


def test_only_the_steps_since_the_last_waypoint_are_repeated() -> None:
    expected, _ = sampled(START, PLAIN)
    atlas = Atlas(every=2)
    with pytest.raises(Cancelled):
        sampled(START, PLAIN, atlas, progress=cut_at(3))
    found, calls = sampled(START, PLAIN, atlas)
    assert torch.equal(found, expected)
    assert calls == STEPS - 2


def test_progress_begins_at_the_step_gone_on_from() -> None:
    atlas, told = Atlas(), []
    with pytest.raises(Cancelled):
        sampled(START, PLAIN, atlas, progress=cut_at(3))

    def progress(done: int, total: int, preview: Callable[[], Any] | None = None) -> None:
        assert preview is not None
        assert preview().shape == (4, 4, 3)
        told.append((done, total))

    sampled(START, PLAIN, atlas, progress=progress)
    assert told == [(3, 5), (4, 5), (5, 5)]


def test_steps_go_on_from_where_fewer_steps_and_ksampler_came() -> None:
    atlas, asked = Atlas(), Counted()
    pool = SmallPool(unet=asked)
    state = start_sampling(MODEL, START, steps=STEPS, seed=7)

    def steps(count: int) -> Tensor:
        return sample_steps(MODEL, *PLAIN, state, count=count, pool=pool, waypoints=atlas).state.x

    steps(2)
    steps(4)
    assert asked.calls == 4
    expected, rest = sampled(START, PLAIN, atlas)
    assert rest == 1
    assert torch.equal(steps(STEPS), expected)
    assert asked.calls == 4


def test_a_run_found_whole_borrows_no_model() -> None:
    atlas = Atlas()
    expected, _ = sampled(START, PLAIN, atlas)
    pool = SmallPool()
    found, _ = sampled(START, PLAIN, atlas, pool=pool)
    assert torch.equal(found, expected)
    assert not pool.lent


@pytest.mark.parametrize(
    "changed",
    [{"seed": 8}, {"guidance_scale": 3.0}, {"sampler": "ddim"}, {"steps": 6}, {"denoise": 0.5}],
)
def test_another_run_has_a_way_of_its_own(changed: dict[str, Any]) -> None:
    atlas = Atlas()
    sampled(START, PLAIN, atlas)
    expected, calls = sampled(START, PLAIN, **changed)
    assert sampled(START, PLAIN, atlas, **changed)[1] == calls
    assert torch.equal(sampled(START, PLAIN, atlas, **changed)[0], expected)


def test_another_prompt_has_a_way_of_its_own_unless_nothing_asks_for_it() -> None:
    atlas, other = Atlas(), (PLAIN[0], prompt(3))
    sampled(START, PLAIN, atlas)
    assert sampled(START, other, atlas)[1] == STEPS
    sampled(START, PLAIN, atlas, guidance_scale=1.0)
    assert sampled(START, other, atlas, guidance_scale=1.0)[1] == 0


def test_a_single_step_leaves_no_waypoint() -> None:
    atlas = Atlas()
    state = start_sampling(MODEL, START, steps=STEPS)
    sample_steps(MODEL, *PLAIN, state, count=1, pool=SmallPool(), waypoints=atlas)
    assert not atlas.routes


def damaged(name: str, point: Any) -> Any:
    changes: dict[str, Callable[[], Any]] = {
        "nothing": lambda: None,
        "another step": lambda: replace(point, step=1),
        "no estimate": lambda: replace(point, denoised=None),
        "no history": lambda: replace(point, history=()),
        "other latents": lambda: replace(point, x=point.x[:1]),
        "other history": lambda: replace(point, denoised=point.denoised[..., :2]),
        "too few generators": lambda: replace(
            point, noise=replace(point.noise, states=point.noise.states[:1])
        ),
    }
    return changes[name]()


@pytest.mark.parametrize(
    "fault",
    [
        "nothing",
        "another step",
        "no estimate",
        "no history",
        "other latents",
        "other history",
        "too few generators",
    ],
)
def test_what_is_no_point_of_the_run_is_not_used(fault: str) -> None:
    atlas = Atlas()
    expected, _ = sampled(START, PLAIN, atlas, sampler="dpmpp_3m_sde")
    (route,) = atlas.routes.values()
    point = CODECS.decode(*route.steps[3])
    route.steps = {3: CODECS.encode(damaged(fault, point))}
    found, calls = sampled(START, PLAIN, atlas, sampler="dpmpp_3m_sde")
    assert calls == STEPS
    assert torch.equal(found, expected)


def test_what_is_stored_is_on_the_cpu_and_small() -> None:
    atlas = Atlas()
    sampled(START, PLAIN, atlas, sampler="dpmpp_2m_sde")
    (route,) = atlas.routes.values()
    _, buffers = route.steps[1]
    latents = START.samples.nbytes
    generators = SHAPE[0] * torch.Generator().get_state().nbytes
    assert sum(len(buffer.data) for buffer in buffers.values()) == 2 * latents + generators
