import pytest
import torch

from engine.errors import InputError
from engine.node import node_type
from nodes.image import Exact, Scale
from nodes.latents import (
    LatentInterpolation,
    empty_latent,
    latent_upscale,
    mask_blend,
    repeat_latent,
    set_latent_mask,
)
from nodes.values import Latents, Mask
from tests.nodes import small

START = Latents(small.noise(1, (2, 4, 6, 8)))
HALF = Mask(torch.cat([torch.ones(1, 1, 48, 32), torch.zeros(1, 1, 48, 32)], dim=-1))


def test_empty_latents_are_zeros_of_an_eighth_of_the_size() -> None:
    made = empty_latent(width=64, height=48, batch_size=3)
    assert made.samples.shape == (3, 4, 6, 8)
    assert not made.samples.any()
    assert made.mask is None


@pytest.mark.parametrize(("width", "height"), [(60, 64), (64, 60)])
def test_sizes_that_are_no_multiple_of_8_are_an_error(width: int, height: int) -> None:
    with pytest.raises(InputError, match="is 60: give a multiple of 8, such as 56"):
        empty_latent(width=width, height=height)
    with pytest.raises(ValueError, match="multiple of 8"):
        node_type(empty_latent).inputs["width"].adapter.validate_python(60)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "area"])
def test_upscale_keeps_the_mask_beside_the_latents(interpolation: LatentInterpolation) -> None:
    masked = set_latent_mask(START, HALF)
    made = latent_upscale(masked, to=Scale(factor=1.5), interpolation=interpolation)
    assert made.samples.shape == (2, 4, 9, 12)
    assert made.mask is not None
    assert made.mask.shape == (1, 1, 9, 12)
    assert torch.equal(made.mask[..., :6], torch.ones(1, 1, 9, 6))
    # Latents go beyond 0-1, and must not be cut to it.
    assert float(made.samples.min()) < -1


def test_upscale_to_pixels() -> None:
    assert latent_upscale(START, to=Exact(width=128, height=40)).samples.shape == (2, 4, 5, 16)
    assert latent_upscale(START, to=Scale(factor=0.01)).samples.shape == (2, 4, 1, 1)


def test_upscale_repeats_whole_latents() -> None:
    made = latent_upscale(START, to=Scale(factor=2)).samples
    assert torch.equal(made[..., ::2, ::2], START.samples)
    assert torch.equal(made[..., 1::2, 1::2], START.samples)


def test_repeat_keeps_the_batch_in_order() -> None:
    made = repeat_latent(START, times=3)
    assert made.samples.shape[0] == 6
    assert torch.equal(made.samples[2:4], START.samples)
    each = Latents(
        START.samples, torch.rand(2, 1, 6, 8, generator=torch.Generator().manual_seed(0))
    )
    repeated = repeat_latent(each, times=2).mask
    assert repeated is not None
    assert repeated.shape[0] == 4
    assert repeat_latent(set_latent_mask(START, HALF)).mask is not None


def test_mask_is_read_at_the_middle_of_each_latent() -> None:
    stripe = torch.zeros(1, 1, 48, 64)
    stripe[..., 12] = 1
    made = set_latent_mask(START, Mask(stripe)).mask
    assert made is not None
    assert made.shape == (1, 1, 6, 8)
    assert made[0, 0, 0].tolist() == [0, 1, 0, 0, 0, 0, 0, 0]


def test_mask_can_keep_a_share() -> None:
    stripe = torch.zeros(1, 1, 48, 64)
    stripe[..., 12] = 1
    made = set_latent_mask(START, Mask(stripe), interpolation="area").mask
    assert made is not None
    assert made[0, 0, 0, 1] == pytest.approx(1 / 8)


def test_blend_takes_the_overlay_where_the_mask_is_1() -> None:
    overlay = Latents(small.noise(2, (2, 4, 6, 8)))
    made = mask_blend(set_latent_mask(START, HALF), overlay, HALF)
    assert torch.equal(made.samples[..., :4], overlay.samples[..., :4])
    assert torch.equal(made.samples[..., 4:], START.samples[..., 4:])
    assert made.mask is not None


def test_what_does_not_fit_is_an_error() -> None:
    with pytest.raises(InputError, match=r"base is \(2, 4, 6, 8\), overlay \(1, 4, 6, 8\)"):
        mask_blend(START, Latents(START.samples[:1]), HALF)
    with pytest.raises(InputError, match="3 masks for 2 latents: give 1 or 2"):
        set_latent_mask(START, Mask(HALF.pixels.repeat(3, 1, 1, 1)))
