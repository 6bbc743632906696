"""How much of the sampler's time is spent outside the model, at the size of Stable Diffusion 1.5."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from typing_extensions import override

from nodes.diffusion.pool import Pool
from nodes.sampling import finish_sampling, ksampler, sample_steps, start_sampling
from nodes.values import Conditioning, Latents, Model, Weights
from nodes.widgets import SamplerName

BOUNDS = {
    "sampling_overhead_ratio": 0.03,
    "sampling_overhead_ratio_small": 0.03,
    "sampling_overhead_ratio_small_sde": 0.03,
    "sampling_overhead_ratio_by_step": 0.03,
}
MODEL = Model(Weights("checkpoints", "random", "0"))
PROMPTS = (
    Conditioning(torch.full((1, 77, 768), 0.1)),
    Conditioning(torch.full((1, 77, 768), 0.2)),
)


def measure() -> dict[str, float]:
    """Time outside the model over time inside it: for 512 x 512 pixels, and for 128 x 128."""
    pool = Timed(stable_diffusion())
    sample(pool, 16, 1)
    return {
        "sampling_overhead_ratio": overhead(pool, 64, 2),
        "sampling_overhead_ratio_small": overhead(pool, 16, 4),
        "sampling_overhead_ratio_small_sde": overhead(pool, 16, 4, "dpmpp_2m_sde"),
        "sampling_overhead_ratio_by_step": overhead(pool, 16, 4, run=sample_one_by_one),
    }


def overhead(
    pool: "Timed", side: int, steps: int, sampler: SamplerName = "dpmpp_2m", run: Any = None
) -> float:
    """The ratio for square latents of `side`, all else of a run included."""
    pool.inside = 0.0
    began = time.perf_counter()
    (run or sample)(pool, side, steps, sampler)
    synchronize()
    return (time.perf_counter() - began - pool.inside) / pool.inside


def sample(pool: "Timed", side: int, steps: int, sampler: SamplerName = "dpmpp_2m") -> None:
    """A run with guidance, its previews unwatched."""
    start = Latents(torch.zeros(1, 4, side, side))
    ksampler(MODEL, *PROMPTS, start, steps=steps, sampler=sampler, pool=pool)


def sample_one_by_one(pool: "Timed", side: int, steps: int, sampler: SamplerName) -> None:
    """The same run, each step in a node of its own."""
    start = Latents(torch.zeros(1, 4, side, side))
    state = start_sampling(MODEL, start, steps=steps, sampler=sampler)
    while not state.done:
        state = sample_steps(MODEL, *PROMPTS, state, count=1, pool=pool).state
    finish_sampling(state)


class Timed(Pool):
    """Lends one model, and adds up the seconds spent in it."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self.inside = 0.0

    @override
    @contextmanager
    def borrow(self, recipe: Any) -> Iterator[Any]:
        """The model, timed from its call to its result."""
        yield _Clocked(self)


class _Clocked:
    def __init__(self, pool: Timed) -> None:
        self.pool = pool
        self.config, self.parameters = pool.model.config, pool.model.parameters

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        synchronize()
        began = time.perf_counter()
        output = self.pool.model(*args, **kwargs)
        synchronize()
        self.pool.inside += time.perf_counter() - began
        return output


def stable_diffusion() -> Any:
    """The UNet of Stable Diffusion 1.5 with random weights, on the GPU in half precision if there is one."""
    kind: Any = UNet2DConditionModel
    with torch.device("meta"):
        model = kind(cross_attention_dim=768, attention_head_dim=8, sample_size=64)
    cuda = torch.cuda.is_available()
    # Not its own `to`, which warns of layers that it has not.
    torch.nn.Module.to(model, torch.float16 if cuda else torch.float32)
    model.to_empty(device="cuda" if cuda else "cpu")
    for weight in model.parameters():
        weight.detach().uniform_(-0.02, 0.02)
    return model.eval().requires_grad_(False)


def synchronize() -> None:
    """Wait for the device."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
