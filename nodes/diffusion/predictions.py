"""What a model was trained to predict: what it reads and means, and what its files say of it.

Symbols: `x` noisy latents with x = x0 + sigma * noise, `eps` the noise, `v` and `u` mixtures of both.
"""

import math
import re
import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nodes.widgets import PredictionType

if TYPE_CHECKING:  # what a file is can be told without torch
    from torch import Tensor

_NOISE_ALONE = "ztsnr"
"""The key by which trainers say that their noise ends in noise alone, which needs v-prediction."""
_MARKS = ("v_pred", _NOISE_ALONE)
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


def scaled(x: "Tensor", sigma: float, prediction_type: PredictionType) -> "Tensor":
    """The latents as the model reads them.

    With alpha^2 + spread^2 = 1, or for flows alpha + spread = 1 (Liu et al. 2022, arXiv:2209.03003).
    """
    if prediction_type == "flow_prediction":
        return x / (1 + sigma)
    return x / math.sqrt(1 + sigma**2)


def denoised(
    output: "Tensor", x: "Tensor", sigma: float, prediction_type: PredictionType
) -> "Tensor":
    """The estimate of x0 that a model's output means."""
    if prediction_type == "epsilon":
        return x - sigma * output
    if prediction_type == "v_prediction":  # Salimans and Ho 2022, app. D, arXiv:2202.00512
        return x / (1 + sigma**2) - output * (sigma / math.sqrt(1 + sigma**2))
    if prediction_type == "flow_prediction":  # u = noise - x0
        return (x - sigma * output) / (1 + sigma)
    return output


def bounded(estimate: "Tensor", x: "Tensor", timestep: float) -> "Tensor":
    """The estimate of x0 that a latent consistency model gives, which is x itself at timestep 0.

    By c_skip and c_out of Luo et al. 2023, sec. 4.1 (arXiv:2310.04378), with the time of Song et al.
    2023 (arXiv:2303.01469) ten times the timestep: below 1e-5 at those of the distillation.
    """
    variance, time = _DATA**2, 10.0 * timestep
    skip = variance / (time**2 + variance)
    return estimate * (time / math.sqrt(time**2 + variance)) + x * skip


_DATA = 0.5
"""The standard deviation of data that the boundary of consistency models is made for."""


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


def ends_in_noise(names: Collection[str]) -> bool:
    """Whether a file says that its model's noise ends in noise alone: a zero terminal SNR."""
    return _NOISE_ALONE in names


_BIAS = re.compile(r"up_blocks\.(\d+)\.attentions\.(\d+)\.transformer_blocks\.0\.norm1\.bias$")
_SPREAD = 0.09
"""The rule and its threshold are ComfyUI's; the published models lie far to either side."""


def telling_bias(names: Collection[str]) -> str | None:
    """The tensor of a UNet, by diffusers' names, whose numbers lie apart in SD 2.x models that predict v."""
    found = [match for match in map(_BIAS.match, names) if match is not None]
    last = max(found, key=lambda match: (int(match[1]), int(match[2])), default=None)
    return None if last is None else last[0]


def by_bias(values: Sequence[float]) -> PredictionType:
    """What an SD 2.x model probably predicts, by that tensor's numbers."""
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return "v_prediction" if spread > _SPREAD else "epsilon"
