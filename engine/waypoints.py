"""Waypoints: where a long node stores how far it came, within a share of its time."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .artifacts import here
from .canonical import digest
from .errors import StoreError
from .node import NodeType
from .store import Store

SHARE = 0.01
"""How much of a node's time its waypoints may take."""
_FIRST_COST = 0.01
"""Seconds that storing is taken to cost before it was measured."""


@dataclass
class StoredRoute:
    """A route in the store: a record for each step that was stored.

    A step is stored once the time since the last one is worth it, so that storing takes at most
    `SHARE` of the time.
    """

    store: Store
    key: str
    type_name: str
    warn: Callable[[Exception], None]
    run: str = ""
    reached: float = field(default_factory=time.perf_counter)
    cost: float = _FIRST_COST

    def last(self, most: int) -> tuple[int, Any] | None:
        """The furthest stored step of at most `most`, with what was stored there; none if none is."""
        for step in range(most, 0, -1):
            record = self.store.get(self._at(step), here, share=False)
            if record is not None:
                return step, record.outputs[NodeType.single]
        return None

    def offer(self, step: int, value: Callable[[], Any]) -> None:
        """Store what `value()` gives for a step, if that is worth its cost by now."""
        started = time.perf_counter()
        if (started - self.reached) * SHARE < self.cost:
            return
        elapsed = started - self.reached
        try:
            outputs = {NodeType.single: value()}
            self.store.put(
                self._at(step),
                outputs,
                self.type_name,
                elapsed,
                keep=True,
                run=self.run,
                share=False,  # a step is asked for after the other: too many questions for a network
            )
        except (OSError, StoreError, ValueError) as error:
            self.warn(error)
            self.cost = math.inf  # once is enough: the node goes on without waypoints
            return
        self.reached = time.perf_counter()
        self.cost = self.reached - started

    def _at(self, step: int) -> str:
        return digest(f"{self.key}@{step}")
