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
from .operation import operation
from .outputs import Size
from .problems import ApiError
from .uploads import MEDIA_TYPES, PICTURE, PICTURE_PROBLEMS, send_picture

PictureName = Annotated[
    str, Field(min_length=1, max_length=400, description="What a workflow's input names.")
]


@operation(
    "GET",
    "/api/v1/pictures/{name:.+}",
    scope="read",
    answers=PICTURE,
    problems=PICTURE_PROBLEMS,
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
    return await send_picture(service, request, await _place(service, principal, name), query)


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
