"""ComfyUI's API on an application, beside the native one.

What answers there is loaded when somebody first asks for an address that the native API has not:
most servers start and run without a client of ComfyUI's.
"""

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING

from aiohttp import web
from typing_extensions import override

from server.service import SERVICE, Service

if TYPE_CHECKING:
    from .desk import Desk


class Deferred(web.PlainResource):
    """All addresses of ComfyUI's, as one below the root: it is asked last, for what no other fits."""

    def __init__(self, service: Service) -> None:
        super().__init__("/", name="comfyui")
        self.service = service
        self.desk: Desk | None = None
        self.lock = asyncio.Lock()

    @override
    async def resolve(
        self, request: web.Request
    ) -> tuple[web.UrlMappingMatchInfo | None, set[str]]:
        """What answers a request; if nothing does, the methods that would be answered there."""
        desk = self.desk or await self._open()
        found = await desk.router.resolve(request)
        refusal = found.http_exception
        if refusal is None:
            return found, set()
        allowed = refusal.allowed_methods if isinstance(refusal, web.HTTPMethodNotAllowed) else ()
        return None, set(allowed)

    async def _open(self) -> "Desk":
        async with self.lock:
            if self.desk is None:
                module = await asyncio.to_thread(import_module, "server.comfy.desk")
                opened: Desk = module.Desk(self.service)
                opened.start()
                self.desk = opened
            return self.desk

    async def close(self, _: web.Application) -> None:
        """Let all clients go."""
        if self.desk is not None:
            await self.desk.stop()


def install(app: web.Application) -> None:
    """Add ComfyUI's addresses to an application that has its service."""
    deferred = Deferred(app[SERVICE])
    app.router.register_resource(deferred)
    app.on_shutdown.append(deferred.close)
