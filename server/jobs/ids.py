"""Ids of jobs: unique, and sorted by the time of their making."""

import secrets
import time
from uuid import UUID


class Ids:
    """Makes UUIDs of version 7. They grow also while the clock goes back."""

    def __init__(self) -> None:
        self.last = 0
        """Milliseconds since 1970, with 12 bits of counting below."""

    def fresh(self) -> str:
        """An id that nobody has; unique by chance of its 62 random bits, whatever the clock."""
        self.last = max(self.last + 1, time.time_ns() // 10**6 << 12)
        milliseconds, count = self.last >> 12 & (2**48 - 1), self.last & 0xFFF
        number = milliseconds << 80 | 7 << 76 | count << 64 | 2 << 62 | secrets.randbits(62)
        return str(UUID(int=number))
