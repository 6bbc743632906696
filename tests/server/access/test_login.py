import asyncio
import re
import time
from typing import Any

import pytest

from server.access.login import safe_path
from server.access.tokens import add_token, remove_token
from server.access.users import change_user
from tests.server.access.conftest import PASSWORD, Client, House


async def log_in(client: Client, user: str, password: str, there: str = "/") -> Any:
    form = {"user": user, "password": password, "next": there}
    return await client.post("/login", data=form, allow_redirects=False)


async def who(client: Client) -> Any:
    answer = await client.get("/")
    return (await answer.json())["user"] if answer.status == 200 else answer.status


@pytest.fixture
async def client(house: House, aiohttp_client: Any) -> Client:
    await house.user("alice", password=True)
    made: Client = await aiohttp_client(house.app())
    return made


async def test_a_login_lets_in_until_the_logout(client: Client) -> None:
    answer = await log_in(client, "Alice ", PASSWORD, "/somewhere?a=1")
    assert (answer.status, answer.headers["Location"]) == (303, "/somewhere?a=1")
    assert await who(client) == "alice"
    answer = await client.post("/logout", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/login")
    assert await who(client) == 401


async def test_a_logged_out_cookie_is_worth_nothing(client: Client) -> None:
    answer = await log_in(client, "alice", PASSWORD)
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    await client.post("/logout")
    client.session.cookie_jar.clear()
    assert (await client.get("/", headers={"Cookie": cookie})).status == 401


async def test_the_cookie_is_for_this_site_and_no_script(client: Client) -> None:
    cookie = (await log_in(client, "alice", PASSWORD)).headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=1209600"):
        assert part in cookie
    assert "Secure" not in cookie


async def test_over_https_the_cookie_is_secure(make_house: Any, aiohttp_client: Any) -> None:
    house = make_house(trusted_proxies=["127.0.0.1"])
    await house.user("alice", password=True)
    client = await aiohttp_client(house.app(), headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in (await log_in(client, "alice", PASSWORD)).headers["Set-Cookie"]


async def test_each_login_has_a_cookie_of_its_own(client: Client) -> None:
    cookies = [(await log_in(client, "alice", PASSWORD)).headers["Set-Cookie"] for _ in range(2)]
    first, second = (cookie.partition(";")[0] for cookie in cookies)
    assert first != second
    client.session.cookie_jar.clear()
    assert (await client.get("/", headers={"Cookie": second})).status == 200
    assert (await client.get("/", headers={"Cookie": first})).status == 401


async def test_a_login_ends_by_itself(
    house: House, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = await log_in(client, "alice", PASSWORD)
    headers = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}
    client.session.cookie_jar.clear()
    assert (await client.get("/", headers=headers)).status == 200
    later = time.time() + 15 * 86_400
    monkeypatch.setattr(house.access, "clock", lambda: later)
    monkeypatch.setattr("server.access.sessions.time.time", lambda: later)
    assert (await client.get("/", headers=headers)).status == 401


async def test_another_password_ends_the_logins(house: House, client: Client) -> None:
    await log_in(client, "alice", PASSWORD)
    assert await who(client) == "alice"
    await house.database.write(lambda c: change_user(c, "alice", password="$argon2id$"))  # noqa: S106
    house.access.forget()
    assert await who(client) == 401


async def test_a_disabled_user_is_out(house: House, client: Client) -> None:
    await log_in(client, "alice", PASSWORD)
    await house.database.write(lambda c: change_user(c, "alice", disabled=True))
    house.access.forget()
    assert await who(client) == 401
    assert (await log_in(client, "alice", PASSWORD)).status == 401


async def test_unknown_users_and_wrong_passwords_look_the_same(
    house: House, client: Client
) -> None:
    await house.user("robot")
    pages = set()
    for user in ("alice", "nobody", "robot", "../alice"):
        answer = await log_in(client, user, "wrong password")
        assert answer.status == 401
        pages.add(re.sub(r'name="user" value="[^"]*"', "", await answer.text()))
    assert len(pages) == 1


async def test_wrong_passwords_are_slowed_for_the_user_known_or_not(
    house: House, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(password: str, kept: str | None) -> bool:
        return False

    monkeypatch.setattr(house.access.passwords, "matches", never)
    for user in ("alice", "nobody"):
        states = [(await log_in(client, user, "wrong password")).status for _ in range(11)]
        assert states == [401] * 10 + [429]
    monkeypatch.undo()
    assert (await log_in(client, "alice", PASSWORD)).status == 429


async def test_many_guesses_at_once_are_counted_each(
    house: House, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(password: str, kept: str | None) -> bool:
        await asyncio.sleep(0.05)
        return False

    monkeypatch.setattr(house.access.passwords, "matches", slow)
    guesses = [log_in(client, "alice", f"wrong {n}") for n in range(20)]
    states = [answer.status for answer in await asyncio.gather(*guesses)]
    assert states.count(401) == 10
    assert states.count(429) == 10


async def test_a_login_with_the_token_of_the_settings(make_house: Any, aiohttp_client: Any) -> None:
    client = await aiohttp_client(make_house(admin_token="0123456789abcdef").app())  # noqa: S106
    assert (await log_in(client, "", "0123456789abcdeX")).status == 401
    assert (await log_in(client, "", "0123456789abcdef")).status == 303
    assert await who(client) == "local"
    await client.post("/logout")
    assert await who(client) == 401


async def test_a_login_with_a_token_may_what_the_token_may_and_ends_with_it(
    house: House, client: Client
) -> None:
    made, text = await house.database.write(
        lambda c: add_token(c, "alice", scopes=["read"], days=1)
    )
    assert (await log_in(client, "", text)).status == 303
    told = await (await client.get("/")).json()
    assert (told["user"], told["scopes"]) == ("alice", ["read"])
    await house.database.write(lambda c: remove_token(c, made.id))
    house.access.forget()
    assert await who(client) == 401


async def test_a_login_from_another_site_is_refused(client: Client) -> None:
    answer = await client.post(
        "/login",
        data={"user": "alice", "password": PASSWORD},
        headers={"Origin": "http://evil.example"},
    )
    assert answer.status == 403


async def test_the_page_has_no_script_and_shows_what_it_was_sent_as_text(client: Client) -> None:
    answer = await client.get("/login", params={"next": '/"><script>alert(1)</script>'})
    page = await answer.text()
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<script" not in page
    assert "style=" not in page
    answer = await log_in(client, '"><script>', "wrong password")
    assert "<script" not in await answer.text()


async def test_a_server_without_users_has_no_login(house: House, aiohttp_client: Any) -> None:
    client = await aiohttp_client(house.app())
    answer = await client.get("/login", params={"next": "/x"}, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/x")


@pytest.mark.parametrize("there", ["/", "/a/b?c=d#e", "/a//b"])
def test_a_path_of_this_server_is_gone_to(there: str) -> None:
    assert safe_path(there) == there


@pytest.mark.parametrize(
    "there",
    [
        *(
            "",
            "a",
            "//evil.example",
            "/\\evil.example",
            "http://evil.example",
            "javascript:alert(1)",
        ),
        *("/a\r\nSet-Cookie: a=b", "\t//evil.example", "/é"),
    ],
)
def test_another_site_is_not_gone_to(there: str) -> None:
    assert safe_path(there) == "/"
