from typing import Any

import pytest
import torch
from torch import Tensor

from engine.errors import InputError
from nodes.conditioning import (
    InFractions,
    InPixels,
    conditioning_area,
    conditioning_average,
    conditioning_combine,
    conditioning_concat,
    conditioning_mask,
    conditioning_time_range,
    conditioning_zero,
)
from nodes.control import control_net_apply
from nodes.latents import empty_latent
from nodes.sampling import ksampler
from nodes.values import Conditioning, Image, Mask
from tests.nodes import small
from tests.nodes.small import CONTROLNETS, MODEL, SmallPool, prompt, relative_rms

A, B, NEGATIVE = prompt(1), prompt(2), prompt(3)
LEFT = Mask(torch.cat([torch.ones(1, 1, 64, 32), torch.zeros(1, 1, 64, 32)], dim=-1))


def sampled(positive: Conditioning, steps: int = 1, **more: Any) -> Tensor:
    return ksampler(
        MODEL,
        positive,
        NEGATIVE,
        empty_latent(width=64, height=64),
        seed=1,
        steps=steps,
        guidance_scale=more.pop("scale", 1.0),
        schedule="linspace",
        pool=SmallPool(),
        **more,
    ).samples


def test_combined_prompts_are_averaged() -> None:
    found = sampled(conditioning_combine(A, B))
    assert relative_rms(found, (sampled(A) + sampled(B)) / 2) < 1e-4


def test_strength_is_the_share() -> None:
    strong = conditioning_area(A, strength=3.0)
    found = sampled(conditioning_combine(strong, B))
    assert relative_rms(found, (3 * sampled(A) + sampled(B)) / 4) < 1e-4


def test_combined_prompts_are_guided_as_one() -> None:
    found = sampled(conditioning_combine(A, B), scale=3.0)
    both = (sampled(A) + sampled(B)) / 2
    away = sampled(NEGATIVE)
    assert relative_rms(found, away + 3 * (both - away)) < 1e-4


def test_masks_divide_the_picture() -> None:
    right = Mask(1 - LEFT.pixels)
    found = sampled(conditioning_combine(conditioning_mask(A, LEFT), conditioning_mask(B, right)))
    assert relative_rms(found[..., :3], sampled(A)[..., :3]) < 1e-4
    assert relative_rms(found[..., 5:], sampled(B)[..., 5:]) < 1e-4


def test_where_no_prompt_counts_the_estimate_is_zero() -> None:
    found = sampled(conditioning_mask(A, LEFT))
    assert float(found[..., 5:].abs().max()) < 1e-4
    assert relative_rms(found[..., :3], sampled(A)[..., :3]) < 1e-4


@pytest.mark.parametrize(
    "area",
    [InPixels(x=32, y=0, width=32, height=64), InFractions(x=0.5, width=0.5)],
)
def test_area_is_seen_alone(area: InPixels | InFractions) -> None:
    found = sampled(conditioning_combine(conditioning_area(B, area=area, strength=1000.0), A))
    assert relative_rms(found[..., :4], sampled(A)[..., :4]) < 1e-3
    # The model sees the part without what lies beside it, so it says something else there.
    assert relative_rms(found[..., 4:], sampled(B)[..., 4:]) > 1e-3
    assert relative_rms(found[..., 4:], sampled(A)[..., 4:]) > 1e-2


def test_area_with_a_control_reads_its_part_of_the_hint() -> None:
    hint = Image(small.noise(5, (1, 3, 64, 64)).sigmoid())
    controlled, _ = control_net_apply(conditioning_combine(A, B), NEGATIVE, CONTROLNETS[0], hint)
    assert [len(part.controls) for part in controlled.parts] == [1, 1]
    part = conditioning_area(controlled, area=InFractions(width=0.5))
    assert torch.isfinite(sampled(part)).all()
    assert relative_rms(sampled(part), sampled(conditioning_area(conditioning_combine(A, B), area=InFractions(width=0.5)))) > 1e-3  # fmt: skip


