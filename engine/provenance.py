"""What a delivered file tells of itself: its graph, and everything that it was made of."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError

from .conditions import Conditions, Inputs
from .errors import InputError

FORMAT = 2
"""The version that this program writes. Files of version 1 tell neither files nor node types."""


class Provenance(Conditions):
    """How one delivered file was made."""

    provenance: int = 1
    workflow: Mapping[str, Any]
    node: str
    """The output node."""
    key: str = ""
    inputs: Inputs = Field(default_factory=dict)
    """Of every node behind, defaults and what came by links included."""
    given: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    """What volatile nodes gave, as the store's codecs write it."""
    costs: Mapping[str, Mapping[str, int | float]] = Field(default_factory=dict)
    """Seconds, and bytes of memory at the peak, of the nodes behind that took some."""
    run: str = ""
    time: str = ""
    index: int = 0
    """Which of the files that the node delivered at once, from 0."""
    count: int = 1

    @property
    def is_full(self) -> bool:
        """Whether it tells the conditions, as files do since version 2."""
        return self.provenance >= FORMAT

    def to_json(self) -> dict[str, Any]:
        """The JSON that goes into the file."""
        return self.model_dump(mode="json")


def read(carried: Mapping[str, Any], source: str) -> Provenance:
    """The provenance in JSON from a file; `source` names the file in messages.

    Raises:
        InputError: It is damaged, or of a newer version.
    """
    try:
        found = Provenance.model_validate(dict(carried))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(
            f"the provenance in {source} is damaged ({place}: {first['msg']}): take the file as"
            " Darkroom saved it",
            code="damaged_file",
        ) from error
    if found.provenance > FORMAT:
        raise InputError(
            f"the provenance in {source} has version {found.provenance}, this program reads up to"
            f" {FORMAT}: update Darkroom",
            code="version",
        )
    return found
