"""Training: it goes on after a stop as if there had been none."""

from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from nodes.starter.training import Budget, Training, cosine


def module() -> nn.Sequential:
    layers = nn.Sequential(nn.Linear(16, 16), nn.SiLU(), nn.Linear(16, 16))
    generator = torch.Generator("cpu").manual_seed(3)
    with torch.no_grad():
        for weight in layers.parameters():
            weight.copy_(0.3 * torch.randn(weight.shape, generator=generator))
    return layers


def loss(layers: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    error: Tensor = layers(x) - y
    return error.pow(2).mean()


def train(path: Path, steps: int) -> dict[str, Tensor]:
    layers = module()
    training = Training(path, {"layers": (layers, 1.0)}, 0.01, Budget(steps=steps), seed=4)
    while training.progress < 1:
        shares = []
        for _ in range(2):
            x = torch.randn((4, 16), generator=training.generator)
            shares.append(partial(loss, layers, x, x * training.rng.random()))
        training.descend(shares, 1.0)
    training.save()
    return {**dict(layers.state_dict()), **training.ema}


def test_resuming_is_bit_equal_to_not_stopping(tmp_path: Path) -> None:
    straight = train(tmp_path / "straight", 6)
    train(tmp_path / "stopped", 2)
    resumed = train(tmp_path / "stopped", 6)
    assert straight.keys() == resumed.keys()
    assert all(torch.equal(straight[name], resumed[name]) for name in straight)


def test_shares_in_threads_give_the_gradient_of_the_whole(tmp_path: Path) -> None:
    layers = module()
    training = Training(tmp_path / "s", {"layers": (layers, 1.0)}, 0.01, Budget(steps=1))
    x = torch.randn((8, 16), generator=training.generator)
    whole = torch.autograd.grad(loss(layers, x, x), list(layers.parameters()))
    training._gradients([partial(loss, layers, part, part) for part in x.chunk(2)])
    for weight, gradient in zip(layers.parameters(), whole, strict=True):
        assert weight.grad is not None
        assert torch.allclose(weight.grad, gradient, atol=1e-6)


def test_averages_are_there_only_while_asked_for(tmp_path: Path) -> None:
    layers = module()
    training = Training(tmp_path / "s", {"layers": (layers, 1.0)}, 0.1, Budget(steps=3))
    x = torch.randn((8, 16), generator=training.generator)
    for _ in range(3):
        training.descend([partial(loss, layers, x, x)], 1.0)
    first = layers.get_parameter("0.weight")
    before = first.detach().clone()
    with training.averaged():
        assert torch.equal(first, training.ema["layers.0.weight"])
    assert torch.equal(first, before)


def test_the_rate_warms_up_stays_and_falls() -> None:
    assert cosine(0.0, 0) < 0.03
    assert cosine(0.3, 1000) == 1.0
    assert abs(cosine(1.0, 1000) - 0.02) < 1e-9
