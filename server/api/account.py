"""The caller: who they are here, and the tokens of their programs."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from server.access import Principal, Scope
from server.access.principal import in_order
from server.access.tokens import Token, add_token, list_tokens, remove_token
from server.homes import LOCAL
from server.service import Service

from .operation import Answer, operation
from .problems import ApiError
from .views import iso

TokenId = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]


@with_config(use_attribute_docstrings=True)
class Me(TypedDict):
    """Who asks."""

    user: str
    scopes: list[Scope]
    closed: bool
    """Whether the server has users or a token, so that one has to say who one is."""


class TokenRequest(BaseModel):
    """What a token is to be."""

    model_config = ConfigDict(extra="forbid")

    label: str = Field(default="", max_length=200, description="What it is for.")
    scopes: list[Scope] | None = Field(
        default=None, max_length=4, description="What it may do; none: all that you may."
    )
    days: float | None = Field(
        default=None, gt=0, le=36_500, description="Until it expires; none: never."
    )


@with_config(use_attribute_docstrings=True)
class TokenView(TypedDict):
    """A token, without its text."""

    id: str
    label: str
    scopes: list[Scope]
    created: str | None
    expires: str | None
    last_used: str | None


@with_config(use_attribute_docstrings=True)
class NewToken(TokenView):
    """A token that was just made."""

    token: str
    """Its text; it is told this once, and kept nowhere."""


@with_config(use_attribute_docstrings=True)
class TokenList(TypedDict):
    """Your tokens."""

    tokens: list[TokenView]


@operation("GET", "/api/v1/me", scope="read")
async def read_me(service: Service, principal: Principal) -> Me:
    """Tell who you are to this server, and what you may do."""
    closed = await service.access.is_closed()
    return Me(user=principal.user, scopes=in_order(principal.scopes), closed=closed)


@operation("GET", "/api/v1/tokens", scope="read")
async def list_my_tokens(service: Service, principal: Principal) -> TokenList:
    """List your tokens, the oldest first."""
    found = await service.database.read(lambda connection: list_tokens(connection, principal.user))
    return TokenList(tokens=[_view(token) for token in found])


@operation(
    "POST",
    "/api/v1/tokens",
    scope="write",
    answers={201: Answer("The token. Its text is told only now.", NewToken)},
    problems=("conflict", "forbidden"),
)
async def make_token(service: Service, principal: Principal, body: TokenRequest) -> NewToken:
    """Make a token for a program of yours. It cannot do more, or last longer, than the one that asks."""
    if principal.user == LOCAL:
        raise ApiError(
            "conflict",
            "this server has no users, so that nobody's programs need tokens",
            hint="add a user first: darkroom users add NAME",
        )
    scopes = principal.scopes if body.scopes is None else frozenset(body.scopes)
    if not scopes <= principal.scopes:
        beyond = in_order(scopes - principal.scopes)[0]
        raise ApiError("forbidden", f"you may not {beyond} here, so that no token of yours can")
    token, text = await service.database.write(
        lambda connection: add_token(
            connection,
            principal.user,
            label=body.label,
            scopes=in_order(scopes),
            days=body.days,
            until=principal.expires,
        )
    )
    return NewToken(**_view(token), token=text)


@operation("DELETE", "/api/v1/tokens/{token}", scope="write", answers={204: Answer("It is gone.")})
async def delete_token(service: Service, principal: Principal, token: TokenId) -> None:
    """Delete a token of yours: nobody gets in with it any more."""
    mine = await service.database.read(lambda connection: list_tokens(connection, principal.user))
    if all(each.id != token for each in mine):
        raise ApiError("not_found", f"you have no token {token}")
    await service.database.write(lambda connection: remove_token(connection, token, principal.user))
    service.access.forget()


def _view(token: Token) -> TokenView:
    return TokenView(
        id=token.id,
        label=token.label,
        scopes=in_order(token.scopes),
        created=iso(token.created),
        expires=iso(token.expires),
        last_used=iso(token.last_used),
    )
