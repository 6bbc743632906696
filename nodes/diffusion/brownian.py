"""Brownian motion over noise levels: the noise of a step that does not depend on how steps are cut.

The increments are, bit for bit, those of torchsde's BrownianInterval with a halfway tree (Li et al.
2020, alg. 3, arXiv:2001.01328; Apache-2.0), which k-diffusion, ComfyUI and diffusers draw from. A
value is a function of its seed and place alone, so a run can be halted anywhere.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import torch
from torch import Tensor

DIGITS = 6
"""Of a noise level, after the point; finer ones are one place."""
POOL = 24
"""Words of entropy that numpy's SeedSequence mixes."""


@dataclass(frozen=True)
class BrownianTree:
    """Brownian motions from the noise level `low` to `high`.

    `seeds` holds one for each image of the batch, or one for all.
    """

    seeds: tuple[int, ...]
    low: float
    high: float

    def between(self, shape: Sequence[int], sigma: float, after: float) -> Tensor:
        """Standard normal noise (B, ...): the motion's increment from one level to another, normed.

        Raises:
            ValueError: There are several seeds, and not one for each image.
        """
        if len(self.seeds) == 1:
            motion = self._increment(self.seeds[0], shape, sigma, after)
        elif len(self.seeds) == shape[0]:
            motion = torch.stack(
                [self._increment(seed, shape[1:], sigma, after) for seed in self.seeds]
            )
        else:
            raise ValueError(
                f"the noise has seeds for {len(self.seeds)} images, {shape[0]} are asked for: give one each"
            )
        length = np.abs(np.float32(after) - np.float32(sigma))
        return motion / torch.tensor(length).sqrt()

    def _increment(self, seed: int, shape: Sequence[int], sigma: float, after: float) -> Tensor:
        sign = 1.0 if after >= sigma else -1.0
        start, end = sorted((self._place(sigma), self._place(after)))
        low, high = (round(_single(level), DIGITS) for level in (self.low, self.high))
        if start == end:
            return torch.zeros(tuple(shape))
        whole = _normal(seed, shape) * math.sqrt(_single(self.high) - _single(self.low))
        pieces = _pieces(_Node(seed, low, high, whole), start, end)
        return reduce(torch.add, pieces) * sign

    def _place(self, sigma: float) -> float:
        inside = min(max(_single(sigma), _single(self.low)), _single(self.high))
        return round(inside, DIGITS)


@dataclass(frozen=True, eq=False)
class _Node:
    """A piece of the tree: from where to where, and the motion's increment over it."""

    seed: int
    start: float
    end: float
    increment: Tensor
    key: int = 0
    depth: int = 0

    def halves(self) -> "tuple[_Node, _Node]":
        """The two pieces that it splits into, by a Brownian bridge."""
        middle = round(0.5 * (self.end + self.start), DIGITS)
        left, right = middle - self.start, self.end - middle
        share = 1 / (self.end - self.start)
        noise = _normal(self.seed, self.increment.shape, self.key, self.depth)
        first = left * self.increment * share + math.sqrt(left * right * share) * noise
        key, depth = 2 * self.key, self.depth + 1
        return (
            _Node(self.seed, self.start, middle, first, key, depth),
            _Node(self.seed, middle, self.end, self.increment - first, key + 1, depth),
        )


def _pieces(node: _Node, start: float, end: float) -> Iterator[Tensor]:
    """The increments, in order, of the largest pieces that make up an interval within a node's."""
    if start <= node.start and node.end <= end:
        yield node.increment
        return
    first, second = node.halves()
    if start < first.end:
        yield from _pieces(first, start, end)
    if end > second.start:
        yield from _pieces(second, start, end)


def _normal(seed: int, shape: Sequence[int], *place: int) -> Tensor:
    entropy = np.random.SeedSequence(entropy=seed, spawn_key=place, pool_size=POOL)
    generator = torch.Generator("cpu").manual_seed(int(entropy.generate_state(1)[0]))
    return torch.randn(tuple(shape), generator=generator)


def _single(level: float) -> float:
    """A level as the float32 that the references hold it in."""
    return float(np.float32(level))
