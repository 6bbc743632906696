import time
from datetime import datetime
from typing import Any

import pytest

from server.access import Principal, Refused
from server.access.tokens import DAY, add_token
from server.access.users import add_user
from server.service import Service
from tests.server.api.conftest import Caller, Client

Json = dict[str, Any]


async def test_one_is_told_who_one_is(client: Client) -> None:
    told = await (await client.get("/api/v1/me")).json()
    assert told == {"user": "local", "scopes": ["read", "run", "write", "admin"], "closed": False}


async def test_tokens_are_made_listed_used_and_deleted(
    client: Client, service: Service, caller: Caller
) -> None:
    assert (await client.post("/api/v1/tokens", json={})).status == 409
    await service.database.write(lambda c: add_user(c, "ada", ["read", "run", "write"]))
    caller.principal = Principal("ada", frozenset({"read", "run", "write"}))
    answer = await client.post("/api/v1/tokens", json={"label": "notebook", "scopes": ["read"]})
    made = await answer.json()
    assert answer.status == 201
    found = await service.access.of_token(made["token"])
    assert found == Principal("ada", frozenset({"read"}))
    listed = (await (await client.get("/api/v1/tokens")).json())["tokens"]
    assert [(each["id"], each["label"]) for each in listed] == [(made["id"], "notebook")]
    assert "token" not in listed[0]
    caller.principal = Principal("eve", frozenset({"read", "write"}))
    assert (await client.delete(f"/api/v1/tokens/{made['id']}")).status == 404
    caller.principal = Principal("ada", frozenset({"read", "write"}))
    assert (await client.delete(f"/api/v1/tokens/{made['id']}")).status == 204
    assert await service.access.of_token(made["token"]) is None
    await service.access.close()


async def test_a_token_cannot_make_one_that_may_more(
    client: Client, service: Service, caller: Caller
) -> None:
    await service.database.write(lambda c: add_user(c, "ada", ["read", "run", "write"]))
    caller.principal = Principal("ada", frozenset({"read", "write"}))
    assert (await client.post("/api/v1/tokens", json={"scopes": ["run"]})).status == 403
    made = await (await client.post("/api/v1/tokens", json={})).json()
    assert made["scopes"] == ["read", "write"]
    assert (await client.post("/api/v1/tokens", json={"scopes": ["all"]})).status == 422


@pytest.mark.parametrize("days", [None, 1, 300])
async def test_a_token_cannot_make_one_that_lasts_longer(
    client: Client, service: Service, caller: Caller, days: int | None
) -> None:
    await service.database.write(lambda c: add_user(c, "ada", ["read", "write"]))
    _, text = await service.database.write(lambda c: add_token(c, "ada", days=2))
    found = await service.access.of_token(text)
    assert found is not None
    caller.principal = found
    made = await (await client.post("/api/v1/tokens", json={"days": days})).json()
    left = (datetime.fromisoformat(made["expires"]).timestamp() - time.time()) / DAY
    assert left == pytest.approx(1 if days == 1 else 2, abs=0.01)
    await service.access.close()


def test_refusals_bring_their_own_status() -> None:
    from server.api.problems import problem_of

    told = problem_of(Refused(429, "too_many_requests", "slowly", "wait", {"Retry-After": "3"}))
    assert (told.document.status, told.document.hint) == (429, "wait")
    assert told.headers["Retry-After"] == "3"
    other = problem_of(Refused(503, "stopping", "the server stops"))
    assert (other.document.code, other.document.type) == (
        "stopping",
        "/api/v1/problems/unavailable",
    )
