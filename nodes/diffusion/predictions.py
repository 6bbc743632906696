"""What a model was trained to predict, as far as its files say so."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from nodes.values import PredictionType

_MARKS = ("v_pred", "ztsnr")
"""Keys of trainers: v-prediction, and a schedule that ends in noise alone, which needs it."""
_METADATA = ("modelspec.prediction_type", "modelspec.predict_key")
_WORDS: Mapping[str, PredictionType] = {
    "epsilon": "epsilon",
    "eps": "epsilon",
    "v": "v_prediction",
    "v_prediction": "v_prediction",
    "v-prediction": "v_prediction",
    "sample": "sample",
    "x0": "sample",
}


@dataclass(frozen=True)
class Prediction:
    """A prediction type, and where a file states it."""

    type: PredictionType
    stated: str


def of_file(names: Collection[str], metadata: Mapping[str, str]) -> tuple[Prediction, ...]:
    """What a safetensors file says: by its keys and in its metadata. Words unknown here say nothing."""
    found = [Prediction("v_prediction", f"its key {mark}") for mark in _MARKS if mark in names]
    for key in _METADATA:
        kind = _WORDS.get(metadata.get(key, "").lower())
        if kind is not None:
            found.append(Prediction(kind, f"its metadata {key}"))
    return tuple(found)
