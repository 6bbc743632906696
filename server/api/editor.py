"""The editor: a page at the server's own address, and what that page is made of."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from server.access import needs, open_to_all

from .home_page import home_page
from .problems import ApiError

BUILT = Path(__file__).resolve().parent.parent / "editor"
"""Where the build puts the editor; releases bring it, a source tree may lack it."""
_PARTS = "editor"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,200}", re.ASCII)
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_FOREVER = "public, max-age=31536000, immutable"


def add_editor(app: web.Application, built: Path) -> None:
    """Add the editor's routes, and that of the page with the server's state.

    Args:
        app: Takes the routes.
        built: The folder with the built editor, if there is one.
    """
    app.router.add_get("/", needs("read")(_page(built)))
    app.router.add_get(f"/{_PARTS}/{{name}}", open_to_all(_part(built / _PARTS)))
    app.router.add_get("/status", home_page)
    app.router.add_get("/favicon.ico", open_to_all(_no_icon))


async def _no_icon(request: web.Request) -> web.Response:
    """For pages without an icon of their own: browsers ask all the same."""
    return web.Response(status=204, headers={"Cache-Control": _FOREVER})


def _page(built: Path) -> Handler:
    async def page(request: web.Request) -> web.StreamResponse:
        """The editor; where it was not built, the server's state and how to build it."""
        place = built / "index.html"
        if not await asyncio.to_thread(place.is_file):
            return await home_page(request)
        headers = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}
        return web.FileResponse(place, headers=headers)

    return page


def _part(folder: Path) -> Handler:
    async def part(request: web.Request) -> web.StreamResponse:
        """A part of the editor. Its name changes with its bytes, so that it can be kept for good."""
        name = request.match_info["name"]
        place = folder / name
        kind = _TYPES.get(place.suffix)
        plain = _NAME.fullmatch(name) is not None
        if kind is None or not plain or not await asyncio.to_thread(place.is_file):
            raise ApiError(
                "not_found",
                f"the editor has no part {name[:200]!r}",
                hint="reload the page: the server may have been updated",
            )
        # The packed copy beside it is sent to whoever can unpack it.
        return web.FileResponse(place, headers={"Content-Type": kind, "Cache-Control": _FOREVER})

    return part
