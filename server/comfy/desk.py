"""What answers ComfyUI's clients: their routes, and what these share."""

from aiohttp import web

from server.access import needs
from server.service import Service

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


class Desk:
    """ComfyUI's addresses, each under `/api` as well, and whoever tells of jobs to those who listen."""

    def __init__(self, service: Service) -> None:
        self.router = web.UrlDispatcher()
        self.border = Border(Inventory(service), Teller(service))
        for route in ROUTES:
            self._add(route)
        for route in (*ROUTES, *past.ONLY_UNDER_API):
            self._add(route, "/api")
        self.router.freeze()

    def start(self) -> None:
        """Follow all jobs from now on."""
        self.border.teller.start()

    async def stop(self) -> None:
        """Follow no more, and let all clients go."""
        await self.border.teller.stop()

    def _add(self, route: Route, prefix: str = "") -> None:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await route.handler(Call(request, self.border))

        handler = needs(route.scope)(handle)
        if route.method == "GET" and route.path != "/ws":
            self.router.add_get(prefix + route.path, handler)  # which answers HEAD as well
        else:
            self.router.add_route(route.method, prefix + route.path, handler)
