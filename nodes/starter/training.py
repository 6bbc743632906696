"""Training: a resumable loop over modules, with its budget, averages and saved state."""

from __future__ import annotations

import json
import math
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from nodes.starter.muon import Muon


@dataclass(frozen=True)
class Budget:
    """How long a stage may train: seconds of wall clock, or a number of steps."""

    seconds: float = math.inf
    steps: float = math.inf

    def spent(self, seconds: float, steps: int) -> float:
        """The share of the budget that is used up, 0-1."""
        return min(1.0, max(seconds / self.seconds, steps / self.steps))


def cosine(progress: float, step: int, *, flat: float = 0.3, warm: int = 50) -> float:
    """The learning rate's factor: warm-up, then flat, then a half cosine down to 2 %."""
    fall = max(0.0, (progress - flat) / (1 - flat))
    return min(1.0, (step + 1) / warm) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * fall)))


class Training:
    """Modules being trained, with everything needed to go on after a stop."""

    def __init__(
        self,
        path: Path,
        modules: Mapping[str, tuple[nn.Module, float]],
        rate: float,
        budget: Budget,
        *,
        seed: int = 0,
        average: float = 0.998,
    ) -> None:
        """Trains named modules, each at a share of the rate; resumes if the path exists."""
        self.path, self.budget, self.average = path, budget, average
        self.modules = {name: module for name, (module, _) in modules.items()}
        self.optimiser = Muon(modules.values(), rate)
        self.ema = {name: weight.detach().clone() for name, weight in self._weights().items()}
        self.rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
        self.generator = torch.Generator("cpu").manual_seed(seed)
        self.step, self.seconds, self.recent = 0, 0.0, 0.0
        self.extra: dict[str, Tensor] = {}
        # One thread per share of a batch beats many threads in every operation of small models.
        self._pool = ThreadPoolExecutor(
            os.cpu_count(), initializer=torch.set_num_threads, initargs=(1,)
        )
        self._mark = self._saved = time.monotonic()
        if path.exists():
            self._load()

    @property
    def progress(self) -> float:
        """The share of the budget that is used up, 0-1."""
        return self.budget.spent(self.seconds, self.step)

    def descend(self, losses: Sequence[Callable[[], Tensor]], factor: float) -> None:
        """Take one step down the mean of the losses, each in a thread, and average the weights."""
        value = self._gradients(losses)
        nn.utils.clip_grad_norm_(self.optimiser.weights, 1.0)
        self.optimiser.step(factor, self._pool)
        self.step += 1
        keep = min(self.average, (1 + self.step) / (20 + self.step))
        weights = self._weights()
        with torch.no_grad():
            torch._foreach_lerp_(
                list(self.ema.values()), [weights[name] for name in self.ema], 1 - keep
            )
        self.recent = value if self.step == 1 else 0.98 * self.recent + 0.02 * value
        now = time.monotonic()
        self.seconds += now - self._mark
        self._mark = now

    def _gradients(self, losses: Sequence[Callable[[], Tensor]]) -> float:
        weights = self.optimiser.weights

        def gradients(loss: Callable[[], Tensor]) -> tuple[float, tuple[Tensor | None, ...]]:
            value = loss() / len(losses)
            # Not backward(): two threads must not add to the same gradients.
            return float(value.detach()), torch.autograd.grad(value, weights, allow_unused=True)

        results = list(self._pool.map(gradients, losses))
        for i, weight in enumerate(weights):
            parts = [part for _, found in results if (part := found[i]) is not None]
            weight.grad = sum(parts[1:], parts[0]) if parts else None
        return sum(value for value, _ in results)

    def save_sometimes(self, every: float = 120.0) -> bool:
        """Save if the last time is long ago; says whether it did."""
        due = time.monotonic() - self._saved > every
        if due:
            self.save()
        return due

    def save(self) -> None:
        """Write the whole state into one file, replacing the last one at once."""
        tensors = {f"weight.{k}": v.detach() for k, v in self._weights().items()}
        tensors |= {f"ema.{k}": v for k, v in self.ema.items()}
        tensors |= {f"optimiser.{k}": v for k, v in self.optimiser.state().items()}
        tensors |= {f"extra.{k}": v for k, v in self.extra.items()}
        tensors["generator"] = self.generator.get_state()
        facts = {"step": self.step, "seconds": self.seconds, "recent": self.recent}
        facts_json = json.dumps(facts | {"rng": self.rng.getstate()})
        part = self.path.with_suffix(".part")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        save_file({k: v.contiguous() for k, v in tensors.items()}, part, {"facts": facts_json})
        os.replace(part, self.path)  # noqa: PTH105 - atomic, by its own name
        self._saved = time.monotonic()

    @contextmanager
    @torch.no_grad()
    def averaged(self) -> Iterator[None]:
        """While this lasts, the modules hold the averaged weights."""
        weights = self._weights()
        kept = {name: weight.detach().clone() for name, weight in weights.items()}
        for name, weight in weights.items():
            weight.copy_(self.ema[name])
        try:
            yield
        finally:
            for name, weight in weights.items():
                weight.copy_(kept[name])

    @torch.no_grad()
    def keep_averages(self) -> None:
        """Leave the averaged weights in the modules for good."""
        for name, weight in self._weights().items():
            weight.copy_(self.ema[name])

    def _weights(self) -> dict[str, nn.Parameter]:
        return {
            f"{name}.{key}": weight
            for name, module in self.modules.items()
            for key, weight in module.named_parameters()
            if weight.requires_grad
        }

    @torch.no_grad()
    def _load(self) -> None:
        with safe_open(self.path, "pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no iterator
            facts = json.loads(file.metadata()["facts"])
        for key, weight in self._weights().items():
            weight.copy_(tensors[f"weight.{key}"])
            self.ema[key].copy_(tensors[f"ema.{key}"])
        chosen = {
            prefix: {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
            for prefix in ("optimiser.", "extra.")
        }
        self.optimiser.load_state(chosen["optimiser."])
        self.extra = chosen["extra."]
        self.generator.set_state(tensors["generator"])
        version, state, gauss = facts["rng"]
        self.rng.setstate((version, tuple(state), gauss))
        self.step, self.seconds, self.recent = facts["step"], facts["seconds"], facts["recent"]
