"""The lock file: what a workflow depends on, written down, and whether that still holds."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .canonical import canonical, digest
from .conditions import Conditions, conditions, drift, known_keys
from .errors import InputError, Problem
from .keys import TypeDigests
from .program import Program
from .runtime import Runtime
from .workflow import Workflow

FORMAT = 1


class Lock(BaseModel):
    """What a workflow is made of and depends on, by digests."""

    model_config = ConfigDict(frozen=True)

    darkroom_lock: int = FORMAT
    nodes: Mapping[str, str]
    """The digest of each node of the document, its values and links included."""
    rest: str
    """The digest of the document's named inputs and outputs, and its subgraphs."""
    conditions: Conditions
    outputs: Mapping[str, str] = Field(default_factory=dict)
    """The key of each named output, where it is known before a run."""

    def text(self) -> str:
        """Canonical JSON: what goes into the file."""
        return canonical(self.model_dump(mode="json")) + "\n"


def locked(document: Workflow, program: Program, runtime: Runtime) -> Lock:
    """The lock of a workflow as it is now.

    Args:
        document: The workflow as it stands in its file.
        program: The workflow to run, compiled, perhaps with other values.
        runtime: What this machine lends.
    """
    digests = TypeDigests(runtime.profile)
    told = conditions(program.calls.values(), _inputs(program), digests, runtime)
    python = {name: told.machine[name] for name in ("python",) if name in told.machine}
    bundled = replace(document, subgraphs=program.workflow.subgraphs).to_json()
    keys = known_keys(program, digests)
    return Lock(
        nodes={node: _digest(placed) for node, placed in bundled["nodes"].items()},
        rest=_digest([bundled["inputs"], bundled["outputs"], bundled.get("subgraphs")]),
        conditions=told.model_copy(update={"machine": python}),
        outputs={
            name: keys[link.node] for name, link in program.outputs.items() if link.node in keys
        },
    )


def parse(text: str, source: str) -> Lock:
    """The lock in a file's text; `source` names the file in messages.

    Raises:
        InputError: It is damaged, or of a newer version.
    """
    try:
        found = Lock.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(
            f"the lock file {source} is damaged ({place}: {first['msg']})",
            code="damaged_lock",
            hint="restore it, or lock the workflow again",
        ) from error
    if found.darkroom_lock != FORMAT:
        raise InputError(
            f"the lock file {source} has version {found.darkroom_lock}, this program reads {FORMAT}",
            code="version",
            hint="update Darkroom, or lock the workflow again",
        )
    return found


def lock_problems(
    then: Lock, now: Lock, program: Program, *, changed: bool, remedy: str
) -> list[Problem]:
    """Everything that is not as it was locked; none if all of it is.

    Args:
        then: The lock.
        now: What the workflow would be locked as.
        program: The workflow to run.
        changed: Values were set for this run, so that the outputs have other keys.
        remedy: How to lock again.
    """
    places = {call.type.name: node for node, call in reversed(list(program.calls.items()))}
    hint = f"restore it, or lock again: {remedy}"
    found = list(_changed_document(then, now))
    for each in drift(then.conditions, now.conditions, places):
        if each.node is None:
            found.append(Problem("lock_drift", each.text))
            continue
        place = program.places.get(each.node, each.node)
        text = f'{program.calls[each.node].type.name} "{place}": {each.text}'
        found.append(Problem("lock_drift", text, place, each.input))
    if not found and not changed:
        for name in then.outputs.keys() & now.outputs.keys():
            if then.outputs[name] != now.outputs[name]:
                text = f"output {name!r} depends on something that is not as it was locked"
                found.append(Problem("lock_drift", text))
    return [replace(problem, hint=hint) for problem in found]


def _changed_document(then: Lock, now: Lock) -> Iterator[Problem]:
    for node in dict.fromkeys([*then.nodes, *now.nodes]):
        before, after = then.nodes.get(node), now.nodes.get(node)
        if before == after:
            continue
        what = "was added" if before is None else "was removed" if after is None else "was changed"
        text = f'the workflow is not the one that was locked: node "{node}" {what}'
        yield Problem("lock_drift", text, node if after is not None else None)
    if then.rest != now.rest:
        text = "the workflow is not the one that was locked: its named inputs or outputs, or its subgraphs, were changed"
        yield Problem("lock_drift", text)


def _inputs(program: Program) -> dict[str, dict[str, Any]]:
    """The values of inputs, as far as they are known before a run."""
    return {
        node: {name: json.loads(text) for name, text in call.texts.items()}
        for node, call in program.calls.items()
    }


def _digest(value: object) -> str:
    return digest(canonical(value))
