"""What a request says, as the values that an operation's function takes."""

import asyncio
import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from aiohttp import web
from pydantic import BaseModel, TypeAdapter, ValidationError

from server.access.bodies import LARGE, limits_of, parse_json, read_body

from .operation import Json, Operation
from .problems import ApiError, Fault, faults_of

_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_WORDS = {"true": True, "false": False}
MAX_DIGITS = 400


async def read_request(operation: Operation, request: web.Request) -> Json:
    """The arguments that the request gives.

    Raises:
        ApiError: With every fault in the path, the query and the headers, else in the body.
    """
    arguments: Json = {}
    faults = _read_path(operation, request, arguments)
    if operation.query is None:
        faults += [_unknown(name) for name in dict.fromkeys(request.query)]
    else:
        faults += _read_fields(operation.query, request.query, "query", arguments)
    if operation.headers is not None:
        faults += _read_fields(operation.headers, request.headers, "headers", arguments)
    if faults:
        raise ApiError("invalid_request", _joined(faults), faults=faults)
    if operation.body is not None:
        arguments["body"] = await _body(operation.body, request)
    elif operation.takes:
        _check_type(request, operation.takes)
    return arguments


def _read_path(operation: Operation, request: web.Request, arguments: Json) -> list[Fault]:
    faults: list[Fault] = []
    for name, adapter in operation.path_adapters.items():
        try:
            arguments[name] = _checked(adapter, _scalar(request.match_info[name], adapter))
        except ValidationError as error:
            faults += faults_of(error, f"path parameter {name}")
    return faults


def _read_fields(
    model: type[BaseModel], given: Mapping[str, str], place: str, arguments: Json
) -> list[Fault]:
    try:
        arguments[place] = _fields(model, given, only_known=place == "headers")
    except ValidationError as error:
        return faults_of(error, place, _shape(model))
    except _TwiceError as error:
        return [Fault(code="bad_value", message=str(error), input=error.name)]
    return []


class _TwiceError(ValueError):
    def __init__(self, name: str) -> None:
        super().__init__(f"query {name} is given twice: give it once")
        self.name = name


def _fields(model: type[BaseModel], given: Mapping[str, str], *, only_known: bool) -> BaseModel:
    """A model whose fields come as texts; a field that is a list may come repeatedly."""
    known = _properties(model)
    names = [name for name in known if name in given] if only_known else dict.fromkeys(given)
    values: Json = {}
    for name in names:
        texts = given.getall(name) if hasattr(given, "getall") else [given[name]]
        shape = known.get(name, {})
        if _is(shape, "array"):
            values[name] = [_read(text, shape.get("items", {})) for text in texts]
        elif len(texts) > 1:
            raise _TwiceError(name)
        else:
            values[name] = _read(texts[0], shape)
    return _validated(model, json.dumps(values)) if values else _of_nothing(model)


def _validated(model: type[BaseModel], text: str) -> BaseModel:
    return model.model_validate_json(text, strict=True)


@cache
def _of_nothing(model: type[BaseModel]) -> BaseModel:
    """Most requests say nothing here. Models of parameters are not changed, so one serves all."""
    return _validated(model, "{}")


@cache
def _shape(model: type[BaseModel]) -> Json:
    return model.model_json_schema(by_alias=True)


def _properties(model: type[BaseModel]) -> Json:
    properties: Json = _shape(model).get("properties", {})
    return properties


def _scalar(text: str, adapter: TypeAdapter[Any]) -> object:
    return _read(text, adapter.json_schema())


def _read(text: str, shape: Json) -> object:
    """The text as a number or truth where that is asked for and written as JSON writes it."""
    if _is(shape, "boolean") and text in _WORDS:
        return _WORDS[text]
    if (_is(shape, "integer") or _is(shape, "number")) and _NUMBER.fullmatch(text):
        return json.loads(text) if len(text) < MAX_DIGITS else text
    return text


def _is(shape: Json, kind: str) -> bool:
    return shape.get("type") == kind or any(_is(each, kind) for each in shape.get("anyOf", ()))


def _checked(adapter: TypeAdapter[Any], value: object) -> Any:
    return adapter.validate_json(json.dumps(value), strict=True)


async def _body(adapter: TypeAdapter[Any], request: web.Request) -> Any:
    """The body as a value of the type.

    JSON is read twice: once with the bounds that every body has, once by pydantic, whose strict
    mode tells a text from what came as JSON.
    """
    _check_type(request, {"application/json": ""})
    raw = await read_body(request)
    depth = limits_of(request).depth
    if len(raw) > LARGE:
        return await asyncio.to_thread(parse_body, adapter, raw, depth)
    return parse_body(adapter, raw, depth)


def parse_body(adapter: TypeAdapter[Any], raw: bytes, depth: int) -> Any:
    """The value in a JSON text.

    Raises:
        Refused: It is not JSON.
        ApiError: It is not of the type; with every fault.
    """
    parse_json(raw, depth)
    try:
        return adapter.validate_json(raw.removeprefix(BOM_UTF8), strict=True)
    except ValidationError as error:
        faults = faults_of(error, "body", adapter.json_schema())
        raise ApiError("invalid_request", _joined(faults), faults=faults) from None


def _check_type(request: web.Request, takes: Mapping[str, str]) -> None:
    """Refuse what is sent as something else; that also keeps forms of other sites out."""
    named = request.content_type if "Content-Type" in request.headers else None
    group = f"{(named or '').partition('/')[0]}/*"
    if named in takes or group in takes:
        return
    listed = " or ".join(takes)
    raise ApiError(
        "unsupported_media_type",
        f"the body is sent as {named or 'nothing in particular'}: send it as {listed}",
        hint=f"Content-Type: {next(iter(takes))}",
        headers={"Accept-Post": ", ".join(takes)},
    )


def _unknown(name: str) -> Fault:
    message = f"query {name[:60]} is not known here"
    return Fault(code="unknown_field", message=message, input=name[:60])


def _joined(faults: Iterable[Fault]) -> str:
    messages = [fault.message for fault in faults]
    more = f" (and {len(messages) - 5} more)" if len(messages) > 5 else ""
    return "; ".join(messages[:5]) + more
