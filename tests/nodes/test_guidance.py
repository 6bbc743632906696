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
    return ksampler(
        model,
        more.pop("positive", POSITIVE),
        more.pop("negative", NEGATIVE),
        empty_latent(width=SIZE, height=SIZE, batch_size=2),
        seed=11,
        steps=4,
        guidance_scale=scale,
        schedule="linspace",
        pool=SmallPool(),
        **more,
    ).samples


def by_diffusers(kind: str = "StableDiffusionPipeline", parts: Any = None, **more: Any) -> Tensor:
    made = pipeline(kind, made_scheduler("EulerDiscreteScheduler", **OFFSET), **(parts or {}))
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
