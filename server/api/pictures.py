"""Pictures by the names that workflows call them: those that were sent, and those that come along."""

import asyncio
from pathlib import Path, PurePosixPath
from typing import Annotated

from aiohttp import web
from pydantic import Field

from server.access import Principal
from server.homes import home, within
from server.service import Service

from .desk import ask
from .files import send_file
from .incoming import digest_of
from .operation import Answer, operation
from .outputs import Size, thumbnail
from .problems import ApiError
from .uploads import MEDIA_TYPES

PictureName = Annotated[
    str, Field(min_length=1, max_length=400, description="What a workflow's input names.")
]


@operation(
    "GET",
    "/api/v1/pictures/{name:.+}",
    scope="read",
    answers={
        200: Answer("The picture, or the part that `Range` asks for.", media=("*/*",)),
        206: Answer("The part that was asked for.", media=("*/*",)),
        304: Answer("You have it already."),
    },
    problems=("range", "invalid_value", "worker_lost", "gone"),
)
async def read_picture(
    *,
    service: Service,
    principal: Principal,
    request: web.Request,
    name: PictureName,
    query: Size,
) -> web.StreamResponse:
    """Read what a run of yours would read by this name, or a thumbnail of it.

    Your own pictures come first, then those that the node package brings along.
    """
    place = await _place(service, principal, name)
    digest = await asyncio.to_thread(digest_of, place)
    if query.thumbnail is not None:
        return await thumbnail(service, request, place, digest, query.thumbnail)
    return await send_file(request, place, MEDIA_TYPES[place.suffix.lower()], digest)


async def _place(service: Service, principal: Principal, name: str) -> Path:
    inputs = home(service.settings.data, principal.user).inputs
    own = within(inputs, name)
    path = PurePosixPath(name)
    if path.suffix.lower() not in MEDIA_TYPES or any(part.startswith(".") for part in path.parts):
        raise _none(name)
    if await asyncio.to_thread(own.is_file):
        return own
    try:
        answer = await ask(service, "place", kind="images", name=name, inputs=str(inputs))
    except ApiError as error:
        if any(fault.code == "missing_file" for fault in error.document.problems):
            raise _none(name) from None
        raise
    return Path(answer.value["path"])


def _none(name: str) -> ApiError:
    return ApiError("not_found", f"there is no picture {name[:200]!r}")
