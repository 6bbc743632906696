from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.errors import InputError
from nodes.guidance import (
    dual_guidance,
    dynamic_threshold,
    guidance_interval,
    perpendicular_negative,
    perturbed_attention,
    rescale_guidance,
    static_threshold,
)
from nodes.latents import empty_latent
from nodes.sampling import ksampler
from nodes.values import Conditioning, GuidanceInterval, Model, RescaledGuidance
from tests.nodes import parity, small
from tests.nodes.references import (
    OFFSET,
    SIZE,
    generators,
    made_scheduler,
    pipeline,
    prompts,
)
from tests.nodes.small import MODEL, SmallPool, prompt, relative_rms

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
POSITIVE, NEGATIVE, EMPTY = prompt(1), prompt(2), prompt(3)


def sampled(model: Model, scale: float = 7.5, **more: Any) -> Tensor:
    given: dict[str, Any] = {"seed": 11, "steps": 4, "schedule": "linspace", "pool": SmallPool()}
    return ksampler(
        model,
        more.pop("positive", POSITIVE),
        more.pop("negative", NEGATIVE),
        empty_latent(width=SIZE, height=SIZE, batch_size=2),
        guidance_scale=scale,
        **given | more,
    ).samples


def by_diffusers(
    kind: str = "StableDiffusionPipeline", parts: Any = None, scheduler: Any = None, **more: Any
) -> Tensor:
    usual = made_scheduler("EulerDiscreteScheduler", **OFFSET)
    made = pipeline(kind, scheduler or usual, **(parts or {}))
    found: Tensor = made(
        **prompts(POSITIVE, NEGATIVE, 2),
        width=SIZE,
        height=SIZE,
        num_inference_steps=4,
        generator=generators(11, 2),
        output_type="latent",
        **more,
    ).images
    return found


def test_rescaled_guidance_agrees_with_diffusers() -> None:
    expected = by_diffusers(guidance_scale=7.5, guidance_rescale=0.7)
    parity.agree("Guidance", "rescale 0.7", sampled(rescale_guidance(MODEL)), expected)
    assert relative_rms(sampled(MODEL), expected) > 1e-2


@pytest.mark.parametrize("scale", [1.0, 7.5])
def test_perturbed_attention_agrees_with_diffusers(scale: float) -> None:
    expected = by_diffusers(
        "StableDiffusionPAGPipeline",
        {"pag_applied_layers": ["mid"]},
        guidance_scale=0.0 if scale == 1 else scale,
        pag_scale=3.0,
    )
    found = sampled(perturbed_attention(MODEL), scale)
    parity.agree("Guidance", f"perturbed attention, CFG {scale:g}", found, expected)
    assert relative_rms(sampled(MODEL, scale), expected) > 1e-3


@torch.no_grad()
def by_formula(combine: Callable[[Tensor, Tensor, Tensor, float], Tensor]) -> Tensor:
    """Euler's method, its noise estimate combined of those of the positive, negative and empty prompt."""
    plan = made_scheduler("EulerDiscreteScheduler", **OFFSET)
    plan.set_timesteps(4)
    drawn = [torch.randn((1, 4, 8, 8), generator=each) for each in generators(11, 2)]
    x: Tensor = torch.cat(drawn) * plan.sigmas[0]
    for t, sigma, after in zip(plan.timesteps, plan.sigmas, plan.sigmas[1:], strict=False):
        read = x / (1 + sigma**2).sqrt()
        told = [each.embeddings.repeat(2, 1, 1) for each in (POSITIVE, NEGATIVE, EMPTY)]
        said = [small.unet()(read, t, encoder_hidden_states=each).sample for each in told]
        x = x + combine(said[0], said[1], said[2], float(sigma)) * (after - sigma)
    return x


def test_guidance_of_an_interval_is_none_outside() -> None:
    def combine(positive: Tensor, negative: Tensor, _: Tensor, sigma: float) -> Tensor:
        inside = 0.28 < sigma <= 5.42
        return negative + 7.5 * (positive - negative) if inside else positive

    expected = by_formula(combine)
    found = sampled(guidance_interval(MODEL, low=0.28, high=5.42))
    how = "only between the noise levels 0.28 and 5.42"
    parity.agree("Guidance", how, found, expected, by="Kynkäänniemi et al. 2024")
    assert relative_rms(sampled(MODEL), expected) > 1e-2


def test_perpendicular_negative_follows_its_formula() -> None:
    def combine(positive: Tensor, negative: Tensor, empty: Tensor, _: float) -> Tensor:
        toward, away = positive - empty, negative - empty
        along = (away * toward).sum((1, 2, 3), keepdim=True)
        along = along / (toward * toward).sum((1, 2, 3), keepdim=True) * toward
        return empty + 7.5 * (toward - 1.5 * (away - along))

    expected = by_formula(combine)
    found = sampled(perpendicular_negative(MODEL, EMPTY, scale=1.5))
    how = "perpendicular negative prompt, scale 1.5"
    parity.agree("Guidance", how, found, expected, by="Armandpour et al. 2023")
    assert relative_rms(sampled(MODEL), expected) > 1e-2


