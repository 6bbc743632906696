import pytest

from server.access import Principal
from server.service import Service
from tests.server.api.conftest import Bench, Caller, Client, Json


async def test_the_page_tells_how_the_server_is_and_where_to_go_on(
    client: Client, bench: Bench, graph: Json
) -> None:
    for _ in range(2):
        await client.post("/api/v1/jobs", json={"document": graph})
    await bench.began.wait()
    answer = await client.get("/status")
    page = await answer.text()
    assert (answer.status, answer.content_type) == (200, "text/html")
    assert "1 running, 1 queued" in page
    assert "1 worker ready" in page
    assert "Log out" not in page
    for path in ("/api/v1/docs", "/api/v1/docs/docs.css", "/api/v1/health", "/api/v1/queue"):
        assert path in page
        assert (await client.get(path)).status == 200
    assert (await client.head("/status")).status == 200


async def test_who_is_logged_in_can_log_out(
    client: Client, service: Service, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def is_closed() -> bool:
        return True

    monkeypatch.setattr(service.access, "is_closed", is_closed)
    caller.principal = Principal("<eve>", frozenset({"read"}))
    page = await (await client.get("/status")).text()
    assert "&lt;eve&gt;" in page
    assert 'action="/logout"' in page
