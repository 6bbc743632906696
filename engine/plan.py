"""A dry run: which nodes are stored, which will run, why, and what that is expected to cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .constructs import PLAIN
from .explain import Explainer, Reason, when
from .journal import Journal
from .keyring import Keyring
from .keys import TypeDigests
from .program import LATE, Call, Program, behind
from .records import Note
from .runtime import Runtime
from .store import Store


@dataclass(frozen=True, slots=True)
class PlannedNode:
    """What a run would do about one node, and the reason in words.

    `seconds`, `bytes` and `peak` (bytes of memory) are what a stored result took, and what the
    nearest one took where the node will run; none where nothing is known. Those seconds are scaled
    by how much there is to compute, where a node foretells that.
    """

    state: Literal["stored", "run"]
    why: str
    seconds: float | None = None
    bytes: int | None = None
    peak: int | None = None
    created: float | None = None
    run: str = ""
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do. Nodes that nothing asks for do not appear."""

    nodes: dict[str, PlannedNode]
    keys: Mapping[str, str]

    @property
    def running(self) -> list[str]:
        """The nodes that would run, sources first."""
        return [node for node, planned in self.nodes.items() if planned.state == "run"]

    @property
    def seconds(self) -> float:
        """How long the nodes that would run are expected to take, as far as that is known."""
        return sum(self.nodes[node].seconds or 0 for node in self.running)


def make_plan(
    program: Program, store: Store, runtime: Runtime, journal: Journal | None = None
) -> Plan:
    """Say for every node that the targets ask for whether it is stored or will run.

    Reads records' notes only, no tensor; linear in the graph. With a journal it also says what has
    changed, and what to expect.
    """
    return _Planner(program, store, runtime, journal).plan()


class _Planner:
    def __init__(
        self, program: Program, store: Store, runtime: Runtime, journal: Journal | None
    ) -> None:
        self.program, self.store, self.runtime = program, store, runtime
        digests = TypeDigests(runtime.profile)
        self.keys = Keyring(program.calls.values(), digests).known
        name = program.workflow.name
        self.explainer = None if journal is None else Explainer(journal, name, digests)
        self.planned: dict[str, PlannedNode] = {}

    def plan(self) -> Plan:
        calls, needed = self.program.calls, self._needed()
        reachable = behind(calls, self.program.targets, lazy=True)
        running = [calls[node] for node, note in needed.items() if note is None]
        perhaps = behind(calls, [link.node for call in running for link in call.lazy], lazy=True)
        for node, call in calls.items():
            if node in needed:
                self.planned[node] = self._needed_node(call, needed[node])
            elif node in perhaps:
                self.planned[node] = self._asked_for_later(call)
            elif node in reachable:
                self.planned[node] = self._not_needed(node)
        shown = {n: each for n, each in self.planned.items() if calls[n].type.name not in PLAIN}
        return Plan(shown, self.keys)

    def _needed(self) -> dict[str, Note | None]:
        """The nodes that are asked for whatever happens, with what is stored of them."""
        needed: dict[str, Note | None] = {}
        pending = list(self.program.targets)
        while pending:
            node = pending.pop()
            if node in needed:
                continue
            needed[node] = self._note(node)
            if needed[node] is None:
                pending.extend(link.node for link in self.program.calls[node].eager)
        return needed

    def _note(self, node: str) -> Note | None:
        key = self.keys.get(node)
        return None if key is None else self.store.note(key, self.runtime.delivery)

    def _needed_node(self, call: Call, note: Note | None) -> PlannedNode:
        if note is not None:
            return self._stored(f"{_when(note)}; making it took {note.seconds:.2f} s", note)
        if call.type.volatile:
            why = "its result depends on more than its inputs: it runs each time"
            return self._run(call, why)
        if call.fingerprint is LATE:
            return self._run(call, "which file it reads is known only while running")
        follows = [link.node for link in call.eager if self.planned[link.node].state == "run"]
        if call.id not in self.keys:
            why = "it follows a node that runs each time, and is made again if that gives something new"
            return self._run(call, why)
        return self._run(call, "", follows)

    def _asked_for_later(self, call: Call) -> PlannedNode:
        note = self._note(call.id)
        if note is not None:
            return self._stored("stored, if a lazy input asks for it", note)
        return self._run(call, "only if a lazy input asks for it")

    def _not_needed(self, node: str) -> PlannedNode:
        note = self._note(node)
        if note is None:
            return PlannedNode("stored", "not needed: what follows it is stored")
        return self._stored(f"{_when(note)}; not needed, for what follows it is stored", note)

    def _stored(self, why: str, note: Note) -> PlannedNode:
        return PlannedNode(
            "stored", why, note.seconds, note.size, note.peak, note.created, note.run
        )

    def _run(self, call: Call, why: str, follows: list[str] | None = None) -> PlannedNode:
        """A node that will run; without a reason it has one of its own, or follows others."""
        followed = f'it follows "{follows[0]}", which will run' if follows else ""
        generic = "no result is stored for these inputs, files, code and libraries"
        if self.explainer is None:
            return PlannedNode("run", why or followed or generic)
        reason = None
        if why:
            cost = self.explainer.similar(call)
        else:
            found = self.explainer.reason(call, self.keys, follows=bool(follows))
            cost = found.nearest
            reason = found if found.changes or not follows else None
            why = followed if reason is None else reason.text
        if cost is None:
            return PlannedNode("run", why, reason=reason)
        seconds = cost.seconds * _share(call.amount, cost.work)
        return PlannedNode("run", why, seconds, cost.bytes, cost.peak, reason=reason)


def _share(now: float | None, then: float | None) -> float:
    """How much more there is to compute than there was; 1 if that is not known."""
    return now / then if now is not None and then else 1.0


def _when(note: Note) -> str:
    by = f" by run {note.run}" if note.run else ""
    return f"stored on {when(note.created)}{by}"
