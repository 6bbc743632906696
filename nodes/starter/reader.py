"""The reader: CLIP's text model in small, taught to keep every fact that a caption says."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPTextConfig, CLIPTextModel

from nodes.diffusion import text
from nodes.starter import captions, scenes
from nodes.starter.scenes import ATTRIBUTES, Facts
from nodes.starter.training import Budget, Training, cosine

Report: TypeAlias = Callable[[str], None]

WIDTH: Final = 64  # one head, since a CLIP head is 64 wide; the vocabulary alone is 6.3 MB
END: Final = 49407
POSITIONS: Final = 77
_SIZES: Final = tuple(1 + len(values) for values in ATTRIBUTES.values())


def tokens(texts: Sequence[str]) -> Tensor:
    """Token ids (B, 77) of texts, padded with the end token as in SD 1.x."""
    return torch.tensor([text.chunks(each, POSITIONS)[0] for each in texts])


def create(*, layers: int = 4, seed: int = 3) -> CLIPTextModel:
    """An untrained text model; rows of words that no caption uses are zero, and stay so."""
    config = CLIPTextConfig(
        vocab_size=END + 1,
        hidden_size=WIDTH,
        intermediate_size=4 * WIDTH,
        num_hidden_layers=layers,
        num_attention_heads=1,
        max_position_embeddings=POSITIONS,
        hidden_act="quick_gelu",
        projection_dim=WIDTH,
        bos_token_id=END - 1,
        eos_token_id=END,
        pad_token_id=END,
    )
    with torch.random.fork_rng(devices=[]):
        generator = torch.Generator("cpu").manual_seed(seed)
        torch.set_rng_state(generator.get_state())
        model = CLIPTextModel(config)
    used = used_tokens()
    with torch.no_grad():
        table = model.get_input_embeddings().get_parameter("weight")
        table.zero_()
        table[used] = 0.1 * torch.randn((len(used), WIDTH), generator=generator)
    return model


def used_tokens() -> list[int]:
    """The ids of all tokens that captions are made of."""
    rng = random.Random(0)  # noqa: S311 - reproducible, not secret
    said = [captions.caption(scenes.imagine(rng), rng)[0] for _ in range(4000)]
    return sorted(set(tokens(said).flatten().tolist()))


def labels(said: Sequence[Facts]) -> Tensor:
    """For each caption (B) and attribute, 0 if it is unsaid, else 1 + the value's index."""
    rows = [
        [
            1 + values.index(facts[name]) if name in facts else 0
            for name, values in ATTRIBUTES.items()
        ]
        for facts in said
    ]
    return torch.tensor(rows)


class FactHeads(nn.Module):
    """Linear heads that read every attribute from a text model's state; used in training only."""

    def __init__(self) -> None:
        """Heads of all attributes as one linear layer."""
        super().__init__()
        self.proj_heads = nn.Linear(WIDTH, sum(_SIZES))
        nn.init.zeros_(self.proj_heads.weight)
        nn.init.zeros_(self.proj_heads.bias)

    def loss(self, states: Tensor, ids: Tensor, said: Tensor) -> Tensor:
        """Cross entropy of the facts (B, attributes), read at the end token and each padding.

        The paddings see the whole caption and are the most of what cross attention looks at.
        """
        ends = ids == END
        logits = self.proj_heads(states[ends]).split(_SIZES, -1)
        truth = said[ends.nonzero()[:, 0]]
        losses = [functional.cross_entropy(part, truth[:, i]) for i, part in enumerate(logits)]
        return torch.stack(losses).mean()

    @torch.no_grad()
    def accuracy(self, states: Tensor, ids: Tensor, said: Tensor) -> Tensor:
        """Share of captions (per attribute) that are read rightly at the end token."""
        first = (ids == END).int().argmax(1)
        at_end = states[torch.arange(len(ids)), first]
        guesses = [part.argmax(-1) for part in self.proj_heads(at_end).split(_SIZES, -1)]
        return (torch.stack(guesses, 1) == said).float().mean(0)


def batch(size: int, rng: random.Random) -> tuple[Tensor, Tensor]:
    """Token ids and labels of fresh captions."""
    pairs = [captions.caption(scenes.imagine(rng), rng) for _ in range(size)]
    return tokens([said for said, _ in pairs]), labels([said for _, said in pairs])


def _loss(model: CLIPTextModel, heads: FactHeads, ids: Tensor, said: Tensor) -> Tensor:
    return heads.loss(model(ids).last_hidden_state, ids, said)


def train(
    model: CLIPTextModel, heads: FactHeads, path: Path, budget: Budget, report: Report
) -> None:
    """Teach the text model to read, on captions alone."""
    training = Training(path, {"text": (model, 1.0), "heads": (heads, 1.0)}, 3e-3, budget, seed=4)
    held_out = batch(500, random.Random(1234))  # noqa: S311
    while training.progress < 1:
        ids, said = batch(48, training.rng)
        training.descend(
            [functools.partial(_loss, model, heads, ids, said)],
            cosine(training.progress, training.step),
        )
        if training.save_sometimes() or training.step % 100 == 0:
            with training.averaged():
                right = heads.accuracy(model(held_out[0]).last_hidden_state, *held_out)
            worst = list(ATTRIBUTES)[int(right.argmin())]
            report(
                f"reader {training.step}: loss {training.recent:.4f}, facts read {right.mean():.4f},"
                f" worst {worst} {right.min():.3f}"
            )
    training.save()
    training.keep_averages()
