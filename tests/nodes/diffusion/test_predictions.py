import math
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import LCMScheduler

from nodes.diffusion.checkpoints import open_weights
from nodes.diffusion.predictions import bounded, by_bias, denoised, scaled
from tests.nodes import small
from tests.nodes.conftest import real_shapes, save
from tests.nodes.small import relative_rms

BIAS = "model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias"


def _tensors(dtype: torch.dtype, spread: float) -> dict[str, torch.Tensor]:
    """A published SD 2.x file whose widths are cut down, with a telling tensor of that spread."""
    shapes = {
        name: tuple(min(size, 64) if size > 16 else size for size in shape)
        for name, shape in real_shapes("sd2_base_or_v").items()
        if name.startswith("model.")
    }
    tensors = {name: torch.zeros(shape, dtype=dtype) for name, shape in shapes.items()}
    tensors[BIAS] = torch.linspace(-1, 1, 64).mul(spread * 3**0.5).to(dtype)
    return tensors


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize(("spread", "wanted"), [(0.02, "epsilon"), (0.2, "v_prediction")])
def test_sd2_predicts_what_its_weights_suggest(
    dtype: torch.dtype, spread: float, wanted: str, tmp_path: Path
) -> None:
    save(tmp_path / "model.safetensors", _tensors(dtype, spread))

    opened = open_weights(tmp_path / "model.safetensors")

    assert opened.prediction_type == wanted
    assert opened.predictions == ()


def test_the_guess_is_the_same_for_a_pickle(tmp_path: Path) -> None:
    torch.save(_tensors(torch.float32, 0.2), tmp_path / "model.ckpt")

    assert open_weights(tmp_path / "model.ckpt").prediction_type == "v_prediction"


def test_what_says_nothing_is_taken_for_the_usual() -> None:
    assert by_bias([]) == by_bias([1.0]) == "epsilon"


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


@pytest.mark.parametrize("timestep", [1, 19, 999])
def test_the_boundary_of_consistency_models_is_that_of_diffusers(timestep: int) -> None:
    x = CLEAN + 3.0 * NOISE
    make: Any = LCMScheduler
    scheduler = make()
    skip, out = scheduler.get_scalings_for_boundary_condition_discrete(timestep)
    torch.testing.assert_close(bounded(CLEAN, x, timestep), out * CLEAN + skip * x)
    assert torch.equal(bounded(CLEAN, x, 0), x)
