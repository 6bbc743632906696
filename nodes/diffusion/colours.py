"""What latents look like, without decoding them: how much red, green and blue each channel stands for.

A linear approximation that was fitted to each autoencoder: picture = latents * channels + base, in -1 to 1.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from pydantic import TypeAdapter, ValidationError

from nodes.widgets import FamilyName

KEY = "preview_colours"
"""The metadata of a checkpoint that brings its own, as `Colours.written`."""
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Colours:
    """Red, green and blue for each channel of latents after the scaling factor."""

    channels: tuple[Colour, ...]
    base: Colour = (0.0, 0.0, 0.0)
    """Of latents that are zero."""

    def written(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))


SD = Colours(
    (
        (0.3512, 0.2297, 0.3227),
        (0.3250, 0.4974, 0.2350),
        (-0.2829, 0.1762, 0.2721),
        (-0.2120, -0.2616, -0.7177),
    )
)
"""Of SD 1.x and 2.x. These numbers and SDXL's are those that ComfyUI measured."""
SDXL = Colours(
    (
        (0.3651, 0.4232, 0.4341),
        (-0.2533, -0.0042, 0.1068),
        (0.1076, 0.1111, -0.0362),
        (-0.3165, -0.2492, -0.2188),
    ),
    (0.1084, -0.0175, -0.0011),
)
STARTER = Colours(
    (
        (-0.2596, -0.3161, 0.0769),
        (0.1013, 0.3280, 0.5524),
        (0.5007, 0.0646, 0.0696),
        (-0.1054, -0.0562, 0.0655),
    ),
    (0.1071, -0.0037, -0.0014),
)
"""Of the starter model that ships, by `nodes.starter.colours`: R^2 is 0.95, 0.95 and 0.94."""
FAMILIES: Mapping[FamilyName, Colours] = {"sd1": SD, "sd2": SD, "sdxl": SDXL, "refiner": SDXL}
"""None is known of the upscaler, whose autoencoder is another."""
_STARTER_TITLE = "Darkroom starter"
_READER = TypeAdapter(Colours)


def of_file(metadata: Mapping[str, str]) -> Colours | None:
    """The colours of a checkpoint whose autoencoder is its own. What cannot be read says nothing."""
    said = metadata.get(KEY)
    if said is None:
        return STARTER if metadata.get("title") == _STARTER_TITLE else None
    try:
        return _READER.validate_json(said)
    except ValidationError:
        return None