def test_area_outside_of_the_picture_is_an_error() -> None:
    with pytest.raises(InputError, match=r"begins at \(64, 0\), outside of the picture of 64x64"):
        sampled(conditioning_area(A, area=InPixels(x=64, y=0, width=8, height=8)))
    with pytest.raises(InputError, match="a prompt has 3 masks for 1 latents"):
        sampled(conditioning_mask(A, Mask(LEFT.pixels.repeat(3, 1, 1, 1))))


@pytest.mark.parametrize("profile", ["diffusers", "comfyui"])
def test_prompts_follow_each_other_in_time(profile: Any) -> None:
    early, late = (
        conditioning_time_range(A, start=0.0, end=0.5),
        conditioning_time_range(B, start=0.5, end=1.0),
    )
    if profile == "comfyui":
        late = conditioning_time_range(B, start=0.45, end=1.0)
    found = sampled(conditioning_combine(early, late), steps=4, profile=profile)
    for alone in (A, B):
        # Late steps change little; rounding stays below 5e-6.
        assert relative_rms(found, sampled(alone, steps=4, profile=profile)) > 5e-5
    whole = conditioning_time_range(A, start=0.0, end=1.0)
    assert torch.equal(sampled(whole, steps=4, profile=profile), sampled(A, steps=4, profile=profile))  # fmt: skip


def test_step_without_a_prompt_is_an_error() -> None:
    with pytest.raises(InputError, match="no positive prompt counts in step 3 of 4"):
        sampled(conditioning_time_range(A, end=0.5), steps=4)
    with pytest.raises(InputError, match=r"start is 0\.5 and end 0\.2"):
        conditioning_time_range(A, start=0.5, end=0.2)


def test_joined_prompts_keep_their_extras() -> None:
    pooled = small.noise(4, (1, 8))
    first = Conditioning(A.embeddings, pooled=pooled)
    made = conditioning_concat(first, prompt(5, batch=2, tokens=154))
    assert made.embeddings.shape == (2, 77 + 154, small.WIDTH)
    assert torch.equal(made.embeddings[1:, :77], A.embeddings)
    assert made.pooled is pooled
    with pytest.raises(InputError, match="is 64 wide, the second 32"):
        conditioning_concat(A, prompt(1, width=32))
    with pytest.raises(InputError, match="holds 2 prompts, the second 3"):
        conditioning_concat(prompt(1, batch=2), prompt(1, batch=3))


def test_mixed_prompts_lie_between() -> None:
    first = Conditioning(A.embeddings, pooled=torch.zeros(1, 8))
    second = Conditioning(prompt(5, tokens=154).embeddings, pooled=torch.ones(1, 8))
    made = conditioning_average(first, second, amount=0.25)
    expected = 0.75 * A.embeddings + 0.25 * second.embeddings[:, :77]
    torch.testing.assert_close(made.embeddings, expected)
    assert made.pooled is not None
    torch.testing.assert_close(made.pooled, torch.full((1, 8), 0.25))
    two = Conditioning(prompt(6, batch=2).embeddings, pooled=torch.full((2, 8), 2.0))
    for one, other in ((first, two), (two, first)):
        pooled = conditioning_average(one, other, amount=0.5).pooled
        assert pooled is not None
        torch.testing.assert_close(pooled, torch.ones(2, 8))
    longer = conditioning_average(second, first, amount=0.25).embeddings
    torch.testing.assert_close(longer[:, 77:], 0.75 * second.embeddings[:, 77:])


def test_nothing_said_is_zeros() -> None:
    made = conditioning_zero(conditioning_combine(Conditioning(A.embeddings, pooled=torch.ones(1, 8)), B))  # fmt: skip
    assert not any(part.embeddings.any() for part in made.parts)
    assert made.pooled is not None
    assert not made.pooled.any()
    assert A.embeddings.any()
