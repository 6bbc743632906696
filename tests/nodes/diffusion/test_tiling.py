import pytest
import torch
from torch import Tensor
from torch.nn import functional

from nodes.diffusion.tiling import faded, tiled
from tests.nodes import small


def blurred(x: Tensor) -> Tensor:
    """Sees 2 places to each side, and doubles the size."""
    kernel = torch.ones(3, 1, 5, 5) / 25
    near = functional.conv2d(functional.pad(x, (2, 2, 2, 2), "replicate"), kernel, groups=3)
    return functional.interpolate(near, scale_factor=2)


@pytest.mark.parametrize("size", [(16, 16), (40, 64), (33, 71), (8, 100)])
def test_what_sees_less_than_the_overlap_is_exact(size: tuple[int, int]) -> None:
    x = small.noise(1, (2, 3, *size))
    told: list[tuple[int, int]] = []

    found = tiled(
        x, blurred, tile=32, overlap=12, progress=lambda done, total: told.append((done, total))
    )

    assert torch.allclose(found, blurred(x), atol=1e-4)
    assert told[-1][0] == told[-1][1] == len(told)


def test_shrinking_work_is_put_together_too() -> None:
    x = small.noise(1, (1, 3, 48, 104))
    found = tiled(x, lambda part: functional.avg_pool2d(part, 8), tile=32, overlap=8, unit=8)
    assert torch.allclose(found, functional.avg_pool2d(x, 8), atol=1e-5)


def test_tiles_that_disagree_leave_no_edge() -> None:
    number = iter(range(100))

    found = tiled(torch.zeros(1, 1, 8, 96), lambda part: part + next(number), tile=32, overlap=16)

    steps = found.diff(dim=-1).abs()
    assert float(steps.max()) < 0.12
    assert float(found[..., 0].max()) == 0
    assert float(found[..., -1].min()) == pytest.approx(4)


def test_fading_leaves_the_other_sides_whole() -> None:
    mask = faded((4, 6), 2, (True, False, False, True))
    assert torch.allclose(mask[0, 0, 0], torch.tensor([1 / 3, 2 / 3, 1, 1, 1, 1]))
    assert torch.allclose(mask[0, 0, :, 5], torch.tensor([1, 1, 2 / 3, 1 / 3]))
    assert torch.equal(faded((2, 2), 0, (True,) * 4), torch.ones(1, 1, 2, 2))
