"""What is foretold of a sampling's work is what its networks are asked for."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, get_args

import pytest
import torch

from engine.facts import parameters
from engine.node import UNKNOWN, node_type
from nodes import facts, foresight, workload
from nodes.conditioning import (
    InFractions,
    InPixels,
    conditioning_area,
    conditioning_combine,
    conditioning_time_range,
)
from nodes.control import control_net_apply
from nodes.guidance import (
    dual_guidance,
    guidance_interval,
    perpendicular_negative,
    perturbed_attention,
    rescale_guidance,
)
from nodes.latents import empty_latent
from nodes.levels import sample_sigmas
from nodes.sampling import ksampler, sample_steps, start_sampling
from nodes.sampling_details import karras_sigmas, sampler_noise, sampling_rules
from nodes.states import SamplingDetails, Sigmas
from nodes.values import Conditioning, Image, Model
from nodes.widgets import SamplerName
from tests.nodes import small
from tests.nodes.small import CONTROLNETS, MODEL, SmallPool, prompt

ROOT = Path(__file__).parents[2]
SIDE = 8
"""Of the latents."""
EMPTY = prompt(3)
CONTROL_WEIGHTS = 1000
"""As if a ControlNet had so many, and the UNet one."""


@dataclass
class Counter:
    """The places of latents that went through networks."""

    work: float = 0.0


@contextmanager
def counting(weights: dict[Any, int]) -> Iterator[Counter]:
    """Counts what modules are asked for, by their weights."""
    counter = Counter()

    def noting(times: int) -> Any:
        def note(module: Any, given: tuple[Any, ...]) -> None:
            rows, _, height, width = given[0].shape
            counter.work += times * rows * height * width

        return note

    hooks = [
        module.conv_in.register_forward_pre_hook(noting(times)) for module, times in weights.items()
    ]
    try:
        yield counter
    finally:
        for hook in hooks:
            hook.remove()


@pytest.fixture(autouse=True)
def parts(monkeypatch: pytest.MonkeyPatch) -> None:
    def of_part(recipe: Any, part: str, pool: Any) -> Any:
        return SimpleNamespace(count=1 if part == "unet" else CONTROL_WEIGHTS, sizes=None)

    monkeypatch.setattr(foresight, "of_part", of_part)


def known(value: Any) -> Any:
    """Facts in place of values, also in a model's rules."""
    if not isinstance(value, Model):
        return facts.of(value)
    rules = []
    for rule in value.guidance:
        for name in ("middle", "empty"):
            if hasattr(rule, name):
                rule = replace(rule, **{name: facts.of(getattr(rule, name))})  # noqa: PLW2901
        rules.append(rule)
    return replace(value, guidance=tuple(rules))


def both(function: Any, **given: Any) -> tuple[float, float]:
    """The work foretold and done."""
    declared = node_type(function)
    assert declared.work is not None
    defaults = {name: item.default for name, item in declared.inputs.items()}
    asked = workload_parameters(declared.work)
    told = {name: known(value) for name, value in (defaults | given).items() if name in asked}
    foretold = declared.work(**told, **({"pool": None} if "pool" in asked else {}))
    modules: dict[Any, int] = {small.unet(): 1}
    modules |= dict.fromkeys(map(small.controlnet, range(2)), CONTROL_WEIGHTS)
    with counting(modules) as counter:
        function(**given, pool=SmallPool())
    assert foretold is not None
    return foretold, counter.work


def workload_parameters(function: Any) -> set[str]:
    return set(parameters(function))


def sampling(
    model: Model = MODEL,
    positive: Conditioning | None = None,
    negative: Conditioning | None = None,
    **more: Any,
) -> tuple[float, float]:
    return both(
        ksampler,
        **{
            "model": model,
            "positive": positive or prompt(1),
            "negative": negative or prompt(2),
            "latents": empty_latent(width=8 * SIDE, height=8 * SIDE, batch_size=2),
            "steps": 4,
        }
        | more,
    )


@pytest.mark.parametrize("sampler", get_args(SamplerName))
@pytest.mark.parametrize("steps", [1, 4])
def test_samplers_that_ask_twice(sampler: SamplerName, steps: int) -> None:
    foretold, done = sampling(sampler=sampler, steps=steps)
    assert foretold == done


