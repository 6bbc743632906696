import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from pydantic import BaseModel, ConfigDict, Field

from engine.errors import DeclarationError, GraphError, InputError, Problem
from server.access.bodies import BODY_LIMITS, BodyLimits
from server.access.principal import scope_of
from server.api.mounting import handler_of, mount
from server.api.openapi import document
from server.api.operation import Answer, Operation, Reply, operation, operations_in
from server.api.problems import ApiError, answer_problems

Client = TestClient[web.Request, web.Application]
Serve = Callable[..., Awaitable[Client]]


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    colour: Literal["red", "blue"]
    count: Annotated[int, Field(ge=1, le=10)] = 1
    notes: list[str] = []


class Made(BaseModel):
    text: str
    by: str


class Which(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=100, description="How many at most")] = 10
    state: tuple[Literal["new", "old"], ...] = ()
    loud: bool = False
    before: float | None = None


class Revision(BaseModel):
    if_match: str | None = Field(default=None, alias="If-Match")


class Dyer:
    name = "Ada"


@operation("POST", "/shop/{shop}/orders", scope="run", answers={201: Answer("Made.", Made)})
async def order(shop: int, body: Order, dyer: Dyer) -> Reply[Made]:
    """Order a cloth.

    It is dyed at once.
    """
    return Reply(
        Made(text=f"{body.count} {body.colour} in {shop}", by=dyer.name), headers={"X": "1"}
    )


@operation("GET", "/orders", scope="read")
async def list_orders(query: Which, headers: Revision) -> dict[str, Any]:
    """List orders."""
    return {**query.model_dump(), "revision": headers.if_match}


@operation("GET", "/faults/{which}", scope=None, problems=("conflict",))
async def fail(which: str) -> None:
    """Fail in some way."""
    problem = Problem("unknown_node", "there is no Dye", "dye", None, "Dyer")
    raise {
        "graph": GraphError([problem, problem]),
        "input": InputError("too red", code="red", input="colour", hint="blue"),
        "api": ApiError("conflict", "it runs", headers={"Retry-After": "3"}),
        "bug": ZeroDivisionError("the secret"),
        "disk": OSError(28, "No space left on device", "/secret"),
    }[which]


def declared(*functions: Any) -> list[Operation]:
    return [function.__operation__ for function in functions]


@pytest.fixture
async def client(aiohttp_client: Serve) -> Client:
    app = web.Application(middlewares=[answer_problems], client_max_size=10_000)
    app[BODY_LIMITS] = BodyLimits(json_bytes=10_000)
    mount(app, declared(order, list_orders, fail), {Dyer: lambda _: Dyer()})
    return await aiohttp_client(app)


async def test_a_function_receives_parsed_values(client: Client) -> None:
    answer = await client.post("/shop/7/orders", json={"colour": "red", "count": 2})
    assert answer.status == 201
    assert answer.headers["X"] == "1"
    assert await answer.json() == {"text": "2 red in 7", "by": "Ada"}


async def test_every_wrong_value_is_reported_with_its_place(client: Client) -> None:
    answer = await client.post(
        "/shop/7/orders", json={"colour": "green", "count": "2", "notes": ["a", 3], "size": 1}
    )
    assert answer.status == 422
    assert answer.content_type == "application/problem+json"
    told = await answer.json()
    assert told["type"] == "/api/v1/problems/invalid_request"
    assert [problem["pointer"] for problem in told["problems"]] == [
        "/colour",
        "/count",
        "/notes/1",
        "/size",
    ]
    assert told["problems"][3]["code"] == "unknown_field"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"colour": NaN}',
        b'{"colour": "red", "colour": "blue"}',
        b"\xff\xfe",
        b"[" * 9_000,
        b'{"colour": "\\ud800"}',
        b'{"count": ' + b"1" * 5_000 + b"}",
        b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
    ],
)
async def test_what_is_not_json_is_refused(client: Client, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await client.post("/shop/7/orders", data=body, headers=headers)
    assert answer.status == 400
    assert (await answer.json())["code"] in {"bad_json", "too_deep"}


async def test_a_body_of_another_type_is_refused(client: Client) -> None:
    answer = await client.post("/shop/7/orders", data={"colour": "red"})
    assert answer.status == 415
    assert "application/json" in (await answer.json())["detail"]


async def test_a_body_over_the_limit_is_refused(client: Client) -> None:
    answer = await client.post("/shop/7/orders", json={"colour": "r" * 20_000})
    assert answer.status == 413
    assert (await answer.json())["code"] == "too_large"


@pytest.mark.parametrize("shop", ["x", "1.5", "1_0", "%20"])
async def test_a_path_parameter_of_another_type_is_refused(client: Client, shop: str) -> None:
    answer = await client.post(f"/shop/{shop}/orders", json={"colour": "red"})
    assert answer.status == 422


async def test_queries_are_read_by_their_types(client: Client) -> None:
    answer = await client.get("/orders?limit=5&state=new&state=old&loud=true&before=1e3")
    assert await answer.json() == {
        "limit": 5,
        "state": ["new", "old"],
        "loud": True,
        "before": 1000.0,
        "revision": None,
    }


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=five", "limit=5&limit=6", "loud=yes", "state=x", "colour=red"]
)
async def test_a_wrong_query_is_refused(client: Client, query: str) -> None:
    answer = await client.get(f"/orders?{query}")
    assert answer.status == 422
    assert (await answer.json())["problems"][0]["input"] == query.split("=", maxsplit=1)[0]


