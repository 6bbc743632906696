"""An operation of the API: a plain typed function with an address.

The signature says what is asked for: parameters named in the path, `body` (JSON), `query` and
`headers` (pydantic models); any other parameter is lent by its type, such as the service. The
docstring is the documentation, the annotation of what is returned the answer. The routes, the
validation and the OpenAPI document are all made from this one declaration.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints

from pydantic import BaseModel, TypeAdapter

from engine.errors import DeclarationError
from server.access import Scope

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Json = dict[str, Any]
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Awaitable[Any]])
_IN_PATH = re.compile(r"{(\w+)(?::[^{}]+)?}")


@dataclass(frozen=True)
class Reply(Generic[T]):
    """A value with a status or headers of its own."""

    value: T
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What an operation may answer under one status.

    `content` is the type behind the JSON; `media` are the types of what is no JSON.
    """

    description: str
    content: Any = None
    media: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    """What each header of the answer tells."""


@dataclass(frozen=True)
class Operation:
    """A declared operation."""

    function: Callable[..., Awaitable[Any]]
    method: Method
    path: str
    scope: Scope | None
    """What the caller must be allowed; none for what everybody may ask."""
    answers: Mapping[int, Answer]
    problems: tuple[str, ...]
    """The kinds of problem that it gives besides those that every operation has."""
    takes: Mapping[str, str]
    """The media types of a body that it reads by itself, each with what it must hold."""
    inputs: Mapping[str, Any]
    """The parameters of the function, each with its type."""

    @property
    def name(self) -> str:
        """The operation's id."""
        return self.function.__name__

    @property
    def tag(self) -> str:
        """The noun it is about."""
        return self.function.__module__.rpartition(".")[2]

    @cached_property
    def text(self) -> tuple[str, str]:
        """The first line of the docstring, and the rest."""
        summary, _, rest = (inspect.getdoc(self.function) or "").partition("\n")
        return summary, rest.strip()

    @cached_property
    def named(self) -> tuple[str, ...]:
        """The parameters in the path."""
        return tuple(_IN_PATH.findall(self.path))

    @property
    def template(self) -> str:
        """The path without the patterns of its parameters."""
        return _IN_PATH.sub(r"{\1}", self.path)

    @cached_property
    def path_adapters(self) -> Mapping[str, TypeAdapter[Any]]:
        """Checks each parameter in the path."""
        return {name: TypeAdapter(self.inputs[name]) for name in self.named}

    @cached_property
    def body(self) -> TypeAdapter[Any] | None:
        """Checks the body; none if there is to be none, or the operation reads it by itself."""
        return TypeAdapter(self.inputs["body"]) if "body" in self.inputs else None

    @property
    def query(self) -> type[BaseModel] | None:
        """What may stand behind the question mark."""
        return self.inputs.get("query")

    @property
    def headers(self) -> type[BaseModel] | None:
        """The headers that it reads; aliases are their names."""
        return self.inputs.get("headers")

    @cached_property
    def lent(self) -> Mapping[str, Any]:
        """The parameters that the server fills in, each with its type."""
        own = {"body", "query", "headers", *self.named}
        return {name: hint for name, hint in self.inputs.items() if name not in own}

    @property
    def success(self) -> int:
        """The status if nothing is said."""
        return min(self.answers)


def operation(
    method: Method,
    path: str,
    *,
    scope: Scope | None,
    answers: Mapping[int, Answer] | None = None,
    problems: tuple[str, ...] = (),
    takes: Mapping[str, str] | None = None,
) -> Callable[[F], F]:
    """Declare a function to be an operation. The function itself is returned unchanged.

    Args:
        method: Of HTTP.
        path: With its parameters in braces.
        scope: What the caller must be allowed.
        answers: By status; if left out, 200 with what the function returns.
        problems: The kinds of problem it gives, by their codes in `problems.KINDS`.
        takes: Media types of a body that the function reads by itself.

    Raises:
        DeclarationError: The signature lacks a type or a docstring.
    """

    def declare(function: F) -> F:
        declared = _read(
            function,
            method=method,
            path=path,
            scope=scope,
            answers=answers,
            problems=problems,
            takes=takes or {},
        )
        function.__operation__ = declared  # type: ignore[attr-defined]
        return function

    return declare


def operations_in(*modules: ModuleType) -> Iterator[Operation]:
    """The operations that the modules declare, in the order of their declaration."""
    for module in modules:
        for value in vars(module).values():
            found = getattr(value, "__operation__", None)
            if isinstance(found, Operation) and value.__module__ == module.__name__:
                yield found


def _read(function: Any, *, answers: Mapping[int, Answer] | None, **declared: Any) -> Operation:
    hints = get_type_hints(function, include_extras=True)
    where = f"operation {function.__qualname__}"
    if not inspect.getdoc(function):
        raise DeclarationError(f"{where}: give a docstring; its first line is the summary")
    if "return" not in hints:
        raise DeclarationError(f"{where}: annotate the return type")
    returned = hints.pop("return")
    parameters = inspect.signature(function).parameters
    lacking = [name for name in parameters if name not in hints]
    lacking += [name for name in _IN_PATH.findall(declared["path"]) if name not in parameters]
    if lacking:
        raise DeclarationError(f"{where}: give the parameter {lacking[0]!r}, with its type")
    if answers is None:
        content = get_args(returned)[0] if get_origin(returned) is Reply else returned
        answers = {200: Answer("As asked.", content)}
    return Operation(function=function, answers=answers, inputs=hints, **declared)
