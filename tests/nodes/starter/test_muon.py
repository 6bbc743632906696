"""Muon: its orthogonalisation against the singular value decomposition, and its state."""

import torch
from torch import nn

from nodes.starter.muon import Muon, is_hidden, orthogonalised


def test_orthogonalised_keeps_singular_vectors_and_levels_values() -> None:
    generator = torch.Generator("cpu").manual_seed(1)
    for m, n in ((8, 8), (8, 32), (32, 8)):
        matrices = torch.randn((3, m, n), generator=generator)
        u, _, vh = torch.linalg.svd(matrices, full_matrices=False)
        levels = u.mT @ orthogonalised(matrices) @ vh.mT
        values = levels.diagonal(dim1=-2, dim2=-1)
        assert (levels - torch.diag_embed(values)).abs().max() < 1e-3
        assert values.min() > 0.3
        assert values.max() < 1.3


def test_an_orthogonal_matrix_is_only_scaled() -> None:
    # From x = 1 / sqrt(8) on, every singular value follows the same quintic.
    a, b, c = 3.4445, -4.7750, 2.0315
    x = 8**-0.5
    for _ in range(5):
        x = a * x + b * x**3 + c * x**5
    assert torch.allclose(orthogonalised(torch.eye(8)[None]), x * torch.eye(8)[None], atol=1e-5)


def test_ends_and_vectors_are_left_to_adam() -> None:
    assert is_hidden("mid.conv.weight", torch.zeros(16, 16, 3, 3))
    assert not is_hidden("conv_in.weight", torch.zeros(16, 16, 3, 3))
    assert not is_hidden("norm.weight", torch.zeros(16))
    assert not is_hidden("mid.conv.weight", torch.zeros(4, 16))


def test_frozen_weights_do_not_move() -> None:
    module = nn.Linear(16, 16)
    module.bias.requires_grad = False
    before = module.bias.clone()
    optimiser = Muon([(module, 1.0)], 0.01)
    module(torch.ones(1, 16)).sum().backward()
    optimiser.step()
    assert torch.equal(module.bias, before)
