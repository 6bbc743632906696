"""Requests that come again: known by their `Idempotency-Key`, and answered as the first time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from pydantic import BaseModel

from server.jobs.model import Job
from server.service import Service, fingerprint


@dataclass(frozen=True, slots=True)
class Repeat:
    """What makes a request known again: its key, and what it asked for as it was sent.

    What was sent counts, not what became of it: a saved workflow may be another by now.
    """

    keys: tuple[str, ...]
    """One for each job."""
    fingerprint: str

    @classmethod
    def of_one(cls, key: str | None, body: BaseModel, workflow: str = "") -> "Self | None":
        """Of a request for one job, of a saved workflow if one is named; none if it has no key."""
        return None if key is None else cls((key,), fingerprint([workflow, _sent(body)]))

    @classmethod
    def of_batch(cls, key: str | None, bodies: Sequence[BaseModel]) -> "Self | None":
        """Of a request for several jobs; none if it has no key."""
        if key is None:
            return None
        # The space is in no key that a request gives, so that a batch meets no other request.
        keys = tuple(f"{fingerprint(key)} {place}" for place in range(len(bodies)))
        return cls(keys, fingerprint([_sent(body) for body in bodies]))

    async def jobs(self, service: Service, owner: str) -> list[Job]:
        """The jobs that the same request made before; none if it was not made, or they are gone.

        Raises:
            IdempotencyConflict: Another request had the key.
        """
        return await service.jobs.made_before(owner, self.keys, self.fingerprint)


def _sent(body: BaseModel) -> object:
    return body.model_dump(mode="json", exclude_unset=True)
