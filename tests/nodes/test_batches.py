import pytest
import torch

from engine.errors import InputError
from nodes.batches import (
    concatenate_latents,
    latent_composite,
    latent_crop,
    latent_flip,
    latent_from_batch,
    latent_noise,
    latent_rotate,
)
from nodes.values import Latents, Mask
from tests.nodes import small

START = Latents(small.noise(1, (3, 4, 6, 8)), small.noise(2, (3, 1, 6, 8)).sigmoid())
BARE = Latents(START.samples[:1])


def test_some_of_a_batch_keep_their_masks() -> None:
    made = latent_from_batch(START, first=1, count=2)
    assert torch.equal(made.samples, START.samples[1:])
    assert made.mask is not None
    assert START.mask is not None
    assert torch.equal(made.mask, START.mask[1:])


@pytest.mark.parametrize(("first", "count", "blamed"), [(3, 1, "first"), (1, 3, "count")])
def test_more_than_the_batch_has_is_an_error(first: int, count: int, blamed: str) -> None:
    with pytest.raises(InputError, match=f"there are 3 latents, and {count} from number {first}") as raised:  # fmt: skip
        latent_from_batch(START, first=first, count=count)
    assert raised.value.input == blamed


def test_joined_latents_without_a_mask_are_repainted_whole() -> None:
    made = concatenate_latents([BARE, START])
    assert made.samples.shape == (4, 4, 6, 8)
    assert made.mask is not None
    assert START.mask is not None
    assert torch.equal(made.mask, torch.cat([torch.ones(1, 1, 6, 8), START.mask]))
    assert concatenate_latents([BARE, BARE]).mask is None
    with pytest.raises(InputError, match="bring them to one size"):
        concatenate_latents([BARE, Latents(torch.zeros(1, 4, 6, 6))])


def test_parts_are_cut_out_with_their_mask() -> None:
    made = latent_crop(START, x=16, y=8, width=32, height=24)
    assert torch.equal(made.samples, START.samples[..., 1:4, 2:6])
    assert made.mask is not None
    assert START.mask is not None
    assert torch.equal(made.mask, START.mask[..., 1:4, 2:6])
    with pytest.raises(InputError, match="reaches out of the picture of 64 x 48"):
        latent_crop(START, x=40, y=0, width=32, height=24)


def test_mirrors_and_turns_undo_themselves() -> None:
    assert torch.equal(latent_flip(START).samples, START.samples.flip(-1))
    assert torch.equal(latent_flip(START, axis="vertical").samples, START.samples.flip(-2))
    turned = latent_rotate(START, degrees=90)
    # Clockwise: what was at the left comes to the top.
    assert torch.equal(turned.samples[..., 0, :], START.samples[..., :, 0].flip(-1))
    assert turned.mask is not None
    assert turned.mask.shape == (3, 1, 8, 6)
    assert torch.equal(latent_rotate(turned, degrees=270).samples, START.samples)
    assert torch.equal(latent_rotate(START, degrees=0).samples, START.samples)


def test_overlay_is_cut_off_at_the_borders() -> None:
    over = Latents(small.noise(3, (1, 4, 4, 4)))
    made = latent_composite(START, over, x=48, y=-16).samples
    assert torch.equal(made[1, :, :2, 6:], over.samples[0, :, 2:, :2])
    rest = made.clone()
    rest[..., :2, 6:] = START.samples[..., :2, 6:]
    assert torch.equal(rest, START.samples)


def test_overlay_fades_in_from_borders_that_lie_within() -> None:
    over = Latents(torch.ones(1, 4, 6, 6))
    made = latent_composite(Latents(torch.zeros(1, 4, 6, 8)), over, x=16, feather=16).samples
    assert torch.allclose(made[0, 0, 3], torch.tensor([0, 0, 1 / 3, 2 / 3, 1, 1, 1, 1]))
    with pytest.raises(InputError, match="bring them to one size"):
        latent_composite(START, Latents(torch.zeros(2, 4, 4, 4)))


def test_noise_is_that_of_each_latents_own_seed() -> None:
    made = latent_noise(START, seed=7, strength=0.5)
    alone = latent_noise(latent_from_batch(START, first=2), seed=9, strength=0.5)
    assert torch.equal(made.samples[2:], alone.samples)
    added = (made.samples - START.samples) / 0.5
    assert torch.allclose(added[0], torch.randn(4, 6, 8, generator=torch.Generator().manual_seed(7)), atol=1e-5)  # fmt: skip
    assert made.mask is START.mask


def test_an_overlay_shows_where_its_mask_is() -> None:
    base, over = Latents(torch.zeros(2, 4, 4, 4)), Latents(torch.ones(2, 4, 2, 2))
    mask = Mask(torch.tensor([[[[1.0, 0.0], [1.0, 0.0]]]]))
    made = latent_composite(base, over, mask, x=8, y=16).samples
    expected = torch.zeros(4, 4)
    expected[2:, 1] = 1
    assert torch.equal(made, expected.expand(2, 4, 4, 4))
    with pytest.raises(InputError, match="3 masks"):
        latent_composite(base, over, Mask(torch.ones(3, 1, 2, 2)))