SETTINGS: dict[str, dict[str, Any]] = {
    "no guidance": {"guidance_scale": 1.0},
    "part of the steps": {"start_step": 3, "sampler": "heun"},
    "part of the noise": {"denoise": 0.5, "sampler": "dpm_2"},
    "a fraction of the steps": {"denoise": 0.5, "details": SamplingDetails(denoise_rule="shorter")},
    "nothing": {"denoise": 0.0},
    "none of turbo's levels": {"denoise": 0.05, "schedule": "turbo"},
    "turbo": {"denoise": 0.5, "schedule": "turbo", "sampler": "heun"},
    "an end above no noise": {"sampler": "dpm_2", "details": sampling_rules(last_level="lowest")},
    "ComfyUI": {"sampler": "dpm_2", "profile": "comfyui"},
}
MODELS = {
    "perturbed attention": perturbed_attention(MODEL),
    "dual guidance": dual_guidance(MODEL, EMPTY),
    "a perpendicular negative": perpendicular_negative(MODEL, EMPTY),
    "an interval": guidance_interval(MODEL),
    "an interval beyond the run": guidance_interval(MODEL, low=900, high=1000),
    "several rules": guidance_interval(perturbed_attention(dual_guidance(MODEL, EMPTY))),
    "a rule that asks for nothing": rescale_guidance(MODEL),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings(name: str) -> None:
    foretold, done = sampling(**SETTINGS[name])
    assert foretold == done


@pytest.mark.parametrize("scale", [1.0, 7.5])
@pytest.mark.parametrize("name", MODELS)
def test_guidance(name: str, scale: float) -> None:
    foretold, done = sampling(MODELS[name], guidance_scale=scale)
    assert foretold == done


@pytest.mark.parametrize(
    "sampler", ["heun", "dpm_2", "dpm_2_ancestral", "dpmpp_2s_ancestral", "dpmpp_sde", "pndm"]
)
def test_an_interval_between_the_estimates_of_a_step(sampler: SamplerName) -> None:
    details = sampler_noise(eta=0.7)
    for low, high in ((0.5, 3.0), (2.0, 9.0), (0.1, 0.3)):
        model = guidance_interval(MODEL, low=low, high=high)
        foretold, done = sampling(model, sampler=sampler, steps=5, details=details)
        assert foretold == done


@pytest.mark.parametrize("profile", ["diffusers", "comfyui"])
@pytest.mark.parametrize("window", [(0.0, 1.0), (0.25, 0.8), (0.5, 0.5)])
def test_controlnets(profile: str, window: tuple[float, float]) -> None:
    image = Image(torch.rand(1, 3, 8 * SIDE, 8 * SIDE))
    positive, negative = control_net_apply(
        prompt(1), prompt(2), CONTROLNETS[0], image, start=window[0], end=window[1]
    )
    only, _ = control_net_apply(positive, negative, CONTROLNETS[1], image)
    for cat, nothing in ((positive, negative), (only, negative)):
        foretold, done = sampling(
            perturbed_attention(MODEL), cat, nothing, profile=profile, sampler="heun"
        )
        assert foretold == done


def test_regions() -> None:
    left = conditioning_area(
        prompt(4), area=InPixels(x=0, y=0, width=4 * SIDE, height=8 * SIDE), strength=0.5
    )
    corner = conditioning_area(prompt(5), area=InFractions(width=0.5, height=0.5))
    early = conditioning_time_range(prompt(6), end=0.5)
    positive = prompt(1)
    for other in (left, corner, early):
        positive = conditioning_combine(positive, other)
    for profile in ("diffusers", "comfyui"):
        foretold, done = sampling(positive=positive, profile=profile)
        assert foretold == done


@pytest.mark.parametrize("sampler", ["euler", "heun", "dpmpp_2s_ancestral"])
def test_steps_and_levels_of_ones_own(sampler: SamplerName) -> None:
    latents = empty_latent(width=8 * SIDE, height=8 * SIDE, batch_size=2)
    state = start_sampling(MODEL, latents, steps=5, sampler=sampler)
    given = {"model": MODEL, "positive": prompt(1), "negative": prompt(2)}
    for count in (2, 9):
        foretold, done = both(sample_steps, **given, state=state, count=count)
        assert foretold == done
        state = sample_steps(MODEL, prompt(1), prompt(2), state, count=2, pool=SmallPool()).state
    for sigmas in (karras_sigmas(steps=3), Sigmas((9.0, 3.0, 1.0))):
        foretold, done = both(
            sample_sigmas, **given, latents=latents, sigmas=sigmas, sampler=sampler
        )
        assert foretold == done


def test_what_is_not_known_is_not_foretold() -> None:
    declared = node_type(ksampler)
    assert declared.work is not None
    defaults = {name: item.default for name, item in declared.inputs.items()}
    inside = known(prompt(1))
    latents = known(empty_latent(width=64, height=64))
    given = defaults | {"model": MODEL, "positive": inside, "negative": inside, "latents": latents}
    asked = {name: given[name] for name in workload_parameters(declared.work) if name in given}
    assert declared.work(**asked, pool=None)
    for name in asked:
        told = declared.work(**asked | {name: UNKNOWN}, pool=None)
        assert told is None
    lost = inside.placed(start=UNKNOWN)
    assert declared.work(**asked | {"positive": lost}, pool=None) is None
    state = known(start_sampling(MODEL, empty_latent(width=64, height=64), steps=3))
    interval = guidance_interval(MODEL)
    for model, found in ((MODEL, True), (interval, False)):
        told = workload.of_steps(
            model=model, positive=inside, negative=inside, state=state, count=2,
            guidance_scale=3.0, pool=SmallPool(),
        )  # fmt: skip
        assert (told is not None) == found


def test_a_plan_foretells_without_numbers_or_tensors() -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from engine.catalog import Catalog\n"
        "from engine.check import compile_graph\n"
        "from engine.workflow import Workflow\n"
        "catalog = Catalog.load('nodes')\n"
        "workflow = Workflow.read(Path('workflows/two-pass.json'))\n"
        "program = compile_graph(workflow, catalog, catalog.runtime(data=Path(sys.argv[1]), device='cpu'))\n"
        "known = [call.amount for call in program.calls.values() if call.type.name == 'KSampler']\n"
        "print(all(known), {'torch', 'numpy', 'diffusers'} & set(sys.modules))\n"
    )
    with TemporaryDirectory() as data:
        done = subprocess.run(
            [sys.executable, "-c", code, data], cwd=ROOT, capture_output=True, text=True, check=True
        )
    assert done.stdout == "True set()\n"
