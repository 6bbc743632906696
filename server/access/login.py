"""The page to log in on: plain HTML, without a script."""

from html import escape
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from .access import Access
from .bodies import read_body
from .principal import open_to_all
from .refused import Refused
from .tokens import DAY

MOST = 10_000
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Log in · Darkroom</title>
<link rel="stylesheet" href="/login.css">
</head>
<body>
<main>
<h1>Darkroom</h1>
{message}<form method="post" action="/login">
<input type="hidden" name="next" value="{next}">
<label for="user">User</label>
<input id="user" name="user" value="{user}" autocomplete="username" autocapitalize="none" spellcheck="false" autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button>Log in</button>
</form>
<p class="hint">With a token instead: leave the user empty and give the token as the password.</p>
</main>
</body>
</html>
"""
_STYLE = """:root { color-scheme: light dark; font-family: system-ui, sans-serif; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: Canvas; }
main { width: min(20rem, 88vw); }
h1 { font-weight: 600; margin: 0 0 1.5rem; }
form { display: grid; gap: 0.4rem; }
input, button { font: inherit; padding: 0.6rem; border: 1px solid GrayText; border-radius: 6px; }
label { margin-top: 0.6rem; }
button { margin-top: 1.2rem; background: #8c1c13; border-color: #8c1c13; color: #fff; cursor: pointer; }
:focus-visible { outline: 3px solid #d9534a; outline-offset: 2px; }
.problem { color: #b3261e; font-weight: 600; }
.hint { color: GrayText; font-size: 0.85rem; margin-top: 1.5rem; }
@media (prefers-color-scheme: dark) { .problem { color: #ff8a80; } }
"""


def add_login(app: web.Application, access: Access) -> None:
    """Add the routes of logging in and out to an application."""

    @open_to_all
    async def page(request: web.Request) -> web.Response:
        there = safe_path(request.query.get("next", ""))
        if not await access.is_closed():
            raise web.HTTPSeeOther(there)
        return _page(there)

    @open_to_all
    async def style(request: web.Request) -> web.Response:
        return web.Response(text=_STYLE, content_type="text/css")

    @open_to_all
    async def log_in(request: web.Request) -> web.Response:
        form = await _form(request)
        user, there = form.get("user", ""), safe_path(form.get("next", ""))
        try:
            text = await access.log_in(request, user, form.get("password", ""))
        except Refused as refused:
            return _page(there, user, refused)
        answer = web.Response(status=303, headers={"Location": there})
        _set_cookie(answer, access, request, text, int(access.settings.session_days * DAY))
        return answer

    @open_to_all
    async def log_out(request: web.Request) -> web.Response:
        text = request.cookies.get(access.cookie)
        if text:
            await access.log_out(text)
        # Nothing of what was seen stays in the browser.
        headers = {"Location": "/login", "Clear-Site-Data": '"cache", "storage"'}
        answer = web.Response(status=303, headers=headers)
        _set_cookie(answer, access, request, "", 0)
        return answer

    app.router.add_get("/login", page)
    app.router.add_post("/login", log_in)
    app.router.add_post("/logout", log_out)
    app.router.add_get("/login.css", style)


def safe_path(there: str) -> str:
    """Where to go after the login: a path of this server, whatever the link said."""
    plain = there.isascii() and there.isprintable() and "\\" not in there
    if plain and there.startswith("/") and not there.startswith("//"):
        parts = urlsplit(there)
        if not parts.scheme and not parts.netloc:
            return there
    return "/"


async def _form(request: web.Request) -> dict[str, str]:
    if request.content_type != "application/x-www-form-urlencoded":
        raise Refused(415, "unsupported_media_type", "the login is a form", "open /login")
    data = await read_body(request, MOST)
    try:
        return dict(parse_qsl(data.decode(), keep_blank_values=True, max_num_fields=10))
    except ValueError as error:
        raise Refused(400, "bad_request", "the form cannot be read", "open /login") from error


def _page(there: str, user: str = "", refused: Refused | None = None) -> web.Response:
    message = ""
    if refused is not None:
        said = refused.message[:1].upper() + refused.message[1:]
        hint = f": {refused.hint}" if refused.hint else ""
        message = f'<p class="problem" role="alert">{escape(said + hint)}.</p>\n'
    return web.Response(
        text=_PAGE.format(message=message, next=escape(there), user=escape(user[:64])),
        content_type="text/html",
        status=refused.status if refused else 200,
        headers=refused.headers if refused else None,
    )


def _set_cookie(
    answer: web.Response, access: Access, request: web.Request, text: str, seconds: int
) -> None:
    answer.set_cookie(
        access.cookie,
        text,
        max_age=seconds,
        httponly=True,
        samesite="Strict",
        secure=access.addresses.secure(request),
    )
