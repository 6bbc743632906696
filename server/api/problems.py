"""What went wrong, as problem documents (RFC 9457): one table from kinds of error to answers."""

import errno
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.errors import (
    EngineError,
    GraphError,
    InputError,
    NodeError,
    Problem,
    StoreError,
    os_reason,
)
from server.access import Refused
from server.database.faults import DatabaseFault
from server.jobs.submission import IdempotencyConflict
from server.workers.spec import WorkerLost

from .nearest import nearest_field

Json = dict[str, Any]
BASE = "/api/v1/problems/"
MEDIA_TYPE = "application/problem+json"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kind:
    """A kind of problem: what its code stands for."""

    status: int
    title: str
    text: str


KINDS: dict[str, Kind] = {
    "bad_json": Kind(400, "The body is not JSON", "The body could not be read as JSON (UTF-8, every name once in an object, finite numbers, not nested more than a few hundred deep)."),
    "bad_request": Kind(400, "The request was not understood", "The request is not proper HTTP, or contradicts itself."),
    "unauthorized": Kind(401, "Who is asking?", "Send a token as `Authorization: Bearer …`, or log in. The token may have expired."),
    "forbidden": Kind(403, "You are not allowed to do this", "The token or the user lacks the scope that the operation needs, or the request comes from a page of another site."),
    "not_found": Kind(404, "There is no such thing here", "Nothing has this address, or it belongs to another user."),
    "method_not_allowed": Kind(405, "This address does not take that method", "The header `Allow` lists the methods it takes."),
    "not_acceptable": Kind(406, "Not available in that form", "The header `Accept` asks for a form in which this is not available."),
    "timeout": Kind(408, "The request took too long", "The body did not arrive in time."),
    "conflict": Kind(409, "It is not in a state for this", "The thing is there, but what was asked does not go with its present state, such as retrying a job that still runs."),
    "idempotency_conflict": Kind(409, "The key was used for another request", "An `Idempotency-Key` stands for one request. The same key came with another body: take a new key for a new request."),
    "gone": Kind(410, "No longer here", "It was here and is not kept any more."),
    "precondition_failed": Kind(412, "It has changed in the meantime", "The revision in `If-Match` is not the present one: read it again, merge, and save with the new revision."),
    "too_large": Kind(413, "Too large", "The body, or what it describes, is over a limit of this server."),
    "unsupported_media_type": Kind(415, "Not in a form that is read here", "The header `Content-Type` must name a type that the operation takes."),
    "range": Kind(416, "No such part", "The header `Range` asks for a part beyond the end."),
    "invalid_request": Kind(422, "The request has wrong values", "Every wrong value is listed in `problems`, with a pointer to its place."),
    "invalid_workflow": Kind(422, "The workflow cannot run", "Every problem is listed in `problems` with its node and input."),
    "invalid_value": Kind(422, "A value cannot be used", "The problem says which value, why, and what would do."),
    "precondition_required": Kind(428, "Say which revision you change", "Something of this name is there. Send `If-Match` with the revision that you read, or `*` to replace whatever is there."),
    "too_many_requests": Kind(429, "Too many", "A rate or a number is over a limit of this server. `Retry-After` says when to try again."),
    "headers_too_large": Kind(431, "The headers are too large", "Shorten the headers of the request."),
    "node_failed": Kind(500, "A node failed", "A node of the workflow raised an error while it ran."),
    "internal": Kind(500, "A fault in Darkroom", "This should not happen. The server's log has the details under the reference."),
    "worker_lost": Kind(503, "A worker was lost", "The process that was asked died, or did not answer in time; it is replaced. Try again."),
    "unavailable": Kind(503, "Not available just now", "The server is starting, stopping, or lacks what it needs for this."),
    "disk_full": Kind(507, "The disk is full", "Free some space, or let go of stored results."),
}  # fmt: skip
"""By code. The server explains each at `/api/v1/problems/{code}`."""

