import math
from typing import Any

import pytest
import torch
from torch import Tensor

from nodes.diffusion.asking import asked
from nodes.diffusion.combining import combined, raw, thresholded
from nodes.diffusion.predictions import denoised
from nodes.values import (
    DualGuidance,
    DynamicThreshold,
    GuidanceInterval,
    GuidanceRule,
    PerpendicularNegative,
    PerturbedAttention,
    RescaledGuidance,
    StaticThreshold,
)
from nodes.widgets import PredictionType
from tests.nodes import small

P, N, M, E, Q, X = (small.noise(seed, (2, 4, 8, 8)) for seed in range(6))
OUTPUTS = {"positive": P, "negative": N, "middle": M, "empty": E, "perturbed": Q}
SIGMA = 2.5


def found(*rules: GuidanceRule, scale: float = 7.5, kind: PredictionType = "epsilon", **more: Any) -> Tensor:  # fmt: skip
    outputs = OUTPUTS | more
    return combined(rules, outputs, scale, x=X, sigma=SIGMA, prediction_type=kind)


def test_rescaling_is_that_of_diffusers() -> None:
    from diffusers.pipelines.stable_diffusion import pipeline_stable_diffusion

    made: Any = pipeline_stable_diffusion
    guided = N + 7.5 * (P - N)
    expected = made.rescale_noise_cfg(guided, P, guidance_rescale=0.7)
    torch.testing.assert_close(found(RescaledGuidance(0.7)), expected)


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
def test_velocity_is_rescaled_whatever_the_model_predicts(kind: PredictionType) -> None:
    def v(output: Tensor) -> Tensor:
        clean = denoised(output, X, SIGMA, kind)
        eps = (X - clean) / SIGMA
        return (eps - SIGMA * clean) / math.sqrt(1 + SIGMA**2)

    guided = N + 7.5 * (P - N)
    rescaled = v(guided) * (v(P).std((1, 2, 3), keepdim=True) / v(guided).std((1, 2, 3), keepdim=True))  # fmt: skip
    expected = 0.7 * rescaled + 0.3 * v(guided)
    torch.testing.assert_close(
        v(found(RescaledGuidance(0.7, "velocity"), kind=kind)), expected, rtol=1e-4, atol=1e-4
    )


def test_perturbed_attention_adds_to_guidance_or_stands_alone() -> None:
    rule = PerturbedAttention(3.0)
    torch.testing.assert_close(found(rule), N + 7.5 * (P - N) + 3 * (P - Q))
    alone = combined([rule], {"positive": P, "perturbed": Q}, 1.0, x=X, sigma=SIGMA, prediction_type="epsilon")  # fmt: skip
    torch.testing.assert_close(alone, P + 3 * (P - Q))


def test_dual_guidance_is_that_of_instruct_pix2pix() -> None:
    rule = DualGuidance(small.prompt(1), 1.5)
    torch.testing.assert_close(found(rule), N + 7.5 * (P - M) + 1.5 * (M - N))


def test_perpendicular_negative_leaves_what_the_positive_prompt_asks_for() -> None:
    rule = PerpendicularNegative(small.prompt(1), 2.0)
    toward, away = (P - E).flatten(1), (N - E).flatten(1)
    along = (away * toward).sum(1, keepdim=True) / toward.norm(dim=1, keepdim=True) ** 2
    beside = (away - along * toward).reshape(P.shape)
    torch.testing.assert_close(found(rule), E + 7.5 * (P - E - 2 * beside))
    # A negative prompt that is the opposite of the positive one has nothing beside it.
    opposite = found(rule, negative=2 * E - P)
    torch.testing.assert_close(opposite, E + 7.5 * (P - E), rtol=1e-4, atol=1e-4)


def test_each_picture_is_combined_alone() -> None:
    rules = (PerpendicularNegative(small.prompt(1), 1.0), RescaledGuidance(1.0))
    first = {name: output[:1] for name, output in OUTPUTS.items()}
    alone = combined(rules, first, 7.5, x=X[:1], sigma=SIGMA, prediction_type="epsilon")
    torch.testing.assert_close(found(*rules)[:1], alone)


@pytest.mark.parametrize(
    ("sigma", "names"),
    [
        (0.27, ("positive",)),
        (0.28, ("negative", "positive")),
        (5.0, ("negative", "positive")),
        (5.5, ("positive",)),
    ],
)
def test_nothing_but_the_prompt_is_asked_outside_of_the_interval(
    sigma: float, names: tuple[str, ...]
) -> None:
    assert asked([GuidanceInterval(0.28, 5.42)], sigma, has_negative=True) == names


def test_what_rules_ask_for() -> None:
    rules: list[GuidanceRule] = [DualGuidance(small.prompt(1), 1.5), PerturbedAttention(3.0)]
    assert asked(rules, 1.0, has_negative=True) == ("negative", "positive", "middle", "perturbed")
    assert asked((), 1.0, has_negative=False) == ("positive",)


def test_dynamic_threshold_is_that_of_diffusers() -> None:
    import diffusers

    libraries: Any = diffusers
    estimate = small.noise(7, (3, 4, 8, 8)) * torch.tensor([0.1, 1.0, 5.0]).view(3, 1, 1, 1)
    made = libraries.DDPMScheduler(
        thresholding=True, dynamic_thresholding_ratio=0.9, sample_max_value=1e9
    )
    expected = made._threshold_sample(estimate)
    torch.testing.assert_close(thresholded([DynamicThreshold(0.9, 1.0)], estimate), expected)
    kept = thresholded([DynamicThreshold(0.9, 4.0)], estimate[:2])
    torch.testing.assert_close(kept, estimate[:2].clamp(-4, 4))


def test_static_threshold_cuts() -> None:
    estimate = torch.tensor([[-9.0, 1.0, 9.0]])
    assert thresholded([StaticThreshold(2.0)], estimate).tolist() == [[-2, 1, 2]]
    assert thresholded([], estimate) is estimate


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample", "flow_prediction"])
def test_raw_output_is_found_back(kind: PredictionType) -> None:
    clean = denoised(P, X, SIGMA, kind)
    torch.testing.assert_close(raw(clean, X, SIGMA, kind), P, rtol=1e-4, atol=1e-4)
