"""How often somebody may do something: buckets that leak."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

MOST_KEYS = 20_000


@dataclass
class Buckets:
    """A bucket of tokens for each key: each use takes one, and they grow back at a rate.

    The keys that were used longest ago are forgotten, so that strangers cannot fill the memory.
    """

    rate: float
    """Tokens that grow back in a second."""
    burst: float
    """Tokens in a full bucket."""
    clock: Callable[[], float] = time.monotonic
    _held: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def take(self, key: str, cost: float = 1.0) -> float:
        """Take tokens out; 0 if they were there, else the seconds until they are."""
        now = self.clock()
        tokens = self._tokens(key, now)
        wait = 0.0 if tokens >= cost else (cost - tokens) / self.rate
        self._keep(key, tokens if wait else tokens - cost, now)
        return wait

    def wait(self, key: str, cost: float = 1.0) -> float:
        """The seconds until tokens could be taken; takes none."""
        return max(0.0, (cost - self._tokens(key, self.clock())) / self.rate)

    def give_back(self, key: str, cost: float = 1.0) -> None:
        """Put tokens back that were taken for nothing."""
        now = self.clock()
        self._keep(key, self._tokens(key, now) + cost, now)

    def forgive(self, key: str) -> None:
        """Fill the bucket."""
        self._held.pop(key, None)

    def _tokens(self, key: str, now: float) -> float:
        tokens, then = self._held.get(key, (self.burst, now))
        return min(self.burst, tokens + max(0.0, now - then) * self.rate)

    def _keep(self, key: str, tokens: float, now: float) -> None:
        self._held[key] = (tokens, now)
        self._held.move_to_end(key)
        if len(self._held) > MOST_KEYS:
            self._held.popitem(last=False)
