"""The API's description of itself: OpenAPI, a page to read it, and what each problem means."""

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, Field, with_config
from typing_extensions import TypedDict

from server.access import Principal
from server.service import Service

from .jobs import Repetition, Waiting
from .openapi import document, parameters_of
from .operation import Answer, Json, Operation, operation
from .problems import BASE, KINDS, ApiError
from .saved import Saved, Shelf
from .signatures import Signatures

_PAGE = {
    "docs.css": "text/css",
    "docs.js": "text/javascript",
}


@with_config(use_attribute_docstrings=True)
class KindView(TypedDict):
    """A kind of problem."""

    type: str
    code: str
    title: str
    status: int
    """The usual status of HTTP."""
    text: str
    """What it means and what to do."""


@dataclass(frozen=True)
class Reader:
    """Who reads the description, if that is known."""

    principal: Principal | None
    shelf: Callable[[str], Shelf]

    def workflows(self) -> list[Saved]:
        """The workflows that they may run."""
        if self.principal is None:
            return []
        return list(self.shelf(self.principal.user).all())


@dataclass
class Described:
    """The document of the operations, and the last ones with the workflows of a caller."""

    operations: tuple[Operation, ...]

    @cached_property
    def plain(self) -> Json:
        """Without saved workflows."""
        return document(self.operations, parameters=_shared())

    def whole(self, saved: list[Saved], types: dict[str, Json], cookie: str) -> Json:
        """With an operation for each saved workflow, and the name that the cookie of a login has."""
        signatures = Signatures(types)
        paths = signatures.paths(saved)
        components = dict(self.plain["components"])
        schemes = components["securitySchemes"]
        components["securitySchemes"] = schemes | {"cookie": schemes["cookie"] | {"name": cookie}}
        components["schemas"] = {**components["schemas"], **signatures.components}
        return {
            **self.plain,
            "tags": [*self.plain["tags"], *([{"name": "saved workflows"}] if paths else [])],
            "paths": {**self.plain["paths"], **paths},
            "components": components,
        }


class Cached(BaseModel):
    """What the client has already."""

    if_none_match: str | None = Field(default=None, alias="If-None-Match")


@operation(
    "GET",
    "/api/v1/openapi.json",
    scope=None,
    answers={200: Answer("OpenAPI 3.1.", Json), 304: Answer("You have it already.")},
)
async def read_openapi(
    service: Service, reader: Reader, described: Described, headers: Cached
) -> web.Response:
    """Read this description, with a typed operation for each of your saved workflows."""
    catalogue = service.catalogue
    types: Any = {} if catalogue is None else catalogue.by_name

    def written() -> bytes:
        return json.dumps(
            described.whole(reader.workflows(), types, service.access.cookie)
        ).encode()

    body = await asyncio.to_thread(written)
    tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    kept = {"ETag": tag, "Cache-Control": "no-cache"}
    if headers.if_none_match == tag:
        return web.Response(status=304, headers=kept)
    return web.Response(body=body, content_type="application/json", headers=kept)


@operation(
    "GET", "/api/v1/docs", scope=None, answers={200: Answer("A page.", media=("text/html",))}
)
async def read_docs() -> web.Response:
    """Open a page that shows this description to people."""
    return _part("docs.html", "text/html")


@operation(
    "GET",
    "/api/v1/docs/{part}",
    scope=None,
    answers={200: Answer("A part of the page.", media=("text/css", "text/javascript"))},
)
async def read_docs_part(part: Literal["docs.css", "docs.js"]) -> web.Response:
    """Read what the page is made of."""
    return _part(part, _PAGE[part])


@operation("GET", "/api/v1/problems/{code}", scope=None)
async def read_problem(code: Annotated[str, Field(max_length=100)]) -> KindView:
    """Read what a kind of problem means: where the `type` of a problem document leads."""
    kind = KINDS.get(code)
    if kind is None:
        known = ", ".join(KINDS)
        raise ApiError("not_found", f"there is no problem {code!r}; there are {known}")
    return KindView(
        type=BASE + code, code=code, title=kind.title, status=kind.status, text=kind.text
    )


def _shared() -> dict[str, Json]:
    """Parameters that the operations of all saved workflows have."""
    found = parameters_of(Waiting, "query") + parameters_of(Repetition, "header")
    names = {"wait": "wait", "Idempotency-Key": "idempotency_key"}
    return {names[each["name"]]: each for each in found}


def _part(name: str, media_type: str) -> web.Response:
    text = files(__package__).joinpath("page", name).read_text(encoding="utf-8")
    return web.Response(text=text, content_type=media_type, headers={"Cache-Control": "no-cache"})


if __name__ == "__main__":
    import sys

    from .border import OPERATIONS

    json.dump(Described(OPERATIONS).plain, sys.stdout, indent=1)