_BY_STATUS = {kind.status: code for code, kind in reversed(KINDS.items())} | {
    409: "conflict",
    422: "invalid_value",
    500: "internal",
    503: "unavailable",
}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Fault(BaseModel):
    """One thing that is wrong, and where."""

    code: str = Field(description="Stable; programs may rely on it.")
    message: str = Field(description="For people; it may be worded better in later versions.")
    node: str | None = Field(default=None, description="The node of the workflow.")
    input: str | None = Field(default=None, description="The input of the node, or the parameter.")
    hint: str | None = Field(default=None, description="The nearest remedy.")
    pointer: str | None = Field(
        default=None, description="JSON pointer into the body that was sent."
    )

    @classmethod
    def of(cls, problem: Problem) -> "Fault":
        """An engine's problem."""
        return cls.model_construct(
            code=problem.code,
            message=problem.message,
            node=problem.node,
            input=problem.input,
            hint=problem.hint,
            pointer=None,
        )


class ProblemDocument(BaseModel):
    """A problem as RFC 9457 has it, with every fault that was found."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": f"{BASE}invalid_workflow",
                    "title": "The workflow cannot run",
                    "status": 422,
                    "detail": 'KSampler "sampler": steps is 0; give a number from 1 to 1000',
                    "code": "invalid_workflow",
                    "problems": [
                        {
                            "code": "out_of_range",
                            "message": 'KSampler "sampler": steps is 0; give a number from 1 to 1000',
                            "node": "sampler",
                            "input": "steps",
                            "hint": None,
                            "pointer": None,
                        }
                    ],
                }
            ]
        }
    )

    type: str = Field(description="The kind of problem; the address explains it.")
    title: str = Field(description="The kind of problem in words.")
    status: int = Field(description="The status of HTTP.")
    detail: str = Field(default="", description="What is wrong this time.")
    code: str = Field(description="Stable; programs may rely on it.")
    hint: str | None = Field(default=None, description="What to do.")
    instance: str | None = Field(
        default=None, description="The reference under which the log has it."
    )
    problems: list[Fault] = Field(default_factory=list)

    @classmethod
    def make(
        cls,
        code: str,
        detail: str,
        *,
        status: int | None = None,
        hint: str | None = None,
        faults: Sequence[Fault] = (),
    ) -> "ProblemDocument":
        """A document of one of the kinds; another code takes the kind of its status."""
        kind_code = code if code in KINDS else _BY_STATUS.get(status or 422, "bad_request")
        kind = KINDS[kind_code]
        return cls(
            type=BASE + kind_code,
            title=kind.title,
            status=status or kind.status,
            detail=detail,
            code=code,
            hint=hint,
            problems=list(faults) or [Fault(code=code, message=detail, hint=hint)],
        )


class ApiError(Exception):
    """An answer other than the one that was hoped for."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        hint: str | None = None,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.document = ProblemDocument.make(code, message, hint=hint, faults=faults)
        self.headers = dict(headers or {})


@dataclass(frozen=True)
class Told:
    """A problem document with the headers that belong to it."""

    document: ProblemDocument
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> web.Response:
        """As it is sent."""
        return web.Response(
            body=self.document.model_dump_json(exclude_none=True).encode(),
            status=self.document.status,
            content_type=MEDIA_TYPE,
            headers={**self.headers, "Cache-Control": "no-store"},
        )


def _of_graph(error: GraphError) -> ProblemDocument:
    faults = [Fault.of(problem) for problem in error.problems]
    return ProblemDocument.make("invalid_workflow", str(error), faults=faults)


def _of_input(error: InputError) -> ProblemDocument:
    fault = Fault(code=error.code, message=str(error), input=error.input, hint=error.hint)
    return ProblemDocument.make("invalid_value", str(error), hint=error.hint, faults=[fault])


def _of_node(error: NodeError) -> ProblemDocument:
    fault = Fault(code="node_failed", message=str(error), node=error.place)
    return ProblemDocument.make("node_failed", str(error), faults=[fault])


def _of_database(error: DatabaseFault) -> ProblemDocument:
    return ProblemDocument.make(
        "disk_full" if error.code == "database_full" else "unavailable", str(error)
    )


def _of_os(error: OSError) -> ProblemDocument:
    if error.errno in _FULL:
        return ProblemDocument.make("disk_full", os_reason(error), hint=KINDS["disk_full"].text)
    return _internal(error)


