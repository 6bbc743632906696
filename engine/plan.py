"""A dry run: which nodes are stored, which will run, and why."""

from dataclasses import dataclass
from time import localtime, strftime
from typing import Literal

from .keys import VOLATILE, TypeDigests
from .program import LATE, Call, Program
from .records import Note
from .runtime import Runtime
from .store import Store


@dataclass(frozen=True, slots=True)
class PlannedNode:
    """What a run would do about one node, and the reason in words."""

    state: Literal["stored", "run"]
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do. Nodes that nothing asks for do not appear."""

    nodes: dict[str, PlannedNode]

    @property
    def running(self) -> list[str]:
        """The nodes that would run, sources first."""
        return [node for node, planned in self.nodes.items() if planned.state == "run"]


def make_plan(program: Program, store: Store, runtime: Runtime) -> Plan:
    """Say for every node that the targets ask for whether it is stored or will run.

    Reads records' notes only, no tensor; linear in the graph.
    """
    keys = program.keys(TypeDigests(runtime.profile))
    needed: dict[str, Note | None] = {}
    pending = list(program.targets)
    while pending:
        node = pending.pop()
        if node in needed:
            continue
        needed[node] = store.note(keys[node], runtime.delivery)
        if needed[node] is None:
            pending.extend(link.node for link in program.calls[node].eager)
    reachable = program.behind(program.targets, lazy=True)
    running = [program.calls[node] for node, note in needed.items() if note is None]
    perhaps = program.behind([link.node for call in running for link in call.lazy], lazy=True)
    planned: dict[str, PlannedNode] = {}
    for node, call in program.calls.items():
        if node in needed:
            planned[node] = _needed(call, needed[node], keys, planned)
        elif node in perhaps:
            planned[node] = _asked_for_later(store.note(keys[node], runtime.delivery))
        elif node in reachable:
            planned[node] = PlannedNode("stored", "not needed: what follows it is stored")
    return Plan(planned)


def _needed(
    call: Call, note: Note | None, keys: dict[str, str], planned: dict[str, PlannedNode]
) -> PlannedNode:
    if note is not None:
        when = strftime("%Y-%m-%d %H:%M:%S", localtime(note.created))
        return PlannedNode("stored", f"stored on {when}; making it took {note.seconds:.2f} s")
    if call.type.volatile:
        return PlannedNode("run", "its result depends on more than its inputs: it runs each time")
    if call.fingerprint is LATE:
        return PlannedNode("run", "which file it reads is known only while running")
    for link in call.eager:
        if planned[link.node].state == "run":
            return PlannedNode("run", f'it follows "{link.node}", which will run')
    if keys[call.id].startswith(VOLATILE):
        return PlannedNode("run", "it follows a node that runs each time")
    return PlannedNode("run", "no result is stored for these inputs, files, code and libraries")


def _asked_for_later(note: Note | None) -> PlannedNode:
    if note is not None:
        return PlannedNode("stored", "stored, if a lazy input asks for it")
    return PlannedNode("run", "only if a lazy input asks for it")
