"""The denoiser's training: two tiny steps, and what is balanced and swapped in them."""

import random
from pathlib import Path

import pytest
import torch
from torch import Tensor

from nodes.starter import denoiser, reader, scenes
from nodes.starter.autoencoder import Cache
from nodes.starter.denoiser import BinnedWeights
from nodes.starter.training import Budget


@pytest.fixture(scope="module")
def cache() -> Cache:
    rng = random.Random(1)
    generator = torch.Generator("cpu").manual_seed(2)
    count = denoiser.HELD_OUT + 40
    means = 5.5 * torch.randn((count, 4, 16, 16), generator=generator)
    return Cache(means, torch.full_like(means, 0.1), [scenes.imagine(rng) for _ in range(count)])


def trained(
    path: Path, cache: Cache, steps: int, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Tensor]:
    monkeypatch.setattr(denoiser, "BATCH", 2)
    models = (denoiser.create((32, 32, 32, 32)), reader.create(layers=1), reader.FactHeads())
    budget = Budget(steps=steps)
    denoiser.train(models, cache, path, budget, report=lambda _: None, preview=lambda: None)
    return models[0].state_dict()


def test_training_resumes_bit_for_bit(
    tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(denoiser, "cosine", lambda progress, step, flat: 0.5)
    straight = trained(tmp_path / "straight", cache, 2, monkeypatch)
    trained(tmp_path / "stopped", cache, 1, monkeypatch)
    resumed = trained(tmp_path / "stopped", cache, 2, monkeypatch)
    assert all(torch.equal(straight[name], resumed[name]) for name in straight)


def test_each_range_of_timesteps_comes_to_count_the_same() -> None:
    weights = BinnedWeights()
    timesteps = torch.tensor([20, 980])
    losses = torch.tensor([0.5, 0.05])
    for _ in range(500):
        weights.remember(timesteps, losses)
    assert abs(float(weights.weighted(losses[:1], timesteps[:1])) - 1) < 0.01
    assert abs(float(weights.weighted(losses[1:], timesteps[1:])) - 1) < 0.01


def test_latents_are_in_the_familys_scale(cache: Cache) -> None:
    drawn = cache.draw(range(40), torch.Generator("cpu").manual_seed(3))
    assert abs(float(drawn.std()) - 1) < 0.05
