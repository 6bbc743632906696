import re
from typing import Any

import aiohttp.web
import pytest
from aiohttp import WSServerHandshakeError
from yarl import URL

from server.access.headers import CONTENT_POLICY
from tests.server.access.conftest import House

PAGE = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("127.0.0.1:8188", 200),
        ("[::1]:8188", 200),
        ("LOCALHOST.:1", 200),
        ("evil.example", 403),
        ("evil.example:8188", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example", 403),
        ("192.168.1.5", 403),
        ("localhost@evil.example", 403),
        ("", 403),
    ],
)
async def test_a_rebound_name_is_refused(
    house: House, aiohttp_client: Any, host: str, status: int
) -> None:
    client = await aiohttp_client(house.app())
    assert (await client.get("/open", headers={"Host": host})).status == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("darkroom.example.org", 200),
        ("a.lab.example", 200),
        ("lab.example", 403),
        ("evillab.example", 403),
        ("other.example.org", 403),
        ("192.168.1.5:8188", 200),
    ],
)
async def test_a_server_that_others_reach_has_names(
    make_house: Any, aiohttp_client: Any, host: str, status: int
) -> None:
    house = make_house(host="192.168.1.5", allowed_hosts=["Darkroom.example.org", "*.lab.example"])
    client = await aiohttp_client(house.app())
    assert (await client.get("/open", headers={"Host": host})).status == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://localhost:8188"}, 200),
        ({"Origin": "http://LOCALHOST:8188", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://localhost:3000"}, 403),
        ({"Origin": "http://localhost"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:8188.evil.example"}, 403),
        ({"Origin": "http://localhost:99999999"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:8188"}, 403),
        ({"Sec-Fetch-Site": "cross-site", **PAGE}, 403),
    ],
)
async def test_a_post_from_another_site_is_refused(
    house: House, aiohttp_client: Any, headers: dict[str, str], status: int
) -> None:
    client = await aiohttp_client(house.app())
    sent = {"Host": "localhost:8188", **headers}
    assert (await client.post("/echo", json={}, headers=sent)).status == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site", **PAGE}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, 403),
        (
            {
                "Sec-Fetch-Site": "cross-site",
                "Sec-Fetch-Mode": "navigate",
                "Sec-Fetch-Dest": "iframe",
            },
            403,
        ),
    ],
)
async def test_another_site_may_link_but_not_embed(
    house: House, aiohttp_client: Any, headers: dict[str, str], status: int
) -> None:
    client = await aiohttp_client(house.app())
    assert (await client.get("/", headers=headers)).status == status


async def test_a_websocket_from_another_site_is_refused(house: House, aiohttp_client: Any) -> None:
    client = await aiohttp_client(house.app())
    host = f"127.0.0.1:{client.port}"
    async with client.ws_connect("/socket") as socket:
        assert await socket.receive_str() == "local"
    async with client.ws_connect("/socket", origin=f"http://{host}") as socket:
        assert await socket.receive_str() == "local"
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        with pytest.raises(WSServerHandshakeError) as told:
            await client.ws_connect("/socket", headers=headers)
        assert told.value.status == 403


async def test_answers_carry_protecting_headers(house: House, aiohttp_client: Any) -> None:
    client = await aiohttp_client(house.app())
    for path, status in (("/", 200), ("/none", 404), ("/login.css", 200)):
        answer = await client.get(path)
        assert answer.status == status
        assert answer.headers["Content-Security-Policy"] == CONTENT_POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "aiohttp" not in answer.headers["Server"]
        assert "Strict-Transport-Security" not in answer.headers
    assert "unsafe" not in CONTENT_POLICY
    assert "frame-ancestors 'none'" in CONTENT_POLICY


async def test_a_refusal_carries_the_headers_too(house: House, aiohttp_client: Any) -> None:
    client = await aiohttp_client(house.app())
    answer = await client.get("/", headers={"Host": "evil.example", "X-Request-Id": "abc-1"})
    assert answer.status == 403
    assert answer.headers["X-Request-Id"] == "abc-1"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_request_id_that_could_forge_logs_is_replaced(
    house: House, aiohttp_client: Any
) -> None:
    client = await aiohttp_client(house.app())
    for forged in ("a b", "x" * 65, "é"):
        answer = await client.get("/", headers={"X-Request-Id": forged})
        assert answer.headers["X-Request-Id"] != forged
        assert re.fullmatch("[0-9a-f]{8}-[0-9a-f]+", answer.headers["X-Request-Id"])


async def test_without_users_everybody_here_is_local(house: House, aiohttp_client: Any) -> None:
    client = await aiohttp_client(house.app())
    assert await (await client.get("/")).json() == {
        "user": "local",
        "scopes": ["admin", "read", "run", "write"],
    }


async def test_with_users_strangers_are_told_to_say_who_they_are(
    house: House, aiohttp_client: Any
) -> None:
    await house.user("alice")
    client = await aiohttp_client(house.app())
    for path in ("/", "/none"):
        answer = await client.get(path)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert await (await client.get("/open")).json() is None


async def test_a_person_is_sent_to_the_login(house: House, aiohttp_client: Any) -> None:
    await house.user("alice")
    client = await aiohttp_client(house.app())
    for there, named in (
        ("/?a=1", "/?a%3D1"),
        ("/?workflow=h%C3%BCtte", "/?workflow%3Dh%25C3%25BCtte"),
    ):
        answer = await client.get(
            URL(there, encoded=True), headers={"Accept": "text/html"}, allow_redirects=False
        )
        assert answer.status == 303
        assert answer.headers["Location"] == f"/login?next={named}"


async def test_a_scope_is_needed(house: House, aiohttp_client: Any) -> None:
    await house.user("alice")
    token = await house.token("alice", scopes=["read"])
    client = await aiohttp_client(house.app(), headers={"Authorization": f"Bearer {token}"})
    assert (await client.get("/")).status == 200
    for method, path in (("POST", "/echo"), ("POST", "/text"), ("GET", "/govern")):
        answer = await client.request(method, path, json={})
        assert answer.status == 403
        assert "scope" in (await answer.json())["message"]


async def test_a_flood_is_refused_for_its_user_alone(house: House, aiohttp_client: Any) -> None:
    await house.user("alice")
    await house.user("bob")
    house.rate, house.burst = 0.001, 5
    client = await aiohttp_client(house.app())
    alice = {"Authorization": f"Bearer {await house.token('alice')}"}
    bob = {"Authorization": f"Bearer {await house.token('bob')}"}
    states = [(await client.get("/", headers=alice)).status for _ in range(7)]
    assert states == [200] * 5 + [429] * 2
    answer = await client.get("/", headers=alice)
    assert int(answer.headers["Retry-After"]) > 100
    assert (await client.get("/", headers=bob)).status == 200


async def test_proxies_are_believed_only_if_they_are_trusted(
    make_house: Any, aiohttp_client: Any
) -> None:
    forwarded = {"X-Forwarded-For": "6.6.6.6, 203.0.113.7, 10.0.0.1", "X-Forwarded-Proto": "https"}
    for proxies, secure in (((), False), (("127.0.0.1", "10.0.0.0/8"), True)):
        house = make_house(trusted_proxies=proxies)
        seen: list[str] = []

        async def note(request: aiohttp.web.Request) -> aiohttp.web.Response:
            seen.append(house.access.address(request))  # noqa: B023 - used within the round
            return aiohttp.web.Response()

        app = house.app()
        app.router.add_get("/address", note)
        answer = await (await aiohttp_client(app)).get("/address", headers=forwarded)
        assert answer.status == 200
        assert seen == ["203.0.113.7" if proxies else "127.0.0.1"]
        assert ("Strict-Transport-Security" in answer.headers) is secure
