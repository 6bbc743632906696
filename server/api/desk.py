"""Questions to the desk, the worker process that answers instead of running jobs."""

from typing import Any

from engine.errors import GraphError
from server.access import Principal
from server.failures import read_problem
from server.homes import home
from server.service import Service
from server.workers.messages import Answer

from .problems import ApiError, Fault

_OURS = frozenset({"internal", "disk_full", "unavailable"})
"""Kinds of failures that are no fault of the one who asked."""


async def ask(service: Service, question: str, **arguments: Any) -> Answer:
    """The desk's answer.

    Raises:
        GraphError: The question was about a graph that has problems.
        ApiError: It could not be answered.
        WorkerLost: The desk died.
    """
    answer = await service.pool.ask(question, **arguments)
    if answer.error is None:
        return answer
    problems = [problem for problem in answer.error.get("problems", ()) if problem.get("message")]
    found = [read_problem(problem) for problem in problems]
    if "document" in arguments and found:
        raise GraphError(found)
    kind = answer.error.get("kind")
    code = kind if kind in _OURS else "invalid_value"
    detail = str(answer.error.get("detail") or (found[0].message if found else question))
    raise ApiError(code, detail, faults=[Fault.of(problem) for problem in found])


def where(service: Service, principal: Principal) -> dict[str, str]:
    """The caller's folders, and whose stored results they see."""
    own = home(service.settings.data, principal.user)
    return {
        "inputs": str(own.inputs),
        "outputs": str(own.outputs),
        "previews": str(own.previews),
        "namespace": service.dispatcher.policy.namespace(principal.user),
    }
