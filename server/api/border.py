"""The native API on an application."""

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from server.access import Principal
from server.homes import home
from server.service import SERVICE, Service
from server.settings import shipped_workflows

from . import (
    checking,
    events,
    health,
    jobs,
    models,
    outputs,
    queue,
    store,
    system,
    uploads,
    workflows,
)
from .following import Watchers
from .mounting import mount
from .operation import operations_in
from .problems import answer_problems
from .saved import Shelf

__all__ = ["LENDERS", "OPERATIONS", "answer_problems", "install"]

OPERATIONS = tuple(
    operations_in(
        health, workflows, jobs, queue, checking, events, outputs, uploads, models, store, system
    )
)
LENDERS: Mapping[type, Callable[[web.Request], Any]] = {
    web.Request: lambda request: request,
    Service: lambda request: request.app[SERVICE],
    Principal: lambda request: request["principal"],
    Shelf: lambda request: request.app[SHELVES](request),
    Watchers: lambda request: request.app[WATCHERS],
}


class Shelves:
    """The shelf of each user, opened once so that its saves take turns."""

    def __init__(self) -> None:
        self.opened: dict[str, Shelf] = {}

    def __call__(self, request: web.Request) -> Shelf:
        """The caller's."""
        user = request["principal"].user
        if user not in self.opened:
            folder = home(request.app[SERVICE].settings.data, user).workflows
            self.opened[user] = Shelf(folder, shipped_workflows())
        return self.opened[user]


WATCHERS = web.AppKey("watchers", Watchers)
SHELVES = web.AppKey("shelves", Shelves)


def install(app: web.Application) -> None:
    """Add all operations."""
    app[SHELVES], app[WATCHERS] = Shelves(), Watchers()
    mount(app, OPERATIONS, LENDERS)
