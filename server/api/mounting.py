"""Declared operations as routes of an aiohttp application."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from aiohttp import web
from pydantic import BaseModel, TypeAdapter

from engine.errors import DeclarationError
from server.access import needs, open_to_all
from server.plain import is_small

from .operation import Operation, Reply
from .reading import read_request

Lenders = Mapping[type, Callable[[web.Request], Any]]
"""How a parameter of a type is filled in from a request."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_STREAM = "text/event-stream"


def mount(
    app: web.Application,
    operations: Iterable[Operation],
    lenders: Lenders,
) -> None:
    """Add the operations' routes.

    Args:
        app: Takes the routes.
        operations: What to add, in order: the first that suits a request gets it.
        lenders: Where the parameters of further types come from.

    Raises:
        DeclarationError: Nothing lends what an operation's function takes.
    """
    for operation in operations:
        for name, hint in operation.lent.items():
            if hint not in lenders:
                raise DeclarationError(
                    f"operation {operation.name}: nothing lends {name!r} of type {hint}"
                )
        handler = handler_of(operation, lenders)
        if operation.method == "GET" and not _streams(operation):
            app.router.add_get(operation.path, handler)  # which answers HEAD as well
        else:
            app.router.add_route(operation.method, operation.path, handler)


def handler_of(operation: Operation, lenders: Lenders) -> Handler:
    """An aiohttp handler that reads, calls the operation's function, and writes its answer.

    It carries the mark by which the middlewares know the scope that it needs.
    """

    async def handle(request: web.Request) -> web.StreamResponse:
        arguments = await read_request(operation, request)
        for name, hint in operation.lent.items():
            arguments[name] = lenders[hint](request)
        told = await operation.function(**arguments)
        if is_small(told.value if isinstance(told, Reply) else told):
            return response_of(operation, told)
        return await asyncio.to_thread(response_of, operation, told)

    return open_to_all(handle) if operation.scope is None else needs(operation.scope)(handle)


def response_of(operation: Operation, value: Any) -> web.StreamResponse:
    """What a function returned, as it is sent."""
    status, headers = operation.success, {}
    if isinstance(value, Reply):
        status, headers = value.status or status, dict(value.headers)
        value = value.value
    if isinstance(value, web.StreamResponse):
        return value
    headers.setdefault("Cache-Control", "no-store")
    if value is None:
        return web.Response(status=status, headers=headers)
    body = (
        value.model_dump_json(by_alias=True).encode()
        if isinstance(value, BaseModel)
        else _adapter(value.__class__).dump_json(value)
    )
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


@lru_cache(maxsize=256)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _streams(operation: Operation) -> bool:
    return any(_STREAM in answer.media for answer in operation.answers.values())
