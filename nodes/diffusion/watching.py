"""A watch over a run: at which step its latents stopped being numbers."""

from torch import Tensor

from engine.errors import InputError
from nodes.widgets import PredictionType

from .samplers import Point


class Watch:
    """Tells at which step latents stopped being numbers.

    What a step gives is looked at when the next one is on its way, so that a device never waits.
    """

    def __init__(self, prediction_type: PredictionType) -> None:
        self._prediction_type = prediction_type
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
                f"after step {self._seen[0]} the latents hold values that are no numbers: either the"
                " model overflowed in 16 bits, then run it in float32 or bfloat16; or it does not"
                f" predict {self._prediction_type}, then give its prediction type",
                input="model",
            )
