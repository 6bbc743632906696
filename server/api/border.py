"""The native API on an application."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from server.access import PRINCIPAL, Principal
from server.service import SERVICE, Service

from . import (
    account,
    checking,
    description,
    events,
    gallery,
    health,
    jobs,
    metrics,
    models,
    opening,
    outputs,
    pictures,
    queue,
    store,
    system,
    uploads,
    workflows,
)
from .editor import BUILT, add_editor
from .following import Watchers
from .metrics import Figures
from .mounting import mount
from .operation import Operation, operations_in
from .problems import answer_problems
from .saved import Shelf, Shelves
from .webhooks import webhooks_of

__all__ = ["OPERATIONS", "answer_problems", "install"]

OPERATIONS: tuple[Operation, ...] = tuple(
    operations_in(
        health, description, workflows, opening, jobs, queue, checking, events, gallery, outputs, uploads, pictures, models,
        store, system, metrics, account,
    )
)  # fmt: skip


def install(
    app: web.Application, further: tuple[Operation, ...] = (), *, editor: Path = BUILT
) -> None:
    """Add all operations to an application that has its service; webhooks run along with it.

    Args:
        app: The application.
        further: Operations of other modules.
        editor: The folder with the built editor, if there is one.
    """
    operations = OPERATIONS + further
    figures = Figures(app[SERVICE])
    watchers = Watchers(figures.sent)
    hooks = webhooks_of(app[SERVICE])
    described = description.Described(operations)

    shelves = Shelves(app[SERVICE].settings.data)
    lenders: Mapping[type, Callable[[web.Request], Any]] = {
        web.Request: lambda request: request,
        Service: lambda request: request.config_dict[SERVICE],
        Principal: lambda request: request[PRINCIPAL],
        Shelf: lambda request: shelves.of(request[PRINCIPAL].user),
        Watchers: lambda _: watchers,
        Figures: lambda _: figures,
        description.Described: lambda _: described,
        description.Reader: lambda request: description.Reader(request.get(PRINCIPAL), shelves.of),
    }

    async def start(_: web.Application) -> None:
        await hooks.start()

    async def stop(_: web.Application) -> None:
        watchers.streams.stop()
        await hooks.stop()

    mount(app, operations, lenders)
    add_editor(app, editor)
    app.middlewares.insert(0, figures.count)  # outermost: it sees what is answered in the end
    app.on_startup.append(start)
    app.on_shutdown.append(stop)
