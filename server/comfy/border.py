"""ComfyUI's API on an application, beside the native one."""

from aiohttp import web

from server.access import needs
from server.service import SERVICE

from . import machine, models, past, pictures, prompts, socket, userdata
from .call import Border, Call, Route
from .inventory import Inventory
from .teller import Teller

ROUTES: tuple[Route, ...] = (
    *socket.ROUTES,
    *prompts.ROUTES,
    *past.ROUTES,
    *models.ROUTES,
    *pictures.ROUTES,
    *userdata.ROUTES,
    *machine.ROUTES,
)


def install(app: web.Application) -> None:
    """Add ComfyUI's addresses to an application that has its service."""
    service = app[SERVICE]
    border = Border(Inventory(service), Teller(service))

    async def start(_: web.Application) -> None:
        border.teller.start()

    async def stop(_: web.Application) -> None:
        await border.teller.stop()

    for route in ROUTES:
        _add(app, border, route)
    for route in (*ROUTES, *past.ONLY_UNDER_API):
        _add(app, border, route, "/api")
    app.on_startup.append(start)
    app.on_shutdown.append(stop)


def _add(app: web.Application, border: Border, route: Route, prefix: str = "") -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await route.handler(Call(request, border))

    handler = needs(route.scope)(handle)
    if route.method == "GET" and route.path != "/ws":
        app.router.add_get(prefix + route.path, handler)  # which answers HEAD as well
    else:
        app.router.add_route(route.method, prefix + route.path, handler)