def test_dual_guidance_follows_its_formula() -> None:
    def combine(positive: Tensor, negative: Tensor, empty: Tensor, _: float) -> Tensor:
        return negative + 1.5 * (empty - negative) + 7.5 * (positive - empty)

    expected = by_formula(combine)
    found = sampled(dual_guidance(MODEL, EMPTY, scale=1.5))
    parity.agree("Guidance", "dual, scales 1.5 and 7.5", found, expected, by="Brooks et al. 2022")


def test_dynamic_threshold_agrees_with_diffusers() -> None:
    config = {
        "thresholding": True, "dynamic_thresholding_ratio": 0.9, "sample_max_value": 1e9,
        "algorithm_type": "dpmsolver++",
    }  # fmt: skip
    plan = made_scheduler("DPMSolverMultistepScheduler", **OFFSET, **config)
    expected = by_diffusers(scheduler=plan, guidance_scale=7.5)
    model = dynamic_threshold(MODEL, percentile=0.9, floor=1.0)
    found = sampled(model, sampler="dpmpp_2m")
    parity.agree("Guidance", "dynamic threshold 0.9", found, expected)
    assert relative_rms(sampled(MODEL, sampler="dpmpp_2m"), expected) > 1e-2


def test_static_threshold_agrees_with_diffusers() -> None:
    config = {"clip_sample": True, "clip_sample_range": 0.5, "timestep_spacing": "leading"}
    plan = made_scheduler("DDPMScheduler", **OFFSET, **config)
    expected = by_diffusers(scheduler=plan, guidance_scale=7.5)
    found = sampled(static_threshold(MODEL, limit=0.5), sampler="ddpm", schedule="leading")
    parity.agree("Guidance", "static threshold 0.5", found, expected)
    assert relative_rms(sampled(MODEL, sampler="ddpm", schedule="leading"), expected) > 1e-2


def test_rules_of_one_kind_replace_each_other_and_others_stay() -> None:
    model = guidance_interval(rescale_guidance(MODEL, amount=0.2), low=1, high=2)
    again = rescale_guidance(model, amount=0.5)
    assert again.guidance == (GuidanceInterval(1, 2), RescaledGuidance(0.5))
    with pytest.raises(InputError, match="low is 2 and high 1"):
        guidance_interval(MODEL, low=2, high=1)


def test_interval_beyond_the_run_is_no_guidance() -> None:
    outside = sampled(guidance_interval(MODEL, low=900, high=1000))
    assert relative_rms(outside, sampled(MODEL, 1.0)) < 1e-5
    whole = sampled(guidance_interval(MODEL, low=0, high=1000))
    assert relative_rms(whole, sampled(MODEL)) < 1e-5
    middle = sampled(guidance_interval(MODEL))
    assert relative_rms(middle, whole) > 1e-2


def test_thresholds_bound_the_result() -> None:
    assert float(sampled(static_threshold(MODEL, limit=0.5)).abs().max()) <= 0.5 + 1e-5
    bounded = sampled(dynamic_threshold(MODEL, percentile=0.9, floor=1.0))
    assert float(bounded.abs().max()) <= 1 + 1e-5
    assert float(sampled(MODEL).abs().max()) > 1.1


def test_dual_guidance_without_a_first_stage_is_guidance_from_the_middle() -> None:
    found = sampled(dual_guidance(MODEL, EMPTY, scale=1.0))
    assert relative_rms(found, sampled(MODEL, negative=EMPTY)) < 1e-5
    other = sampled(dual_guidance(MODEL, EMPTY, scale=2.5))
    assert relative_rms(other, found) > 1e-2


def test_perpendicular_negative_equal_to_the_empty_prompt_says_nothing() -> None:
    found = sampled(perpendicular_negative(MODEL, EMPTY), negative=EMPTY)
    assert relative_rms(found, sampled(MODEL, negative=EMPTY)) < 1e-5
    assert relative_rms(sampled(perpendicular_negative(MODEL, EMPTY)), sampled(MODEL)) > 1e-3


def test_further_prompts_are_checked_as_the_others_are() -> None:
    with pytest.raises(InputError, match="middle conditioning is 32 wide"):
        sampled(dual_guidance(MODEL, prompt(1, width=32)))


def test_rules_are_stored_with_the_model() -> None:
    model = dual_guidance(rescale_guidance(MODEL), EMPTY)
    tree, buffers = small.CODECS.encode(model)
    again = small.CODECS.decode(tree, buffers)
    assert again.guidance[0] == RescaledGuidance(0.7)
    middle: Conditioning = again.guidance[1].middle
    assert torch.equal(middle.embeddings, EMPTY.embeddings)
    assert replace(again, guidance=()) == MODEL
