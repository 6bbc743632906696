"""The page with the server's state: what it is, how it is, and where to go on."""

from html import escape
from importlib.resources import files

from aiohttp import web

from server.access import PRINCIPAL, Principal, needs
from server.service import SERVICE, Service

from .health import health

_ACCOUNT = """<tr><td>Logged in</td><td>{user} <form method="post" action="/logout">\
<button>Log out</button></form></td></tr>
"""


_EDITOR = '<li><a href="/">The editor</a>: see a workflow, change it, run it</li>\n'
_NO_EDITOR = """<li>The editor is not built here: <code>pip install -e .</code> in the source tree \
builds it, without the variable <code>DARKROOM_NO_EDITOR</code></li>
"""


@needs("read")
async def home_page(request: web.Request) -> web.Response:
    """Shown to people under /status; and at / where there is no editor.

    Programs made for ComfyUI look at / whether there is a server.
    """
    service, principal = request.config_dict[SERVICE], request[PRINCIPAL]
    text = await home_text(service, principal, editor=request.path != "/")
    return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})


async def home_text(service: Service, principal: Principal, *, editor: bool) -> str:
    """The page for somebody, as HTML.

    Args:
        service: The server.
        principal: Who looks.
        editor: Whether there is an editor to lead to.
    """
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
        editor=_EDITOR if editor else _NO_EDITOR,
        account=_ACCOUNT.format(user=escape(principal.user)) if closed else "",
    )
