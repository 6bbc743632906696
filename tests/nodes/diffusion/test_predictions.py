import math

import pytest
import torch

from nodes.diffusion.predictions import denoised, scaled
from tests.nodes import small
from tests.nodes.small import relative_rms

CLEAN, NOISE = small.noise(1, (2, 4, 4, 4)), small.noise(2, (2, 4, 4, 4))


@pytest.mark.parametrize("sigma", [0.1, 1.0, 14.0])
def test_every_kind_of_prediction_means_the_same_clean_latents(sigma: float) -> None:
    x = CLEAN + sigma * NOISE
    alpha, spread = 1 / math.sqrt(1 + sigma**2), sigma / math.sqrt(1 + sigma**2)
    assert relative_rms(denoised(NOISE, x, sigma, "epsilon"), CLEAN) < 1e-4
    v = alpha * NOISE - spread * CLEAN
    assert relative_rms(denoised(v, x, sigma, "v_prediction"), CLEAN) < 1e-4
    assert relative_rms(denoised(NOISE - CLEAN, x, sigma, "flow_prediction"), CLEAN) < 1e-4
    assert torch.equal(denoised(CLEAN, x, sigma, "sample"), CLEAN)


def test_a_model_reads_mixtures_of_unit_weight() -> None:
    x = CLEAN + 3.0 * NOISE
    expected = (CLEAN + 3.0 * NOISE) / math.sqrt(10)
    assert relative_rms(scaled(x, 3.0, "epsilon"), expected) < 1e-6
    assert relative_rms(scaled(x, 3.0, "flow_prediction"), 0.25 * CLEAN + 0.75 * NOISE) < 1e-6
