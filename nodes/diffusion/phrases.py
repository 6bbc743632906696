"""Encoded prompts joined, mixed and emptied."""

from dataclasses import replace

import torch
from torch import Tensor

from nodes.facts import check_phrases
from nodes.values import Conditioning


def concatenated(first: Conditioning, second: Conditioning) -> Conditioning:
    """The tokens of both, one after the other."""
    ours, theirs = _matched(first, second)
    return replace(first, embeddings=torch.cat([ours, theirs], dim=1))


def averaged(first: Conditioning, second: Conditioning, amount: float) -> Conditioning:
    """Between both; the second is cut, or filled up with zeros, to the first one's length."""
    ours, theirs = _matched(first, second)
    length = ours.shape[1]
    theirs = theirs[:, :length]
    missing = theirs.new_zeros(theirs.shape[0], length - theirs.shape[1], theirs.shape[2])
    mixed = torch.lerp(ours, torch.cat([theirs, missing], dim=1), amount)
    pooled = first.pooled
    if pooled is not None and second.pooled is not None:
        batch = mixed.shape[0]
        pooled = torch.lerp(pooled.expand(batch, -1), second.pooled.expand(batch, -1), amount)
    return replace(first, embeddings=mixed, pooled=pooled)


def zeroed(conditioning: Conditioning) -> Conditioning:
    """Zeros in place of the words."""
    pooled = conditioning.pooled
    return replace(
        conditioning,
        embeddings=torch.zeros_like(conditioning.embeddings),
        pooled=None if pooled is None else torch.zeros_like(pooled),
    )


def _matched(first: Conditioning, second: Conditioning) -> tuple[Tensor, Tensor]:
    ours, theirs = first.embeddings, second.embeddings
    check_phrases(ours.shape[-1], theirs.shape[-1], ours.shape[0], theirs.shape[0])
    batch = max(ours.shape[0], theirs.shape[0])
    return ours.expand(batch, -1, -1), theirs.expand(batch, -1, -1)
