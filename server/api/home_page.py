"""The page at the server's own address: what it is, how it is, and where to go on."""

from html import escape
from importlib.resources import files

from aiohttp import web

from server.access import PRINCIPAL, Principal, needs
from server.service import SERVICE, Service

from .health import health

_ACCOUNT = """<tr><td>Logged in</td><td>{user} <form method="post" action="/logout">\
<button>Log out</button></form></td></tr>
"""


@needs("read")
async def home_page(request: web.Request) -> web.Response:
    """Shown to people; programs made for ComfyUI look here whether there is a server."""
    service, principal = request.config_dict[SERVICE], request[PRINCIPAL]
    text = await home_text(service, principal)
    return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})


async def home_text(service: Service, principal: Principal) -> str:
    """The page for somebody, as HTML."""
    told = await health(service)
    counts = await service.jobs.counts(principal.user)
    closed = await service.access.is_closed()
    page = files(__package__).joinpath("page", "home.html").read_text(encoding="utf-8")
    paused = " (the queue is paused)" if service.dispatcher.paused else ""
    return page.format(
        status=told["status"],
        version=escape(told["version"]),
        workers=f"{told['workers']} worker{'' if told['workers'] == 1 else 's'} ready",
        queue=f"{counts.get('running', 0)} running, {counts.get('queued', 0)} queued{paused}",
        account=_ACCOUNT.format(user=escape(principal.user)) if closed else "",
    )
