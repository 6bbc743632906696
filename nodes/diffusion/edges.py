"""Canny's edge detector (Canny 1986, "A Computational Approach to Edge Detection")."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from . import pixels

_DIFFERENCE = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
_AHEAD = ((0, 1), (1, 1), (1, 0), (1, -1))
"""The neighbour (dy, dx) along a gradient of 0, 45, 90 and 135 degrees."""


def canny(pictures: Tensor, low: float, high: float, sigma: float) -> Tensor:
    """Edges one pixel wide, (B, 1, H, W), 1 on an edge.

    `low` and `high` bound the gradient of the blurred brightness as Sobel's operator measures it,
    unnormalised: thresholds of OpenCV divided by 255.
    """
    grey = pixels.blur(pixels.luminance(pictures), sigma)
    gradient = functional.conv2d(
        functional.pad(grey, (1, 1, 1, 1), mode="replicate"),
        torch.stack([_DIFFERENCE, _DIFFERENCE.T]).unsqueeze(1),
    )
    strength = gradient.norm(dim=1, keepdim=True)
    ridge = _is_ridge(strength, gradient)
    return connected(ridge & (strength > low), ridge & (strength > high)).float()


def _is_ridge(strength: Tensor, gradient: Tensor) -> Tensor:
    """Where the gradient is the strongest among its neighbours ahead and behind."""
    angle = torch.atan2(gradient[:, 1:], gradient[:, :1])
    direction = (angle / (math.pi / 4)).round().long() % 4
    height, width = strength.shape[-2:]
    around = functional.pad(strength, (1, 1, 1, 1))

    def neighbour(sign: int) -> Tensor:
        views = [
            around[
                ..., 1 + sign * dy : 1 + sign * dy + height, 1 + sign * dx : 1 + sign * dx + width
            ]
            for dy, dx in _AHEAD
        ]
        return torch.cat(views, dim=1).gather(1, direction)

    # One comparison is strict, so that a ridge two pixels wide leaves one.
    return (strength > neighbour(-1)) & (strength >= neighbour(1))


def connected(candidates: Tensor, seeds: Tensor) -> Tensor:
    """The candidates that touch a seed through other candidates, by 8 neighbours: (B, 1, H, W) bool.

    Each pixel learns the largest label in its component; following labels of labels makes the
    number of rounds grow with the logarithm of a component's length.
    """
    labels = torch.arange(1, candidates.numel() + 1).view_as(candidates) * candidates  # 0 is none
    while True:
        largest = functional.max_pool2d(labels.double(), 3, stride=1, padding=1).long() * candidates
        flat = largest.flatten()
        parents = torch.cat([flat.new_zeros(1), flat])
        parents = parents.scatter_reduce(0, labels.flatten(), flat, "amax")
        following = parents[parents[1:]].view_as(labels)
        if torch.equal(following, labels):
            break
        labels = following
    seeded = torch.zeros(labels.numel() + 1, dtype=torch.bool)
    seeded[labels[seeds & candidates]] = True
    return seeded[labels] & candidates