async def test_headers_are_read_by_their_names(client: Client) -> None:
    answer = await client.get("/orders", headers={"if-match": "42"})
    assert (await answer.json())["revision"] == "42"


def test_handlers_tell_the_scope_that_they_need() -> None:
    handlers = [
        handler_of(each, {Dyer: lambda _: Dyer()}) for each in declared(order, list_orders, fail)
    ]
    assert [scope_of(each, "GET") for each in handlers] == ["run", "read", None]


async def test_problems_of_a_graph_keep_their_addresses(client: Client) -> None:
    answer = await client.get("/faults/graph")
    assert answer.status == 422
    told = await answer.json()
    assert told["code"] == "invalid_workflow"
    assert (
        told["problems"]
        == [{"code": "unknown_node", "message": "there is no Dye", "node": "dye", "hint": "Dyer"}]
        * 2
    )


async def test_an_input_error_keeps_its_code_and_remedy(client: Client) -> None:
    told = await (await client.get("/faults/input")).json()
    assert (told["status"], told["code"]) == (422, "invalid_value")
    assert told["problems"] == [
        {"code": "red", "message": "too red", "input": "colour", "hint": "blue"}
    ]


async def test_an_answer_may_bring_headers(client: Client) -> None:
    answer = await client.get("/faults/api")
    assert (answer.status, answer.headers["Retry-After"]) == (409, "3")


async def test_a_fault_of_ours_is_logged_and_not_shown(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await client.get("/faults/bug")
    text = await answer.text()
    assert answer.status == 500
    assert "secret" not in text
    assert json.loads(text)["instance"] in caplog.text
    assert "the secret" in caplog.text


async def test_a_full_disk_is_told_as_such(client: Client) -> None:
    assert (await client.get("/faults/disk")).status == 507


async def test_unknown_addresses_and_methods_are_problems(client: Client) -> None:
    assert (await (await client.get("/nowhere")).json())["code"] == "not_found"
    answer = await client.delete("/orders")
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET,HEAD"
    assert (await answer.json())["code"] == "method_not_allowed"


def test_the_document_is_made_from_the_declarations() -> None:
    found = document(declared(order, list_orders, fail))
    entry = found["paths"]["/shop/{shop}/orders"]["post"]
    assert (entry["summary"], entry["description"]) == ("Order a cloth.", "It is dyed at once.")
    assert entry["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Order"
    }
    assert entry["parameters"] == [
        {"name": "shop", "in": "path", "required": True, "schema": {"type": "integer"}}
    ]
    assert {"201", "400", "401", "403", "404", "413", "415", "422", "429", "500"} <= set(
        entry["responses"]
    )
    assert entry["security"] == [{"bearer": ["run"]}, {"cookie": ["run"]}]
    limit, *_ = found["paths"]["/orders"]["get"]["parameters"]
    assert limit["description"] == "How many at most"
    assert limit["schema"] == {"default": 10, "maximum": 100, "minimum": 1, "type": "integer"}
    assert found["paths"]["/faults/{which}"]["get"]["security"] == []
    assert found["components"]["schemas"]["Order"]["additionalProperties"] is False


def test_a_declaration_without_types_or_text_is_refused() -> None:
    async def silent(name: str) -> None: ...

    async def untyped(name):  # type: ignore[no-untyped-def]
        """Say it."""

    async def elsewhere() -> None:
        """Say it."""

    for function in (silent, untyped, elsewhere):
        with pytest.raises(DeclarationError):
            operation("GET", "/{name}", scope=None)(function)


def test_what_nothing_lends_is_found_at_the_start() -> None:
    with pytest.raises(DeclarationError, match="dyer"):
        mount(web.Application(), declared(order), {})


def test_operations_are_found_in_the_order_of_a_module() -> None:
    import sys

    found = list(operations_in(sys.modules[__name__]))
    assert [each.name for each in found] == ["order", "list_orders", "fail"]
