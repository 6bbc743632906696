"""What becomes of a result: kept in the store, told to the journal; and the waypoints on its way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .caller import reason
from .canonical import canonical, digest
from .codecs import content_digest
from .constructs import GATHER, PLAIN
from .events import Warned
from .explain import made_of
from .history import History
from .journal import Entry, Journal
from .keyring import Keyring
from .node import Route, Waypoints
from .program import Call
from .records import Note
from .runtime import Runtime
from .store import Store
from .waypoints import StoredRoute


@dataclass
class Keeper:
    """Keeps the results of one run.

    `tell` hands a warning to whoever watches.
    """

    run: str
    workflow: str
    store: Store
    runtime: Runtime
    keys: Keyring
    history: History
    tell: Callable[[Warned], None]
    journal: Journal | None = None
    noted: set[str] = field(default_factory=set)
    """The types whose code the journal was told."""

    def begin(self) -> None:
        """Note that the run begins."""
        if self.journal is not None:
            self.journal.begin(self.run, self.workflow, self.runtime.profile)
        self.store.begin(lambda message: self.tell(Warned(message)))

    def end(self) -> None:
        """Write down what was noted."""
        if self.journal is not None:
            self.journal.flush()

    def keep(
        self, call: Call, outputs: Mapping[str, Any], seconds: float, *, is_wanted: bool
    ) -> int:
        """Store a result, and tell the journal of it; the bytes that it takes.

        Args:
            call: The node that gave it; its key is known.
            outputs: The outputs by name.
            seconds: What making it took.
            is_wanted: It is what the run is for.

        Raises:
            OSError: See `Store.put`.
            StoreError: See `Store.put`.
            ValueError: See `Store.put`.
        """
        key, name = self.keys.known[call.id], call.type.name
        keep = name != GATHER and (is_wanted or call.type.delivers)
        peak = self.history.peaks.get(call.id)
        trace = self.history.ran(call, seconds)
        note = self.store.put(
            key, outputs, name, seconds, keep=keep, run=self.run, peak=peak, trace=trace
        )
        if self.journal is not None and name not in PLAIN:
            self._note_down(self.journal, call, key, note)
        return note.size

    def waypoints(self, call: Call) -> Waypoints:
        """Where a call stores how far it came: routes by the node's code and what they are made of."""

        def warn(error: Exception) -> None:
            self.tell(unkept("the way so far could not be stored", call, error))

        def waypoints(*made_of: Any) -> Route:
            code = self.keys.digests.code(call.type)
            content = content_digest(self.runtime.codecs, list(made_of))
            key = digest(canonical([code, dict(self.runtime.profile), content]))
            return StoredRoute(self.store, key, call.type.name, warn, self.run)

        return waypoints

    def _note_down(self, journal: Journal, call: Call, key: str, note: Note) -> None:
        digests = self.keys.digests
        if call.type.name not in self.noted:
            self.noted.add(call.type.name)
            journal.code(digests.code(call.type), digests.files(call.type))
        parts = made_of(call, self.keys.known, digests)
        journal.note(
            Entry(
                key, call.id, self.workflow, note.type_name, self.run, note.created, note.seconds,
                note.size, note.peak, parts, work=call.amount,
            )
        )  # fmt: skip


def unkept(what: str, call: Call, error: Exception) -> Warned:
    """The warning that something of a node could not be kept, and what to do."""
    remedy = (
        "; see that its disk has space and may be written" if isinstance(error, OSError) else ""
    )
    return Warned(f"{what}: {reason(error)}{remedy}", call.id)
