import math

import pytest
import torch
from torch import Tensor

from nodes.diffusion.blend import Kept
from nodes.diffusion.schedules import Schedule
from tests.nodes import small

PLAN = Schedule((5.0, 2.0, 0.0), (600.0, 300.0))
SHAPE = (2, 4, 4, 4)
ORIGINAL, NOISE, X = (small.noise(seed, SHAPE) for seed in (1, 2, 3))
MASK = torch.zeros(1, 1, 4, 4)
MASK[..., :2] = 1
KEPT = Kept(ORIGINAL, MASK, NOISE)


def test_kept_area_has_the_noise_of_the_step() -> None:
    after = KEPT.behind(X, PLAN, 0, "euler")
    assert torch.equal(after[..., :2], X[..., :2])
    assert torch.allclose(after[..., 2:], (ORIGINAL + 5 * NOISE)[..., 2:])


def test_kept_area_is_at_the_scale_in_which_a_variance_preserving_scheduler_reads_it() -> None:
    after = KEPT.behind(X, PLAN, 0, "ddim") / math.sqrt(1 + 2.0**2)
    at_step = (ORIGINAL + 5 * NOISE) / math.sqrt(1 + 5.0**2)
    assert torch.allclose(after[..., 2:], at_step[..., 2:], atol=1e-6)


def test_clean_result_is_the_original_where_it_is_kept() -> None:
    result = KEPT.clean(X)
    assert torch.equal(result[..., 2:], ORIGINAL[..., 2:])
    assert torch.equal(result[..., :2], X[..., :2])


def test_comfyui_denoiser_sees_and_says_the_original() -> None:
    seen: list[Tensor] = []

    def denoise(x: Tensor, step: int, sigma: float | None = None) -> Tensor:
        seen.append(x)
        return torch.zeros_like(x)

    answer = KEPT.around(denoise, PLAN)(X, 1)
    assert torch.allclose(seen[0][..., 2:], (ORIGINAL + 2 * NOISE)[..., 2:])
    assert torch.equal(seen[0][..., :2], X[..., :2])
    assert torch.equal(answer[..., 2:], ORIGINAL[..., 2:])
    assert not answer[..., :2].any()


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_a_soft_mask_keeps_a_share(share: float) -> None:
    soft = Kept(ORIGINAL, torch.full((2, 1, 4, 4), share), NOISE)
    assert torch.allclose(soft.clean(X), ORIGINAL * (1 - share) + X * share, atol=1e-6)


def test_kept_area_can_have_the_noise_that_the_next_step_begins_with() -> None:
    after = KEPT.ahead(X, PLAN, 0)
    kept = KEPT.original + PLAN.sigmas[1] * KEPT.noise
    assert torch.equal(after, torch.lerp(kept, X, KEPT.mask))
    last = KEPT.ahead(X, PLAN, PLAN.steps - 1)
    assert torch.equal(last, torch.lerp(KEPT.original, X, KEPT.mask))
