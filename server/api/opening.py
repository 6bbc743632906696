"""The workflow in a file: ours, ComfyUI's, or a picture that carries either."""

import asyncio
import json
from pathlib import Path, PurePath
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from engine.errors import GraphError, Problem
from engine.workflow import MAX_BYTES, Workflow
from server.access import Principal
from server.access.bodies import is_deeper, limits_of, refuse_depth
from server.catalogue import Catalogue
from server.homes import home
from server.service import Service

from .desk import ask
from .incoming import Incoming
from .operation import Answer, Json, operation
from .problems import ApiError

_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF")
_CARRIED = ("workflow", "prompt")
"""ComfyUI's texts in a picture; the editor's format says more, so it comes first."""
_SETTINGS = "parameters"
"""What A1111 and its kin write into a picture: the prompt and the settings, in one text."""


class Called(BaseModel):
    """What the file is called."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(
        default="", max_length=300, description="The file's name, for the workflow's and messages."
    )


@with_config(use_attribute_docstrings=True)
class FindingView(TypedDict):
    """One thing that has no exact counterpart here."""

    loss: Literal["missing", "near", "note"]
    """`missing`: there is no counterpart; `near`: the result differs a little; `note`: nothing is lost."""
    code: str
    message: str
    node: str | None
    """The node in the file that was read."""
    type: str | None
    input: str | None


@with_config(use_attribute_docstrings=True)
class OpenedView(TypedDict):
    """A workflow out of a file."""

    document: Json
    """The workflow; what is not known here is kept in it as it was."""
    format: Literal["darkroom", "comfyui"]
    """Whose the file is."""
    picture: bool
    """Whether a picture carried it, which may be meant as an input as well."""
    findings: list[FindingView]
    """What could not be carried over from another program's file."""


@operation(
    "POST",
    "/api/v1/open",
    scope="read",
    answers={200: Answer("The workflow.", OpenedView)},
    problems=("invalid_workflow", "invalid_value", "worker_lost", "timeout"),
    takes={
        "application/octet-stream": "The file's bytes.",
        "application/json": "A workflow of Darkroom or ComfyUI, or a prompt in ComfyUI's API format.",
        "image/*": "A picture that carries a workflow.",
        "multipart/form-data": "The file.",
    },
)
async def open_file(
    service: Service, principal: Principal, request: web.Request, query: Called
) -> OpenedView:
    """Read the workflow in a file, without keeping the file.

    The bytes tell what it is: JSON of Darkroom or ComfyUI, or a PNG, JPEG or WebP picture that one
    of them saved.
    """
    async with Incoming(home(service.settings.data, principal.user).inputs) as file:
        if request.content_type == "multipart/form-data":
            await file.read_form(request)
        else:
            await file.read_body(request)
        name = query.name or file.name or ""
        begin = await asyncio.to_thread(_beginning, file.path) if file.size else b""
        if begin.startswith(_PICTURES):
            try:
                carried = (await ask(service, "metadata", path=str(file.path))).value
            except ApiError as error:
                raise file.named(error, name) from error
            found = await asyncio.to_thread(_carried, carried, _called(name))
        else:
            found = await asyncio.to_thread(_json, file, _called(name))
        if is_deeper(found, limits_of(request).depth):
            refuse_depth(limits_of(request).depth)
    catalogue = await service.types()
    stem = PurePath(name.replace("\\", "/")).stem
    return await asyncio.to_thread(_opened, found, catalogue, stem, begin.startswith(_PICTURES))


def _opened(found: object, catalogue: Catalogue, name: str, picture: bool) -> OpenedView:
    if isinstance(found, dict) and "darkroom" in found:
        document = Workflow.from_json(found).to_json()
        return OpenedView(document=document, format="darkroom", picture=picture, findings=[])
    from server.comfy.importer import import_graph  # loaded once somebody comes with such a file

    made = import_graph(found, catalogue.by_name, name=name)
    findings: Any = [finding.to_json() for finding in made.report.findings]
    return OpenedView(document=made.document, format="comfyui", picture=picture, findings=findings)


def _carried(carried: Any, called: str) -> object:
    """The graph among what a picture tells of its making."""
    told = carried if isinstance(carried, dict) else {}
    own = told.get("darkroom")
    if isinstance(own, dict) and isinstance(own.get("workflow"), dict):
        return own["workflow"]
    for key in _CARRIED:
        if isinstance(told.get(key), str):
            return _parsed(told[key], f"{called} carries a {key} that")
    if isinstance(told.get(_SETTINGS), str):
        raise GraphError(
            [
                Problem(
                    "settings_only",
                    f"{called} carries settings as a text, as A1111 writes it, and no graph",
                    hint="open a workflow and type them in: " + f"{told[_SETTINGS]:.400}",
                )
            ]
        )
    raise GraphError(
        [
            Problem(
                "no_workflow",
                f"{called} carries no workflow",
                hint="take the picture as it was saved: programs that edit or send pictures drop"
                " what is embedded",
            )
        ]
    )


def _json(file: Incoming, called: str) -> object:
    if file.size == 0:
        raise _unreadable(f"{called} is empty")
    if file.size > MAX_BYTES:
        raise _unreadable(f"{called} is larger than {MAX_BYTES:,} bytes: it is no workflow")
    try:
        text = file.path.read_text(encoding="utf-8-sig")
    except UnicodeError:
        raise _unreadable(f"{called} is neither a picture nor JSON") from None
    return _parsed(text, called)


def _parsed(text: str, called: str) -> object:
    try:
        # NaN is no JSON, but ComfyUI writes it for what changes in every run.
        return json.loads(text, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise _unreadable(f"{called} is not JSON: {error!s:.100}") from None


def _called(name: str) -> str:
    plain = PurePath(name.replace("\\", "/")).name[:200]
    return plain or "the file"


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(8)


def _unreadable(message: str) -> GraphError:
    return GraphError(
        [Problem("unreadable", message, hint="give a workflow, or a picture with one")]
    )
