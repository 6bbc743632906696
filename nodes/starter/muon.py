"""Muon: momentum whose updates are orthogonalised, with AdamW for what is not a matrix."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor
from typing import Final, TypeAlias

import torch
from torch import Tensor, nn

NOT_HIDDEN: Final = ("conv_in", "conv_out", "embedding", "controlnet_", "proj_heads")
_QUINTIC: Final = (3.4445, -4.7750, 2.0315)


_Update: TypeAlias = tuple[nn.Parameter, float, Tensor]
"""A weight, its learning rate, and its update as a matrix."""


@torch.no_grad()
def orthogonalised(matrices: Tensor, rounds: int = 5) -> Tensor:
    """Matrices (B, m, n) with their singular values brought near 1 by Newton-Schulz rounds.

    Jordan et al. 2024, https://kellerjordan.github.io/posts/muon; the coefficients leave
    singular values between about 0.7 and 1.2.
    """
    a, b, c = _QUINTIC
    tall = matrices.size(-2) > matrices.size(-1)
    x: Tensor = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(rounds):
        gram = x @ x.mT
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.mT if tall else x


def is_hidden(name: str, weight: Tensor) -> bool:
    """Whether a weight is a matrix between hidden layers, for which Muon is meant."""
    return (
        weight.ndim >= 2
        and not any(part in name for part in NOT_HIDDEN)
        and min(weight.shape[0], weight[0].numel()) >= 8
    )


class Muon:
    """An optimiser: Muon for hidden weights, AdamW for the rest."""

    def __init__(
        self,
        modules: Iterable[tuple[nn.Module, float]],
        rate: float,
        *,
        adam_share: float = 0.7,
        momentum: float = 0.95,
        decay: float = 1e-3,
    ) -> None:
        """Optimises the modules' weights, each module at its own share of the rate."""
        self.rate, self.momentum, self.decay = rate, momentum, decay
        self.hidden: list[tuple[nn.Parameter, float]] = []
        groups: list[dict[str, object]] = []
        self._adam_rates: list[float] = []
        for module, share in modules:
            rest: list[nn.Parameter] = []
            for name, weight in module.named_parameters():
                if not weight.requires_grad:
                    continue
                if is_hidden(name, weight):
                    self.hidden.append((weight, share))
                else:
                    rest.append(weight)
            groups.append({"params": rest})
            self._adam_rates.append(rate * adam_share * share)
        self.adam = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.99), weight_decay=0.0)
        self.buffers = [torch.zeros_like(weight) for weight, _ in self.hidden]

    @property
    def weights(self) -> list[nn.Parameter]:
        """All weights that are optimised."""
        rest = [weight for group in self.adam.param_groups for weight in group["params"]]
        return [weight for weight, _ in self.hidden] + rest

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for weight in self.weights:
            weight.grad = None

    @torch.no_grad()
    def step(self, factor: float = 1.0, pool: Executor | None = None) -> None:
        """Move every weight that has a gradient, at the given share of the learning rate."""
        for group, rate in zip(self.adam.param_groups, self._adam_rates, strict=True):
            group["lr"] = rate * factor
        self.adam.step()
        alike: dict[tuple[int, int], list[_Update]] = {}
        for (weight, share), buffer in zip(self.hidden, self.buffers, strict=True):
            if weight.grad is None:
                continue
            shape = weight.shape[0], weight[0].numel()
            buffer.lerp_(weight.grad, 1 - self.momentum)
            update = weight.grad.lerp(buffer, self.momentum).reshape(shape)
            alike.setdefault(shape, []).append((weight, self.rate * factor * share, update))
        # One batched product for several weights of a shape is many times faster than a loop.
        jobs = [group[i : i + 6] for group in alike.values() for i in range(0, len(group), 6)]
        jobs.sort(key=lambda job: -len(job) * job[0][2].numel())
        list(pool.map(self._move, jobs) if pool else map(self._move, jobs))

    @torch.no_grad()
    def _move(self, job: list[_Update]) -> None:
        # Liu et al. 2025, arXiv:2502.16982: this scale gives updates of AdamW's usual size.
        scale = 0.2 * max(job[0][2].shape) ** 0.5
        updates = orthogonalised(torch.stack([update for _, _, update in job]))
        for (weight, rate, _), update in zip(job, updates, strict=True):
            weight.mul_(1 - rate * self.decay)
            weight.add_(update.reshape(weight.shape), alpha=-rate * scale)

    def state(self) -> dict[str, Tensor]:
        """Everything the optimiser remembers, by name."""
        tensors = {f"muon.{i}": buffer for i, buffer in enumerate(self.buffers)}
        for i, entry in self.adam.state_dict()["state"].items():
            tensors |= {f"adam.{i}.{key}": value for key, value in entry.items()}
        return tensors

    def load_state(self, tensors: dict[str, Tensor]) -> None:
        """Remember what `state` said."""
        for i, buffer in enumerate(self.buffers):
            buffer.copy_(tensors[f"muon.{i}"])
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            if name.startswith("adam."):
                _, index, key = name.split(".")
                state.setdefault(int(index), {})[key] = value
        groups = self.adam.state_dict()["param_groups"]
        self.adam.load_state_dict({"state": state, "param_groups": groups})
