"""Model files, and the node types that use them."""

from typing import Annotated, Any

from pydantic import BaseModel, Field, with_config
from typing_extensions import TypedDict

from server.access import Principal
from server.places import Places
from server.service import Service

from .desk import ask
from .operation import Answer, Json, Reply, operation
from .problems import ApiError
from .workflows import revisions

TypeName = Annotated[str, Field(min_length=1, max_length=100, examples=["KSampler"])]


@with_config(use_attribute_docstrings=True)
class ModelList(TypedDict):
    """The model files that the node package finds."""

    models: list[Json]
    folder: str | None
    """Where they lie on the server's machine, each in the folder of its kind; only administrators are told."""


@with_config(use_attribute_docstrings=True)
class NodeTypes(TypedDict):
    """Every node type."""

    digest: str
    """Changes with the code of the node packages."""
    nodes: dict[str, Json]
    """By name: JSON Schema of the inputs, the outputs, a category and a summary."""


class Known(BaseModel):
    """What the client has already."""

    if_none_match: str | None = Field(default=None, alias="If-None-Match")


@operation("GET", "/api/v1/models", scope="read", problems=("invalid_value", "worker_lost"))
async def list_models(service: Service, principal: Principal) -> ModelList:
    """List the model files: path within the data folder, kind, family and size."""
    data = service.settings.data
    found: Any = (await ask(service, "models")).value
    return ModelList(
        models=Places(data).hidden(found),
        folder=str((data / "models").absolute()) if principal.may("admin") else None,
    )


@operation(
    "GET",
    "/api/v1/nodes",
    scope="read",
    answers={
        200: Answer("The catalogue.", NodeTypes, headers={"ETag": "Changes with the catalogue."}),
        304: Answer("You have it already."),
    },
)
async def list_nodes(service: Service, headers: Known) -> Reply[NodeTypes | None]:
    """List the node types: what an editor needs to draw them."""
    catalogue = await service.types()
    tag = {"ETag": f'"{catalogue.digest}"', "Cache-Control": "no-cache"}
    if catalogue.digest in revisions(headers.if_none_match):
        return Reply(None, 304, tag)
    return Reply(
        NodeTypes(
            digest=catalogue.digest, nodes={n: shown_type(t) for n, t in catalogue.by_name.items()}
        ),
        headers=tag,
    )


@operation("GET", "/api/v1/nodes/{type_name}", scope="read")
async def read_node_type(service: Service, type_name: TypeName) -> Json:
    """Read one node type."""
    catalogue = await service.types()
    told = catalogue.by_name.get(type_name)
    if told is None:
        near = catalogue.types.nearest(type_name)
        hint = None if near is None else f"did you mean {near}?"
        raise ApiError("not_found", f"there is no node type {type_name!r}", hint=hint)
    return shown_type(told)


def shown_type(told: Json) -> Json:
    """A type without what only a check of the server needs."""
    return {name: value for name, value in told.items() if name not in {"checks", "code"}}
