"""Who asks, and what they may do."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import Literal, get_args

from aiohttp import web

from engine.errors import InputError
from server.homes import LOCAL

from .refused import Refused

Scope = Literal["read", "run", "write", "admin"]
ALL: frozenset[Scope] = frozenset(get_args(Scope))
"""`read`: look at what is one's own. `run`: queue jobs and govern one's own. `write`: change
workflows, uploads and results. `admin`: other users, the whole queue, workers and the store."""
ORDER: tuple[Scope, ...] = get_args(Scope)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_ATTRIBUTE = "access_scope"


@dataclass(frozen=True, slots=True)
class Principal:
    """A user as one request shows them: with the scopes of the token that was used."""

    user: str
    scopes: frozenset[Scope]
    expires: float | None = field(default=None, compare=False)
    """When the token that was used ends; none where nothing does."""

    def may(self, scope: Scope) -> bool:
        """Whether the scope is among theirs."""
        return scope in self.scopes


LOCAL_PRINCIPAL = Principal(LOCAL, ALL)
"""Who works at this machine, where there are neither users nor a token."""


PRINCIPAL = web.RequestKey("principal", Principal)
"""Under which a request holds who asks; nothing is there where nobody has said so."""


def require(request: web.Request, scope: Scope) -> Principal:
    """Who asks, if they have the scope.

    Raises:
        Refused: 401 where nobody has said who they are, 403 without the scope.
    """
    principal: Principal | None = request.get(PRINCIPAL)
    if principal is None:
        raise unauthorized("this needs a token or a login")
    if not principal.may(scope):
        raise Refused(
            403,
            "forbidden",
            f"this needs the scope {scope!r}, and {principal.user!r} has "
            f"{', '.join(in_order(principal.scopes)) or 'none'} here",
            "use a token with that scope, or ask an administrator for it",
        )
    return principal


def unauthorized(message: str) -> Refused:
    """The refusal of somebody unknown."""
    return Refused(
        401,
        "unauthorized",
        message,
        "send a token as 'Authorization: Bearer …', or log in at /login",
        {"WWW-Authenticate": 'Bearer realm="darkroom"'},
    )


def needs(scope: Scope) -> Callable[[Handler], Handler]:
    """A handler's mark: only principals with the scope get there.

    Without a mark GET and HEAD need `read`, all else needs `write`.
    """
    return partial(_marked, scope=scope)


def open_to_all(handler: Handler) -> Handler:
    """A handler's mark: everybody gets there, known or not."""
    return _marked(handler, None)


def _marked(handler: Handler, scope: Scope | None) -> Handler:
    # A function of its own, since the handler may serve another route under another mark.
    @wraps(handler)
    async def marked(request: web.Request) -> web.StreamResponse:
        return await handler(request)

    setattr(marked, _ATTRIBUTE, scope)
    return marked


def scope_of(handler: object, method: str) -> Scope | None:
    """The scope that a handler needs; none if it is open to all."""
    usual: Scope = "read" if method in {"GET", "HEAD", "OPTIONS"} else "write"
    scope: Scope | None = getattr(handler, _ATTRIBUTE, usual)
    return scope


def read_scopes(names: Iterable[str]) -> frozenset[Scope]:
    """The scopes of these names.

    Raises:
        InputError: One is not known.
    """
    chosen = list(names)
    unknown = sorted(set(chosen) - ALL)
    if unknown:
        raise InputError(
            f"there is no scope {unknown[0]!r}: give some of {', '.join(ORDER)}",
            code="bad_scope",
            input="scopes",
        )
    return frozenset(scope for scope in ORDER if scope in chosen)


def in_order(scopes: Iterable[Scope]) -> list[Scope]:
    """The scopes, the weakest first."""
    held = set(scopes)
    return [scope for scope in ORDER if scope in held]
