import pytest
import torch
import torchsde

from nodes.diffusion.brownian import BrownianTree
from nodes.diffusion.noise import NoiseStream

LOW, HIGH, SHAPE = 0.0291675, 14.614642, (2, 4, 6, 5)
WAYS = [(14.614642, 9.2), (9.2, 3.3), (14.614642, 3.3), (3.3, 0.0291675), (5.5, 5.4)]


@pytest.mark.filterwarnings("ignore:Should have t[ab][<>]=t[01]:UserWarning")
def test_increments_are_those_of_torchsde() -> None:
    seed = 2**63 + 5
    motion = torchsde.BrownianTree(
        t0=torch.tensor(LOW), w0=torch.zeros(SHAPE), t1=torch.tensor(HIGH), entropy=seed
    )
    tree = BrownianTree((seed,), LOW, HIGH)
    for sigma, after in WAYS:
        start, end = torch.tensor(sigma), torch.tensor(after)
        expected = -motion(end, start) / (start - end).abs().sqrt()
        assert torch.equal(tree.between(SHAPE, sigma, after), expected)


def test_a_way_in_parts_adds_up_to_the_way() -> None:
    tree = BrownianTree((3,), LOW, HIGH)
    parts = [tree.between(SHAPE, 8, 4) * 2, tree.between(SHAPE, 4, 3) * 1]
    whole = tree.between(SHAPE, 8, 3) * 5**0.5
    assert torch.allclose(parts[0] + parts[1], whole, atol=1e-5)


def test_every_image_has_a_motion_of_its_own_seed() -> None:
    both = BrownianTree((3, 4), LOW, HIGH).between(SHAPE, 8, 4)
    for index, seed in enumerate((3, 4)):
        alone = BrownianTree((seed,), LOW, HIGH).between((1, *SHAPE[1:]), 8, 4)
        assert torch.equal(both[index : index + 1], alone)
    with pytest.raises(ValueError, match="seeds for 2 images, 3 are asked for"):
        BrownianTree((3, 4), LOW, HIGH).between((3, 1), 8, 4)


def test_noise_is_standard_normal_and_no_noise_lies_between_equal_levels() -> None:
    drawn = BrownianTree((1,), LOW, HIGH).between((1, 4, 60, 60), 7.1, 2.2)
    assert float(drawn.std()) == pytest.approx(1, abs=0.02)
    assert float(drawn.mean()) == pytest.approx(0, abs=0.02)
    assert not BrownianTree((1,), LOW, HIGH).between(SHAPE, 20.0, 15.0).any()


def test_a_stream_with_a_motion_goes_on_drawing_from_its_generators() -> None:
    stream = NoiseStream.seeded(5)
    moving = NoiseStream(stream.states, BrownianTree((1,), LOW, HIGH))
    assert torch.equal(moving.draw(SHAPE)[0], stream.draw(SHAPE)[0])
    noise, after = moving.between(SHAPE, 8.0, 4.0)
    assert torch.equal(noise, after.between(SHAPE, 8.0, 4.0)[0])
    assert after.draw(SHAPE)[1].tree == moving.tree
