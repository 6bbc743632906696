"""Pictures that users send, to be read by their workflows."""

import asyncio
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from engine.errors import InputError
from server.access import Principal
from server.homes import home, within
from server.service import Service

from .desk import ask
from .files import send_file
from .incoming import Incoming, digest_of, plain_name
from .operation import Answer, Reply, operation
from .outputs import Size, thumbnail
from .problems import ApiError
from .views import ROOT, iso

UploadName = Annotated[str, Field(min_length=1, max_length=300, description="The file's name.")]
MEDIA_TYPES = {
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp",
    ".gif": "image/gif", ".avif": "image/avif", ".bmp": "image/bmp", ".tif": "image/tiff",
    ".tiff": "image/tiff",
}  # fmt: skip
PICTURE = {
    200: Answer("The picture, or the part that `Range` asks for.", media=("*/*",)),
    206: Answer("The part that was asked for.", media=("*/*",)),
    304: Answer("You have it already."),
}
PICTURE_PROBLEMS = ("range", "invalid_value", "worker_lost", "gone")
_ENDINGS = {"jpeg": (".jpg", ".jpeg"), "tiff": (".tif", ".tiff"), "mpo": (".jpg", ".jpeg")}


class Naming(BaseModel):
    """What a file is to be called."""

    model_config = ConfigDict(extra="forbid")

    name: UploadName | None = Field(
        default=None, description="Its name; without it the form's, or one made from its digest."
    )
    overwrite: bool = Field(
        default=False, description="Take the place of a file of this name, instead of a new name."
    )


@with_config(use_attribute_docstrings=True)
class Upload(TypedDict):
    """A picture of yours."""

    name: str
    """What a workflow names it by."""
    url: str
    size: int
    modified: str


@with_config(use_attribute_docstrings=True)
class NewUpload(Upload):
    """A picture that was taken in."""

    digest: str
    """SHA-256 of its bytes."""
    width: int
    height: int
    format: str


@with_config(use_attribute_docstrings=True)
class UploadList(TypedDict):
    """Your pictures by name."""

    uploads: list[Upload]


@operation(
    "POST",
    "/api/v1/uploads",
    scope="write",
    answers={201: Answer("The picture is there.", NewUpload, headers={"Location": "Where it is."})},
    problems=("invalid_value", "disk_full", "worker_lost", "timeout"),
    takes={
        "multipart/form-data": "The picture.",
        "application/octet-stream": "The picture's bytes.",
        "image/*": "The picture's bytes.",
    },
)
async def upload(
    service: Service, principal: Principal, request: web.Request, query: Naming
) -> Reply[NewUpload]:
    """Send a picture, as a form's file or as the body itself.

    It must be one that can be read, and not be larger than the server allows. If another one has
    its name it gets a new name, unless it shall `overwrite` that; the same bytes are kept once.
    """
    folder = home(service.settings.data, principal.user).inputs
    async with Incoming(folder) as file:
        await _receive(request, file)
        told: Any = await _probed(service, file, query.name or "")
        name = _named(query.name or file.name or "", file.digest, str(told.get("format", "")))
        place = await asyncio.to_thread(
            _keep, file, within(folder, name), overwrite=query.overwrite
        )
    shown: Any = {**_shown(place), "digest": file.digest, **_measured(told)}
    return Reply(shown, headers={"Location": shown["url"]})


@operation("GET", "/api/v1/uploads", scope="read")
async def list_uploads(service: Service, principal: Principal) -> UploadList:
    """List your pictures."""
    folder = home(service.settings.data, principal.user).inputs

    def listed() -> list[Upload]:
        files = sorted(folder.glob("*")) if folder.is_dir() else []
        own = (p for p in files if p.is_file() and not p.is_symlink())
        return [_shown(path) for path in own if not path.name.startswith(".")]

    return UploadList(uploads=await asyncio.to_thread(listed))


@operation(
    "GET",
    "/api/v1/uploads/{name}",
    scope="read",
    answers=PICTURE,
    problems=PICTURE_PROBLEMS,
)
async def read_upload(
    *,
    service: Service,
    principal: Principal,
    request: web.Request,
    name: UploadName,
    query: Size,
) -> web.StreamResponse:
    """Read a picture of yours, or a thumbnail of it."""
    return await send_picture(service, request, _there(service, principal, name), query)


async def send_picture(
    service: Service, request: web.Request, place: Path, size: Size
) -> web.StreamResponse:
    """Answer with a picture that is there, or with a thumbnail of it."""
    digest = await asyncio.to_thread(digest_of, place)
    if size.thumbnail is not None:
        return await thumbnail(service, request, place, digest, size.thumbnail)
    media_type = MEDIA_TYPES.get(place.suffix.lower(), "application/octet-stream")
    return await send_file(request, place, media_type, digest)


@operation("DELETE", "/api/v1/uploads/{name}", scope="write", answers={204: Answer("It is gone.")})
async def delete_upload(service: Service, principal: Principal, name: UploadName) -> None:
    """Delete a picture of yours."""
    await asyncio.to_thread(_there(service, principal, name).unlink, missing_ok=True)


async def _receive(request: web.Request, file: Incoming) -> None:
    if request.content_type == "multipart/form-data":
        await file.read_form(request)
        if file.name is None:
            raise ApiError("bad_request", "the form has no file: give one in the field `file`")
    else:
        await file.read_body(request)
    if not file.size:
        raise ApiError("invalid_value", "the file is empty: send a picture")


async def _probed(service: Service, file: Incoming, name: str) -> Any:
    try:
        return (await ask(service, "probe", path=str(file.path))).value
    except ApiError as error:
        raise file.named(error, name) from error


def _named(given: str, digest: str, kind: str) -> str:
    """A name that is one on every system, with the ending that its bytes call for."""
    name = plain_name(given)
    endings = _ENDINGS.get(kind.lower(), (f".{kind.lower()}",))
    if name == "":
        return digest[:16] + endings[0]
    if name is None:
        raise InputError(
            f"{given[:100]!r} cannot be the name of a file: give letters, digits, - _ and .",
            code="bad_name",
            input="name",
        )
    return name if Path(name).suffix.lower() in endings else name + endings[0]


def _keep(file: Incoming, place: Path, *, overwrite: bool) -> Path:
    try:
        return file.keep(place, "{stem}-{number}", overwrite=overwrite)
    except (FileExistsError, IsADirectoryError):
        raise ApiError("conflict", f"{place.name} cannot be kept: its name is taken") from None


def _there(service: Service, principal: Principal, name: str) -> Path:
    folder = home(service.settings.data, principal.user).inputs
    place = within(folder, name)
    if place.name.startswith(".") or not place.is_file():
        raise ApiError("not_found", f"there is no upload {name[:200]!r}")
    return place


def _shown(place: Path) -> Upload:
    status = place.stat()
    return Upload(
        name=place.name,
        url=f"{ROOT}/uploads/{quote(place.name, safe='')}",
        size=status.st_size,
        modified=iso(status.st_mtime) or "",
    )


def _measured(told: dict[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in ("width", "height", "format")}
