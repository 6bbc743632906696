"""A watch over a run: at which step its latents stopped being numbers."""

import torch
from torch import Tensor
from torch.nn import Module

from engine.errors import InputError
from nodes.widgets import PredictionType

from .samplers import Point


class Watch:
    """Tells at which step latents stopped being numbers.

    What a step gives is looked at when the next one is on its way, so that a device never waits.
    """

    def __init__(self, unet: Module, prediction_type: PredictionType) -> None:
        """Watch a run of a UNet that is taken to predict so."""
        self._unet, self._prediction_type = unet, prediction_type
        self._seen: tuple[int, Tensor] | None = None

    def saw(self, point: Point) -> None:
        """Note a point; see `check` for the one noted before."""
        finite = point.x.isfinite().all()
        self.check()
        self._seen = point.step, finite

    def check(self) -> None:
        """Look at the point noted last.

        Raises:
            InputError: It holds what is no number.
        """
        if self._seen is not None and not bool(self._seen[1]):
            raise InputError(
                f"after step {self._seen[0]} the latents hold values that are no numbers: {self._why()}",
                input="model",
            )

    def _why(self) -> str:
        """The likely cause, with its remedy."""
        dtypes = set()
        for name, weight in self._unet.named_parameters():
            dtypes.add(weight.dtype)
            if not weight.float().isfinite().all():
                return f"so do the model's weights ({name}): the file is damaged, get it anew"
        other = (
            f"it does not predict {self._prediction_type}, then give its prediction type by"
            " ModelSampling"
        )
        if torch.float16 in dtypes:
            return f"either the model overflowed in float16, then run it in float32 or bfloat16; or {other}"
        return f"either the guidance or a LoRA is too strong, then lower it; or {other}"
