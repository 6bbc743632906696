"""Files that ComfyUI's clients send and fetch."""

import asyncio
import hashlib
import json
import mimetypes
import os
import re
import secrets
from pathlib import Path
from typing import Any

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from engine.errors import InputError
from server.access.bodies import limits_of, read_chunks
from server.api.desk import ask
from server.api.files import safe_headers, send_file
from server.api.problems import ApiError
from server.homes import within

from .call import Call, Route, answer, done, refused
from .graph import Json
from .inventory import files_in

_ANNOTATED = re.compile(r"(.*?) ?\[(input|output|temp)\]", re.DOTALL)
_NAME = re.compile(r"(?!\.)[^\x00-\x1f\x7f<>:\"/\\|?*]{1,200}(?<![ .])")
_LARGEST_PREVIEW = 1024
_MOST_TEXT = 10_000
_KINDS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PN": "image/png"}


def folder_of(call: Call, kind: str) -> Path | None:
    """The caller's folder that ComfyUI calls input, output or temp."""
    own = call.home
    return {"input": own.inputs, "output": own.outputs, "temp": own.previews}.get(kind)


async def view(call: Call) -> web.StreamResponse:
    """A file; or a smaller picture of it, its colours or its alpha channel."""
    name, kind = call.query.get("filename", ""), call.query.get("type", "output")
    if annotated := _ANNOTATED.fullmatch(name):
        name, kind = annotated[1], annotated[2]
    folder = folder_of(call, kind)
    if not name or folder is None:
        return done(400)
    try:
        path = within(folder, _joined(call.query.get("subfolder", ""), name))
    except InputError as error:
        return refused(403, str(error))
    status = await asyncio.to_thread(_status, path)
    if status is None:
        return done(404)
    shown = await _part(call, path)
    if shown is not None:
        return shown
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    tag = f"{status.st_mtime_ns:x}-{status.st_size:x}"
    return await send_file(call.request, path, media_type, tag)


async def _part(call: Call, path: Path) -> web.Response | None:
    """A picture made small, or its colours or alpha alone; none if it is wanted as it is, or no picture."""
    channel = call.query.get("channel")
    try:
        if "preview" in call.query:
            made = await ask(call.service, "thumbnail", path=str(path), size=_LARGEST_PREVIEW)
        elif channel == "rgb":
            made = await ask(call.service, "merged", colours=str(path))
        elif channel == "a":
            made = await ask(call.service, "merged", alpha=str(path))
        else:
            return None
    except ApiError:
        return None
    media_type = _KINDS.get(made.blob[:3], "application/octet-stream")
    return web.Response(body=made.blob, headers=safe_headers(media_type, path.name))


async def upload(call: Call) -> web.Response:
    """Take a picture in. Another one of its name keeps it, unless it is to be overwritten."""
    form = await _Form.read(call)
    try:
        return await _keep(call, form)
    finally:
        await asyncio.to_thread(form.remove)


async def upload_mask(call: Call) -> web.Response:
    """Take a picture in whose alpha channel is to become that of another one."""
    form = await _Form.read(call)
    try:
        original = _original(call, form.fields.get("original_ref", ""))
        if original is None:
            return refused(400, "original_ref must name a picture: filename, subfolder and type")
        if not await asyncio.to_thread(original.is_file):
            return refused(404, f"there is no picture {original.name!r}")
        if form.name is None:
            return refused(400, "send the mask in the field 'image'")
        paths = {"colours": str(original), "alpha": str(form.temporary)}
        made = await ask(call.service, "merged", **paths)
        await asyncio.to_thread(form.temporary.write_bytes, made.blob)
        form.digest = hashlib.sha256(made.blob).hexdigest()
        return await _keep(call, form)
    except ApiError as error:
        return refused(400, str(error))
    finally:
        await asyncio.to_thread(form.remove)


def _original(call: Call, text: str) -> Path | None:
    """The picture that a reference names; none if it is none, or leads elsewhere."""
    try:
        told: Any = json.loads(text)
        name, subfolder = str(told["filename"]), str(told.get("subfolder") or "")
        folder = folder_of(call, str(told.get("type") or "output"))
        return None if folder is None else within(folder, _joined(subfolder, name))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, InputError):
        return None


