"""Karlo: a prior from texts to CLIP's image embeddings, and the decoder from these to pictures.

Ramesh et al. 2022, arXiv:2204.06125. x is what is denoised, t the model's clock, and `kept[t]` the share
of x's variance that is picture (alpha bar of Ho et al. 2020, arXiv:2006.11239).
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from engine.node import Progress
from engine.notices import notice

from . import previews
from .noise import NoiseStream
from .text import BEGIN, END, tokenize
from .unclip import LEVELS, kept

_LENGTH = 77
PRIOR_LIMIT, PIXEL_LIMIT = 5.0, 1.0
"""Beyond which no embedding and no pixel has values."""
Denoise = Callable[[Tensor, int], Tensor]
"""x and t to what a model predicts."""


class Text(NamedTuple):
    """A prompt as Karlo reads it."""

    pooled: Tensor
    states: Tensor
    mask: Tensor
    """Which tokens are no padding."""


def read(encoder: Any, text: str) -> Text:
    """A prompt of at most 75 tokens; what is longer is cut off, as the models were trained, and told."""
    tokens = tokenize(text)
    if len(tokens) > _LENGTH - 2:
        notice(f"the prompt has {len(tokens)} tokens, of which Karlo reads the first {_LENGTH - 2}")
    held = [BEGIN, *tokens[: _LENGTH - 2], END]
    ids = torch.tensor([held + [END] * (_LENGTH - len(held))], device=encoder.device)
    found = encoder(ids)
    mask = torch.arange(_LENGTH, device=encoder.device)[None] < len(held)
    return Text(found.text_embeds, found.last_hidden_state, mask)


def both(negative: Text, positive: Text) -> Text:
    """Two prompts for one call."""
    return Text(*(torch.cat(pair) for pair in zip(negative, positive, strict=True)))


class Projection(nn.Module):
    """A picture's embedding and a prompt as the decoder reads them."""

    SIZES = ("clip_extra_context_tokens", "clip_embeddings_dim", "time_embed_dim", "cross_attention_dim")  # fmt: skip

    def __init__(
        self,
        clip_extra_context_tokens: int,
        clip_embeddings_dim: int,
        time_embed_dim: int,
        cross_attention_dim: int,
    ) -> None:
        super().__init__()
        tokens, width = clip_extra_context_tokens, clip_embeddings_dim
        self.tokens = tokens
        self.learned_classifier_free_guidance_embeddings = nn.Parameter(torch.zeros(width))
        self.embedding_proj = nn.Linear(width, time_embed_dim)
        self.clip_image_embeddings_project_to_time_embeddings = nn.Linear(width, time_embed_dim)
        self.clip_extra_context_tokens_proj = nn.Linear(width, tokens * cross_attention_dim)
        self.encoder_hidden_states_proj = nn.Linear(width, cross_attention_dim)
        self.text_encoder_hidden_states_norm = nn.LayerNorm(cross_attention_dim)

    @override
    def forward(self, embedding: Tensor, text: Text) -> tuple[Tensor, Tensor, Tensor]:
        """What the decoder attends to, what is added to its clock, and which tokens are no padding.

        Args:
            embedding: Of pictures, (B, width). The first half of the prompts goes without one.
            text: Twice as many prompts: negative ones, then positive ones.
        """
        nothing = self.learned_classifier_free_guidance_embeddings.expand_as(embedding)
        seen = torch.cat([nothing, embedding])
        clock = self.embedding_proj(text.pooled)
        clock = clock + self.clip_image_embeddings_project_to_time_embeddings(seen)
        extra = self.clip_extra_context_tokens_proj(seen)
        extra = extra.reshape(len(seen), -1, self.tokens).transpose(1, 2)
        words = self.text_encoder_hidden_states_norm(self.encoder_hidden_states_proj(text.states))
        mask = functional.pad(text.mask, (self.tokens, 0), value=True)
        return torch.cat([extra, words], dim=1), clock, mask


def timesteps(steps: int, spacing: str = "linspace") -> list[int]:
    """Down to 0, evenly: from the noisiest, which is all of a single step; or "leading", from one step below."""
    if spacing == "leading":
        return [index * (LEVELS // steps) for index in reversed(range(steps))]
    if steps == 1:
        return [LEVELS - 1]
    # Halves are rounded to even, as NumPy rounds them.
    return [round(index * (LEVELS - 1) / (steps - 1)) for index in reversed(range(steps))]


class Steps(NamedTuple):
    """How one of the networks is sampled from."""

    steps: int
    limit: float
    """Estimates are cut to [-limit, limit]."""
    predicts_picture: bool = False
    """Instead of noise."""
    spacing: str = "linspace"
    """See `timesteps`."""


def sampled(
    denoise: Denoise, x: Tensor, stream: NoiseStream, settings: Steps, progress: Progress
) -> Tensor:
    """X after ancestral sampling (Ho et al. 2020, eq. 6 and 7).

    What a model predicts beyond x's channels is how much noise a step makes, between its two bounds
    (Nichol and Dhariwal 2021, arXiv:2102.09672, eq. 15).
    """
    levels = timesteps(settings.steps, settings.spacing)
    for done, (t, earlier) in enumerate(zip(levels, [*levels[1:], levels[-1] - 1], strict=True), 1):
        predicted = denoise(x, t)
        told = predicted[:, x.shape[1] :] if predicted.shape[1] > x.shape[1] else None
        predicted = predicted[:, : x.shape[1]]
        now = kept()[t]
        before = kept()[earlier] if t and earlier >= 0 else torch.ones((), dtype=torch.float64)
        beta = 1 - now / before
        estimate = predicted
        if not settings.predicts_picture:
            estimate = (x - (1 - now).sqrt() * predicted) / now.sqrt()
        estimate = estimate.clamp(-settings.limit, settings.limit)
        x = (before.sqrt() * beta * estimate + (1 - beta).sqrt() * (1 - before) * x) / (1 - now)
        if t:
            noise, stream = stream.draw(x.shape)
            x = x + _deviation(beta, (1 - before) / (1 - now) * beta, told) * noise.to(x.device)
        shown = partial(previews.pixels, estimate) if x.ndim == 4 else None
        progress(done, settings.steps, shown)
    return x


def _deviation(largest: Tensor, smallest: Tensor, told: Tensor | None) -> Tensor:
    if told is None:
        return smallest.clamp(min=1e-20).sqrt()
    share = (told + 1) / 2
    return (0.5 * (share * largest.log() + (1 - share) * smallest.log())).exp()


def guided(predicted: Tensor, scale: float, channels: int) -> Tensor:
    """Classifier-free guidance over a negative and a positive prediction; what lies beyond is the positive's."""
    away, toward = predicted.chunk(2)
    mixed = away[:, :channels] + scale * (toward[:, :channels] - away[:, :channels])
    return torch.cat([mixed, toward[:, channels:]], dim=1)
