import math

import pytest
import torch
from torch import Tensor

from nodes.diffusion import edges


def step_edge(height: float = 1.0) -> Tensor:
    picture = torch.zeros(1, 3, 24, 32)
    picture[..., 16:] = height
    return picture


@pytest.mark.parametrize("turned", [False, True])
def test_a_step_gives_a_line_one_pixel_wide(turned: bool) -> None:
    picture = step_edge().transpose(2, 3) if turned else step_edge()

    found = edges.canny(picture, 0.4, 0.8, 1.0)
    if turned:
        found = found.transpose(2, 3)

    assert torch.equal(found.sum(dim=3), torch.ones(1, 1, 24))
    assert found[..., 15:17].sum() == 24


def test_a_diagonal_step_gives_one_line() -> None:
    picture = torch.ones(1, 3, 24, 24).triu()

    found = edges.canny(picture, 0.4, 0.8, 1.0)[0, 0]

    inner = found[4:-4, 4:-4]
    assert (inner.sum(dim=1) >= 1).all()
    assert inner.sum() <= 2 * 16
    far = (torch.arange(24)[:, None] - torch.arange(24)).abs() > 2
    assert found[far].sum() == 0


def test_a_circle_gives_a_ring() -> None:
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    radius = ((x - 31.5) ** 2 + (y - 31.5) ** 2).sqrt()

    found = edges.canny((radius < 20).float().expand(1, 3, -1, -1), 0.4, 0.8, 1.0)[0, 0].bool()

    assert (radius[found] - 20).abs().max() < 1.5
    assert 0.8 * 2 * math.pi * 20 < found.sum() < 1.5 * 2 * math.pi * 20


def test_the_threshold_is_the_gradient_of_the_blurred_step() -> None:
    taps = torch.exp(-0.5 * torch.arange(-3.0, 4.0) ** 2)
    gradient = float(4 * (taps[3] + taps[4]) / taps.sum())

    assert edges.canny(step_edge(0.99 / gradient), 1.0, 1.0, 1.0).sum() == 0
    assert edges.canny(step_edge(1.01 / gradient), 1.0, 1.0, 1.0).sum() == 24


def test_a_constant_has_no_edges() -> None:
    assert edges.canny(torch.full((2, 3, 9, 9), 0.6), 0.0001, 0.0001, 1.0).sum() == 0


def test_a_weak_edge_goes_on_only_from_a_strong_one() -> None:
    picture = step_edge(0.2)
    fading = step_edge() * torch.linspace(0.2, 1, 24).view(1, 1, 24, 1)

    found = edges.canny(torch.cat([picture, fading]), 0.4, 1.5, 1.0)

    assert found[0].sum() == 0
    assert torch.equal(found[1].sum(dim=-1), torch.ones(1, 24))


def flooded(candidates: Tensor, seeds: Tensor) -> Tensor:
    kept = seeds & candidates
    while True:
        wider = torch.nn.functional.max_pool2d(kept.float(), 3, 1, 1).bool() & candidates
        if torch.equal(wider, kept):
            return kept
        kept = wider


@pytest.mark.parametrize("density", [0.2, 0.4, 0.6])
def test_connected_is_a_flood_from_the_seeds(density: float) -> None:
    values = torch.rand(3, 1, 40, 50, generator=torch.Generator("cpu").manual_seed(0))

    assert torch.equal(
        edges.connected(values < density, values < 0.02), flooded(values < density, values < 0.02)
    )


def test_a_flood_follows_a_long_snake() -> None:
    snake = torch.zeros(1, 1, 41, 41, dtype=torch.bool)
    snake[..., ::2, :] = True
    snake[..., 1::4, -1] = True
    snake[..., 3::4, 0] = True
    seeds = torch.zeros_like(snake)
    seeds[..., 0, 0] = True

    assert torch.equal(edges.connected(snake, seeds), snake)