async def list_files(call: Call) -> web.Response:
    """The names of the caller's files of one kind, the newest first."""
    folder = folder_of(call, call.named("kind"))
    if folder is None:
        return refused(400, "Invalid directory type")

    def listed() -> list[str]:
        found = [(path.stat().st_mtime, path) for path in files_in(folder)]
        return [path.relative_to(folder).as_posix() for _, path in sorted(found, reverse=True)]

    return answer(await asyncio.to_thread(listed))


async def folder_paths(call: Call) -> web.Response:
    """The folders of models, without telling where they lie."""
    return answer({})


class _Form:
    """A form with a picture, which is written beside its place as it comes."""

    def __init__(self, temporary: Path) -> None:
        self.temporary = temporary
        self.fields: dict[str, str] = {}
        self.name: str | None = None
        self.digest = ""

    @classmethod
    async def read(cls, call: Call) -> "_Form":
        folder = call.home.inputs
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        form = cls(folder / f".uploading-{secrets.token_hex(8)}")
        try:
            parts = await call.request.multipart()
            while (part := await parts.next()) is not None:
                if isinstance(part, BodyPartReader):
                    await form._take(call, part)
        except (ValueError, AssertionError, HttpProcessingError, web.RequestPayloadError) as error:
            await asyncio.to_thread(form.remove)
            raise ApiError("bad_request", f"the form cannot be read: {error}") from None
        except BaseException:
            form.remove()
            raise
        return form

    async def _take(self, call: Call, part: BodyPartReader) -> None:
        if part.name == "image" and part.filename is not None and self.name is None:
            self.name = part.filename
            most = limits_of(call.request).upload_bytes
            digest = hashlib.sha256()
            with await asyncio.to_thread(self.temporary.open, "xb") as file:
                async for chunk in read_chunks(call.request, most, part.read_chunk):
                    digest.update(chunk)
                    await asyncio.to_thread(file.write, chunk)
            self.digest = digest.hexdigest()
        else:
            chunks = [c async for c in read_chunks(call.request, _MOST_TEXT, part.read_chunk)]
            self.fields[part.name or ""] = b"".join(chunks).decode(errors="replace")

    @property
    def overwrites(self) -> bool:
        return self.fields.get("overwrite", "").lower() in {"true", "1"}

    def remove(self) -> None:
        self.temporary.unlink(missing_ok=True)


async def _keep(call: Call, form: _Form) -> web.Response:
    kind = form.fields.get("type") or "input"
    folder = folder_of(call, kind)
    if form.name is None or folder is None:
        return refused(400, "send a picture in the field 'image', of type input, temp or output")
    name = form.name.replace("\\", "/").rpartition("/")[2].strip(" .")
    if not _NAME.fullmatch(name) or len(name.encode()) > 240:
        return refused(400, f"{name[:100]!r} cannot be the name of a file")
    subfolder = form.fields.get("subfolder", "").replace("\\", "/").strip("/")
    try:
        place = within(folder, _joined(subfolder, name))
        await ask(call.service, "probe", path=str(form.temporary))
    except (InputError, ApiError) as error:
        return refused(400, str(error))
    try:
        await asyncio.to_thread(place.parent.mkdir, parents=True, exist_ok=True)
        put = await asyncio.to_thread(_put, form, place)
    except (FileExistsError, IsADirectoryError, NotADirectoryError):
        return refused(409, f"{place.name!r} cannot be written there: something else has its name")
    told: Json = {"name": put.name, "subfolder": subfolder, "type": kind}
    return answer(told)


def _put(form: _Form, place: Path) -> Path:
    """Give the picture its name, or as ComfyUI does the next one that is free."""
    if form.overwrites:
        form.temporary.replace(place)
        return place
    for number in range(10_000):
        free = place if not number else place.with_stem(f"{place.stem} ({number})")
        try:
            os.link(form.temporary, free)
        except FileExistsError:
            if free.is_file() and _digest(free) == form.digest:
                return free
        else:
            return free
    raise FileExistsError(place)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _joined(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}" if folder.strip("/") else name


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat() if path.is_file() else None
    except OSError:
        return None


ROUTES = (
    Route("GET", "/view", view),
    Route("POST", "/upload/image", upload, "write"),
    Route("POST", "/upload/mask", upload_mask, "write"),
    Route("GET", "/internal/files/{kind}", list_files),
    Route("GET", "/internal/folder_paths", folder_paths),
)
