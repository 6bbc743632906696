"""Asking the model: how often a run does, and for what. Never imports torch, so that plans can tell."""

from collections.abc import Sequence
from typing import TypeVar

from nodes.values import (
    DualGuidance,
    GuidanceInterval,
    GuidanceRule,
    PerpendicularNegative,
    PerturbedAttention,
)
from nodes.widgets import SamplerName

Rules = Sequence[GuidanceRule]
T = TypeVar("T", bound=GuidanceRule)
TWICE: frozenset[SamplerName] = frozenset(
    {"heun", "dpm_2", "dpm_2_ancestral", "dpmpp_2s_ancestral", "dpmpp_sde"}
)
"""Samplers that ask for two estimates in a step, but where it ends at no noise."""


def calls(sampler: SamplerName, step: int, steps: int, *, ends_clean: bool) -> int:
    """How many estimates a sampler asks for in a step.

    Args:
        sampler: The sampler.
        step: Which of the run, from 0.
        steps: Of the whole run.
        ends_clean: Whether the run ends at no noise.
    """
    is_last = step == steps - 1
    if sampler == "pndm":  # whose first step is Heun's
        return 2 if step == 0 and not is_last else 1
    if sampler not in TWICE:
        return 1
    return 1 if is_last and (ends_clean or sampler == "heun") else 2


def rule_of(rules: Rules, kind: type[T]) -> T | None:
    """The rule of one kind, if there is one."""
    return next((rule for rule in rules if isinstance(rule, kind)), None)


def asked(rules: Rules, sigma: float, *, has_negative: bool) -> tuple[str, ...]:
    """For what the model is asked at a noise level, in the order in which it is asked."""
    interval = rule_of(rules, GuidanceInterval)
    found = ["positive"]
    if interval is None or interval.low <= sigma <= interval.high:
        if has_negative:
            found.insert(0, "negative")
        if rule_of(rules, DualGuidance):
            found.append("middle")
        if rule_of(rules, PerpendicularNegative):
            found.append("empty")
    if rule_of(rules, PerturbedAttention):
        found.append("perturbed")
    return tuple(found)
