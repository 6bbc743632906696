"""A posted prompt becoming a job: what can run of it runs, and what cannot is told why."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog

from engine.errors import GraphError, InputError, Problem
from engine.workflow import Endpoint, Workflow
from server.admission import QUICK, admit
from server.catalogue import Catalogue
from server.failures import read_problem
from server.homes import home
from server.jobs.model import Job
from server.jobs.submission import IdempotencyConflict
from server.service import Asked, Service
from server.workers.spec import WorkerLost

from .faults import check_types, refusal
from .graph import Json
from .importer import Imported, import_graph
from .posted import Origin, Posted, RefusedError
from .translation import KEPT

EMBEDDED = "embedded"
"""Under which a document keeps the texts that ComfyUI writes into pictures."""
_FOREMOST = 1000
"""The highest priority, as in the native API."""
_LONGEST_KEY = 79
log = structlog.get_logger("comfyui")


@dataclass(frozen=True)
class Accepted:
    """A job, with the errors of the nodes that are left out of it."""

    job: Job
    origin: Origin
    node_errors: Json


async def accept(service: Service, user: str, posted: Posted) -> Accepted:
    """Queue a prompt. Outputs that cannot run are left out as long as one can.

    Raises:
        RefusedError: Nothing of it can run.
        Refused: The server takes nothing now.
    """
    catalogue = await service.types()
    whole = await _imported(posted, catalogue)
    check_types(posted, whole)
    wanted = posted.wanted()
    if not wanted:
        raise RefusedError("prompt_no_outputs", "Prompt has no outputs")
    errors: Json = {}
    while True:
        part = posted.reduced_to(wanted)
        imported = (
            whole if len(part.prompt) == len(posted.prompt) else await _imported(part, catalogue)
        )
        origin = Origin.of(posted, imported, wanted)
        asked = _asked(posted, imported, origin)
        problems = await _problems(service, user, asked.workflow, catalogue)
        lost = any(finding.loss == "missing" for finding in imported.report.findings)
        if not lost and not problems:
            try:
                (job,) = await service.accept(user, [asked])
                return Accepted(job, origin, errors)
            except GraphError as error:
                problems = list(error.problems)
            except IdempotencyConflict as error:
                raise RefusedError("invalid_prompt_id", str(error), posted.prompt_id) from error
            except InputError as error:
                raise RefusedError("invalid_prompt", str(error)) from error
        if len(part.prompt) <= QUICK:
            refused = refusal(part, imported, problems)
        else:
            refused = await asyncio.to_thread(refusal, part, imported, problems)
        errors |= refused.answer["node_errors"]
        left = _left(wanted, refused)
        if not left or len(left) == len(wanted):
            refused.answer["node_errors"] = errors
            raise refused
        wanted = left


def _left(wanted: Sequence[str], refused: RefusedError) -> list[str]:
    """The outputs that no error stands in the way of."""
    told = refused.answer["node_errors"].values()
    bad = {output for each in told for output in each["dependent_outputs"]}
    return [output for output in wanted if output not in bad]


async def _imported(posted: Posted, catalogue: Catalogue) -> Imported:
    try:
        if len(posted.prompt) <= QUICK:
            return import_graph(posted.prompt, catalogue.by_name)
        return await asyncio.to_thread(import_graph, posted.prompt, catalogue.by_name)
    except GraphError as error:
        if not posted.prompt:
            raise RefusedError("prompt_no_outputs", "Prompt has no outputs") from error
        raise RefusedError("invalid_prompt", str(error)) from error


async def _problems(
    service: Service, user: str, workflow: Workflow, catalogue: Catalogue
) -> list[Problem]:
    """What is wrong with a graph: what can be said at once, and what a worker says of its files."""
    found: list[Problem] = []
    try:
        await asyncio.to_thread(admit, workflow, catalogue, service.limits)
    except GraphError as error:
        found = list(error.problems)
    inputs = str(home(service.settings.data, user).inputs)
    try:
        answer = await service.pool.ask("check", document=workflow.to_json(), inputs=inputs)
    except WorkerLost as error:
        log.warning("a prompt's files were not looked at", reason=str(error))
        return found
    if answer.error is not None:
        log.warning("a prompt's files were not looked at", **answer.error)
        return found
    known = {(problem.node, problem.input) for problem in found}
    told = [read_problem(each) for each in answer.value["problems"]]
    return [*found, *(each for each in told if (each.node, each.input) not in known)]


def _asked(posted: Posted, imported: Imported, origin: Origin) -> Asked:
    outputs = {
        node: Endpoint(imported.ids[node][0], "value")
        for node in origin.outputs
        if node in imported.ids
    }
    extra = dict(imported.workflow.extra)
    extra[KEPT] = {**extra.get(KEPT, {}), EMBEDDED: _embedded(posted)}
    workflow = replace(imported.workflow, outputs=outputs, extra=extra)
    number = posted.number
    priority = 0
    if number is not None and number < 0:
        priority = min(math.ceil(-number), _FOREMOST)
    return Asked(
        workflow=workflow,
        priority=priority,
        front=posted.front or number == 0,
        id=posted.prompt_id,
        origin=origin.to_json(),
    )


def _embedded(posted: Posted) -> Json:
    """What ComfyUI writes into each picture: the prompt, and what the front end adds."""
    texts: Json = {"prompt": posted.prompt}
    further: Any = posted.extra.get("extra_pnginfo")
    for name, value in (further if isinstance(further, dict) else {}).items():
        if 0 < len(name) <= _LONGEST_KEY and name.isascii() and name.isprintable():
            texts[name] = value
    return texts
