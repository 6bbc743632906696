"""The OpenAPI 3.1 document, made from the declared operations."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from server import __version__

from .operation import Answer, Json, Operation
from .problems import KINDS, MEDIA_TYPE, ProblemDocument

REFERENCE = "#/components/schemas/{model}"
_ALWAYS = ("bad_request", "too_many_requests", "internal", "unavailable")
_SCOPED = ("unauthorized", "forbidden")
_BODY = ("bad_json", "too_large", "unsupported_media_type", "invalid_request")
SECURITY: Json = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token, made with `darkroom tokens add` or under /api/v1/tokens.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "darkroom_8188",
        "description": "The session of somebody who has logged in.",
    },
}


class Schemas:
    """JSON Schemas of all the types that operations name, each model once among the components."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        wanted: list[tuple[Any, JsonSchemaMode]] = [(ProblemDocument, "serialization")]
        for operation in operations:
            if operation.body is not None:
                wanted.append((operation.inputs["body"], "validation"))
            wanted += [
                (answer.content, "serialization")
                for answer in operation.answers.values()
                if answer.content not in {None, type(None)}
            ]
        adapters = {key: TypeAdapter(key[0]) for key in wanted}
        found, definitions = TypeAdapter.json_schemas(
            [(str(hint), mode, adapter) for (hint, mode), adapter in adapters.items()],
            ref_template=REFERENCE,
        )
        self.components: Json = definitions.get("$defs", {})
        self.known = found

    def of(self, hint: Any, mode: JsonSchemaMode) -> Json:
        """A type's schema: a reference, if it is a model."""
        return self.known[str(hint), mode]


def document(
    operations: Iterable[Operation],
    *,
    parameters: Mapping[str, Json] | None = None,
    title: str = "Darkroom",
) -> Json:
    """The document.

    Args:
        operations: What it describes.
        parameters: Parameters that are named elsewhere.
        title: Its name.
    """
    listed = tuple(operations)
    schemas = Schemas(listed)
    found: dict[str, Json] = {}
    for operation in listed:
        found.setdefault(operation.template, {})[operation.method.lower()] = described(
            operation, schemas
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": __version__,
            "summary": "Queue graphs over the Stable Diffusion family, and see what becomes of them.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(each.tag for each in listed)],
        "paths": found,
        "components": {
            "schemas": schemas.components,
            "parameters": dict(parameters or {}),
            "securitySchemes": SECURITY,
            "responses": {code: problem_response(code) for code in KINDS},
        },
    }


def described(operation: Operation, schemas: Schemas) -> Json:
    """One operation."""
    summary, text = operation.text
    entry: Json = {"operationId": operation.name, "tags": [operation.tag], "summary": summary}
    if text:
        entry["description"] = text
    parameters = [_in_path(operation, name) for name in operation.named]
    parameters += parameters_of(operation.query, "query") + parameters_of(
        operation.headers, "header"
    )
    if parameters:
        entry["parameters"] = parameters
    if operation.body is not None:
        schema = schemas.of(operation.inputs["body"], "validation")
        entry["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    elif operation.takes:
        entry["requestBody"] = {
            "required": True,
            "content": {media: _raw(media, text) for media, text in operation.takes.items()},
        }
    answers = {str(s): _answer(a, schemas) for s, a in sorted(operation.answers.items())}
    entry["responses"] = answers | problem_responses(kinds_of(operation), taken=answers)
    entry["x-problems"] = sorted(set(kinds_of(operation)), key=[*KINDS].index)
    entry["security"] = (
        [] if operation.scope is None else [{n: [operation.scope]} for n in SECURITY]
    )
    return entry


def kinds_of(operation: Operation) -> list[str]:
    """The kinds of problem that an operation may give."""
    kinds = [*_ALWAYS, *operation.problems]
    if operation.scope is not None:
        kinds += _SCOPED
    if operation.body is not None or operation.takes:
        kinds += _BODY
    if operation.body is not None:
        kinds += ["bad_json"]
    if operation.named:
        kinds += ["not_found"]
    kinds += ["invalid_request"]
    return kinds


def problem_responses(kinds: Iterable[str], *, taken: Mapping[str, Any] = {}) -> Json:
    """The answers for kinds of problem: kinds of one status share an answer."""
    by_status: dict[str, str] = {}
    for code in kinds:
        by_status.setdefault(str(KINDS[code].status), code)
    return {
        status: {"$ref": f"#/components/responses/{code}"}
        for status, code in sorted(by_status.items())
        if status not in taken
    }


def problem_response(code: str) -> Json:
    """A problem as an answer."""
    kind = KINDS[code]
    answer: Json = {
        "description": f"{kind.title}. {kind.text}",
        "content": {MEDIA_TYPE: {"schema": {"$ref": REFERENCE.format(model="ProblemDocument")}}},
    }
    if code == "too_many_requests":
        answer["headers"] = {"Retry-After": _header("Seconds after which to try again.")}
    if code == "unauthorized":
        answer["headers"] = {"WWW-Authenticate": _header("How to say who is asking.")}
    return answer


def _answer(answer: Answer, schemas: Schemas) -> Json:
    entry: Json = {"description": answer.description}
    if answer.headers:
        entry["headers"] = {name: _header(text) for name, text in answer.headers.items()}
    if answer.content not in {None, type(None)}:
        schema = schemas.of(answer.content, "serialization")
        entry["content"] = {"application/json": {"schema": schema}}
    if answer.media:
        entry.setdefault("content", {}).update({media: {} for media in answer.media})
    return entry


def _raw(media: str, text: str) -> Json:
    if media == "multipart/form-data":
        properties = {"file": {"type": "string", "format": "binary", "description": text}}
        return {"schema": {"type": "object", "required": ["file"], "properties": properties}}
    return {"schema": {"description": text}}


def _header(text: str) -> Json:
    return {"description": text, "schema": {"type": "string"}}


def _in_path(operation: Operation, name: str) -> Json:
    schema = operation.path_adapters[name].json_schema()
    description = schema.pop("description", None)
    entry: Json = {"name": name, "in": "path", "required": True, "schema": schema}
    return entry | ({"description": description} if description else {})


def parameters_of(model: type[BaseModel] | None, place: str) -> list[Json]:
    """The fields of a model as parameters of a request."""
    if model is None:
        return []
    schema = model.model_json_schema(by_alias=True)
    required = schema.get("required", [])
    found = []
    for name, shape in schema.get("properties", {}).items():
        description = shape.pop("description", None)
        shape.pop("title", None)
        entry: Json = {"name": name, "in": place, "required": name in required}
        if description:
            entry["description"] = description
        found.append(entry | {"schema": _without_null(shape)})
    return found


def _without_null(shape: Json) -> Json:
    """A parameter cannot be null on the wire: one that may be absent is left out."""
    others = [each for each in shape.get("anyOf", ()) if each != {"type": "null"}]
    if len(others) != 1:
        return shape
    rest = {n: v for n, v in shape.items() if n != "anyOf" and not (n == "default" and v is None)}
    return {**others[0], **rest}