def _of_http(error: web.HTTPException) -> ProblemDocument:
    code = _BY_STATUS.get(error.status, "bad_request")
    detail = KINDS[code].text if error.text is None or error.status in {404, 405} else error.text
    return ProblemDocument.make(code, detail, status=error.status)


def _internal(error: BaseException) -> ProblemDocument:
    reference = secrets.token_hex(6)
    _LOG.error("an answer failed (reference %s)", reference, exc_info=error)
    told = ProblemDocument.make("internal", f"the server's log has it under {reference}")
    return told.model_copy(update={"instance": reference})


def _of_refused(error: Refused) -> ProblemDocument:
    return ProblemDocument.make(error.code, error.message, status=error.status, hint=error.hint)


TABLE: Mapping[type[BaseException], Callable[[Any], ProblemDocument]] = {
    ApiError: lambda error: error.document,
    Refused: _of_refused,
    IdempotencyConflict: lambda error: ProblemDocument.make("idempotency_conflict", str(error)),
    WorkerLost: lambda error: ProblemDocument.make("worker_lost", str(error)),
    DatabaseFault: _of_database,
    GraphError: _of_graph,
    InputError: _of_input,
    NodeError: _of_node,
    StoreError: lambda error: ProblemDocument.make("unavailable", str(error)),
    EngineError: lambda error: ProblemDocument.make("invalid_value", str(error)),
    web.HTTPException: _of_http,
    OSError: _of_os,
}
"""What becomes of each class of error; the nearest class counts."""


def problem_of(error: BaseException) -> Told:
    """The problem document behind an error; one that nobody foresaw is logged."""
    make = next((TABLE[kind] for kind in type(error).__mro__ if kind in TABLE), _internal)
    headers: Mapping[str, str] = getattr(error, "headers", None) or {}
    if isinstance(error, web.HTTPException):
        headers = {name: value for name, value in headers.items() if name == "Allow"}
    return Told(make(error), headers)


@contextmanager
def about(at: str) -> Iterator[None]:
    """For the block: what is wrong there is wrong with the part of the body that `at` points to.

    Raises:
        ApiError: In the place of the problem, with its pointers from the body's beginning.
    """
    try:
        yield
    except (ApiError, EngineError, InputError) as error:
        told = problem_of(error).document
        faults = [
            each.model_copy(update={"pointer": at + (each.pointer or "") or None})
            for each in told.problems
        ]
        raise ApiError(told.code, told.detail, hint=told.hint, faults=faults) from error


@web.middleware
async def answer_problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer every error as a problem document; outermost, so that it hears of all."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return problem_of(error).response()
    except ConnectionError as error:
        if request.transport is None:  # the client has left, so that nobody reads an answer
            return web.Response(status=400)
        return problem_of(error).response()
    except Exception as error:  # noqa: BLE001 - the last frame: nobody sees a traceback
        return problem_of(error).response()


def faults_of(error: ValidationError, where: str, shape: Json | None = None) -> list[Fault]:
    """What a validation found, with pointers into the body, or names in the `query` or so.

    `shape` is the JSON Schema of what was asked for, to name the field that was meant.
    """
    return [_fault(found, where, shape or {}) for found in error.errors(include_url=False)]


def _fault(found: Any, where: str, shape: Json) -> Fault:
    code, fault = {
        "missing": ("missing", "is missing"),
        "extra_forbidden": ("unknown_field", "is not known here"),
    }.get(found["type"], ("bad_value", ""))
    hint = nearest_field(shape, found["loc"]) if code == "unknown_field" else None
    pointer = "".join(f"/{str(p).replace('~', '~0').replace('/', '~1')}" for p in found["loc"])
    name = ".".join(part for part in found["loc"] if isinstance(part, str))
    named = pointer or "the body"
    if where != "body":
        named = f"{where} {name}".strip()
    message = f"{named} {fault}" if fault else f"{named}: {_worded(found)}"
    return Fault(
        code=code,
        message=message,
        input=None if where == "body" else name,
        hint=hint,
        pointer=pointer if where == "body" else None,
    )


def _worded(found: Any) -> str:
    if found["type"].startswith("url_"):
        return "give an address such as https://example.org/path"
    text = str(found["msg"]).removeprefix("Value error, ")
    return text[:1].lower() + text[1:]
