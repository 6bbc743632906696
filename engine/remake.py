"""Making a delivered file again from what it tells."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .canonical import canonical
from .check import compile_graph
from .conditions import Conditions, Drift, FileRead, conditions, drift, known_keys
from .errors import GraphError, InputError, Problem, StoreError
from .keys import TypeDigests
from .links import Link
from .literals import validated
from .node import NodeType
from .program import Call, Program, behind
from .provenance import Provenance
from .runtime import Files, Runtime
from .workflow import Workflow


@dataclass(frozen=True)
class Remake:
    """What has to be run to make a file again. `notes` say in words what is not as one may think."""

    told: Provenance
    program: Program
    runtime: Runtime
    notes: tuple[str, ...] = field(default=())

    def drift(self) -> list[Drift]:
        """What is not as it was when the file was made."""
        calls = self.program.calls
        nodes = behind(calls, self.program.targets, lazy=True)
        needed = [calls[node] for node in calls if node in nodes]
        now = conditions(needed, self.told.inputs, TypeDigests(self.runtime.profile), self.runtime)
        then: Conditions = self.told
        if not self.told.is_full:
            now = Conditions(profile=now.profile)
        places = {call.type.name: call.id for call in reversed(needed)}
        return drift(then, now, places)


def prepare(told: Provenance, catalog: Mapping[str, NodeType], runtime: Runtime) -> Remake:
    """What makes a file again: its graph as far as its node needs it, with what was given then.

    Raises:
        GraphError: A file is missing, a node type is unknown, or the graph cannot run otherwise.
        InputError: What the file tells contradicts itself.
    """
    notes = place_files(told, runtime.files)
    program = compile_graph(Workflow.from_json(dict(told.workflow)), catalog, runtime)
    if told.node in program.calls:
        program = replace(program, targets=(told.node,), outputs={})
    elif not any(told.node.startswith(f"{each.prefix}/") for each in program.unfolds.values()):
        raise InputError(
            f"the provenance is damaged: its node {told.node!r} is not in its own workflow; take the"
            " file as Darkroom saved it",
            code="damaged_file",
        )
    calls = {node: _as_told(call, told) for node, call in program.calls.items()}
    program = replace(program, calls=calls, given=_given(told, program, runtime))
    if not told.is_full:
        notes += _of_old_format(told, program, runtime)
    for node in sorted(behind(program.calls, program.targets, lazy=True)):
        call = calls[node]
        if call.type.volatile and node not in program.given:
            notes.append(
                f'{call.type.name} "{node}" runs each time, and what it gave then is not told:'
                " it runs anew"
            )
    return Remake(told, program, runtime, tuple(notes))


def place_files(told: Provenance, files: Files) -> list[str]:
    """See that the files are there; where one has changed or is gone, take one of the same content.

    Returns:
        What stands in for what, in words.

    Raises:
        GraphError: With every file that is missing, by name and digest.
    """
    notes, problems = [], []
    for file in told.files:
        if not file.kind:
            continue
        there, sha256 = _looked_at(files, file)
        if sha256 == file.sha256:
            continue
        other = files.search(file.kind, file.sha256, file.size)
        if other is not None:
            files.stand_in(file.kind, file.name, other)
            fault = "has other content now" if there else "is not there"
            notes.append(f"{file.name} {fault}; {other} has the content it had, and is taken")
        elif not there:
            node, name = file.read_by[0]
            problems.append(
                Problem(
                    "missing_file",
                    f"{file.name} is not there, and no other file has its content"
                    f" (sha256 {file.sha256}): put it back, under any name",
                    node,
                    name,
                )
            )
    if problems:
        raise GraphError(problems)
    return notes


def _looked_at(files: Files, file: FileRead) -> tuple[bool, str]:
    try:
        return True, files.describe(file.kind, file.name)[0]
    except (InputError, OSError):
        return False, ""


def _as_told(call: Call, told: Provenance) -> Call:
    """The call with the values it had then, where a default has become another one since."""
    texts, arguments = dict(call.texts), dict(call.arguments)
    read = told.types.get(call.type.name)
    if read is not None and read.version != call.type.version:
        return call
    for name, value in told.inputs.get(call.id, {}).items():
        if name in texts and canonical(value) != texts[name]:
            try:
                arguments[name] = validated(call.type.inputs[name], value)
            except ValueError as error:
                raise _damaged(f"{name} of {call.id!r} is {value!r:.60}") from error
            texts[name] = canonical(value)
    return replace(call, texts=texts, arguments=arguments)


def _given(told: Provenance, program: Program, runtime: Runtime) -> dict[str, Mapping[str, Any]]:
    """What volatile nodes gave then."""
    if not told.is_full:
        return _given_to_consumers(told, program)
    try:
        return {node: runtime.codecs.decode(tree, {}) for node, tree in told.given.items()}
    except (StoreError, KeyError, TypeError, ValueError) as error:
        raise _damaged(f"given holds {error!r}") from error


def _given_to_consumers(told: Provenance, program: Program) -> dict[str, Mapping[str, Any]]:
    """What volatile nodes gave, read off at the inputs that it went into."""
    found: dict[str, dict[str, Any]] = {}
    for call, name, link in _direct_links(program):
        recorded = told.inputs.get(call.id, {})
        if program.calls[link.node].type.volatile and name in recorded:
            found.setdefault(link.node, {})[link.output] = recorded[name]
    return dict(found)


def _direct_links(program: Program) -> Iterator[tuple[Call, str, Link]]:
    for call in program.calls.values():
        for name in call.linked:
            if isinstance(call.arguments[name], Link):
                yield call, name, call.arguments[name]


def _of_old_format(told: Provenance, program: Program, runtime: Runtime) -> list[str]:
    missing = "neither files nor node types nor the machine"
    notes = [f"its provenance is of version 1, which tells {missing}: they cannot be compared"]
    key = known_keys(program, TypeDigests(runtime.profile)).get(told.node)
    if key is not None and key == told.key:
        notes.append("its key is the same today: files, code and libraries are what they were")
    return notes


def _damaged(fault: str) -> InputError:
    return InputError(
        f"the provenance is damaged ({fault}): take the file as Darkroom saved it",
        code="damaged_file",
    )
