"""The prompts of a run by their roles, with how they guide it."""

from dataclasses import dataclass

from nodes.values import Conditioning, DualGuidance, GuidanceRule, Model, PerpendicularNegative
from nodes.widgets import PredictionType


@dataclass(frozen=True, eq=False)
class Prompts:
    """What a run is to show and to avoid, and what the model's output means."""

    positive: Conditioning
    negative: Conditioning | None
    """None at a guidance scale of 1, which asks for none."""
    guidance_scale: float
    prediction_type: PredictionType
    rules: tuple[GuidanceRule, ...] = ()
    is_distilled: bool = False
    """Whether the model is a latent consistency model; see `predictions.bounded`."""

    @classmethod
    def of(
        cls, positive: Conditioning, negative: Conditioning, guidance_scale: float, model: Model
    ) -> "Prompts":
        """What a model is to show and to avoid."""
        is_asked = guidance_scale != 1 or any(
            isinstance(rule, DualGuidance | PerpendicularNegative) for rule in model.guidance
        )
        asked = negative if is_asked else None
        kind, rules = model.prediction_type, model.guidance
        return cls(positive, asked, guidance_scale, kind, rules, model.distilled)

    @property
    def roles(self) -> dict[str, Conditioning]:
        """What a model may be asked for, by the words of `asking.asked`."""
        found = {"positive": self.positive}
        if self.negative is not None:
            found["negative"] = self.negative
            for rule in self.rules:
                if isinstance(rule, DualGuidance):
                    found["middle"] = rule.middle
                elif isinstance(rule, PerpendicularNegative):
                    found["empty"] = rule.empty
        return found
