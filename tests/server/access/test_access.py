import asyncio
import base64
from typing import Any

import pytest
from aiohttp import WSServerHandshakeError

from engine.errors import InputError
from server.access import Refused
from server.access.binding import check_binding
from server.access.passwords import WAITING, Passwords, hash_password
from server.access.tokens import add_token, digest_of, find_token, list_tokens, remove_token
from server.access.users import add_user, change_user, list_users, remove_user
from server.settings import Settings
from tests.server.access.conftest import PASSWORD, House


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def status(client: Any, token: str, path: str = "/") -> int:
    answer = await client.get(path, headers=bearer(token))
    return int(answer.status)


async def test_a_token_stands_for_its_user_and_scopes(house: House, aiohttp_client: Any) -> None:
    await house.user("alice", "read", "run", "admin")
    token = await house.token("alice", scopes=["read", "run"])
    client = await aiohttp_client(house.app())
    told = await (await client.get("/", headers=bearer(token))).json()
    assert told == {"user": "alice", "scopes": ["read", "run"]}


async def test_a_wrong_token_is_refused(house: House, aiohttp_client: Any) -> None:
    await house.user("alice")
    token = await house.token("alice")
    client = await aiohttp_client(house.app())
    other = token[:-1] + ("0" if token[-1] != "0" else "1")
    for wrong in (other, token[:-1], token + "0", "dr_", "x", token.upper(), "dr_\udcff"):
        encoded = wrong.encode("utf-8", "surrogateescape").decode("latin-1")
        assert await status(client, encoded) == 401, wrong
    assert await status(client, token) == 200


async def test_wrong_credentials_are_refused_even_where_none_are_needed(
    house: House, aiohttp_client: Any
) -> None:
    client = await aiohttp_client(house.app())
    assert await status(client, "dr_wrong") == 401
    assert await status(client, "dr_wrong", "/open") == 200


async def test_an_expired_token_is_refused(house: House, aiohttp_client: Any) -> None:
    await house.user("alice")
    token = await house.token("alice", days=1)
    client = await aiohttp_client(house.app())
    assert await status(client, token) == 200
    now = house.access.clock()
    house.access.clock = lambda: now + 86_399
    assert await status(client, token) == 200
    house.access.clock = lambda: now + 86_402
    assert await status(client, token) == 401


async def test_a_removed_token_is_refused_within_seconds(house: House, aiohttp_client: Any) -> None:
    await house.user("alice")
    made, token = await house.database.write(lambda c: add_token(c, "alice"))
    client = await aiohttp_client(house.app())
    assert await status(client, token) == 200
    await house.database.write(lambda c: remove_token(c, made.id))
    now = house.access.clock()
    house.access.clock = lambda: now + 4
    assert await status(client, token) == 401


async def test_a_token_never_does_more_than_its_user(house: House, aiohttp_client: Any) -> None:
    await house.user("alice", "read", "run")
    with pytest.raises(InputError, match="has no scope 'admin'"):
        await house.token("alice", scopes=["admin"])
    token = await house.token("alice")
    client = await aiohttp_client(house.app())
    await house.database.write(lambda c: change_user(c, "alice", scopes=["read"]))
    told = await (await client.get("/", headers=bearer(token))).json()
    assert told["scopes"] == ["read"]
    await house.database.write(lambda c: change_user(c, "alice", disabled=True))
    house.access.forget()
    assert await status(client, token) == 401


async def test_a_server_does_not_open_because_the_last_user_is_gone(
    house: House, aiohttp_client: Any
) -> None:
    await house.user("alice")
    client = await aiohttp_client(house.app())
    assert (await client.get("/")).status == 401
    await house.database.write(lambda c: remove_user(c, "alice"))
    now = house.access.clock()
    house.access.clock = lambda: now + 4
    assert (await client.get("/")).status == 401


async def test_a_removed_user_has_no_tokens(house: House, aiohttp_client: Any) -> None:
    await house.user("alice")
    await house.user("bob")
    token = await house.token("alice")
    await house.database.write(lambda c: remove_user(c, "alice"))
    client = await aiohttp_client(house.app())
    assert await status(client, token) == 401
    assert await house.database.read(list_tokens) == []


async def test_the_database_holds_no_token(house: House) -> None:
    await house.user("alice")
    made, token = await house.database.write(lambda c: add_token(c, "alice"))
    kept = await house.database.read(lambda c: find_token(c, made.id))
    assert kept is not None
    assert kept.digest == digest_of(token)
    house.database.close()
    for file in house.settings.data.glob("darkroom.db*"):
        assert token.rpartition("_")[2].encode() not in file.read_bytes()
    house.database = type(house.database).open(house.settings.database_url)


async def test_the_use_of_a_token_is_noted(house: House, aiohttp_client: Any) -> None:
    await house.user("alice")
    made, token = await house.database.write(lambda c: add_token(c, "alice"))
    await status(await aiohttp_client(house.app()), token)
    await asyncio.gather(*house.access._noting)
    kept = await house.database.read(lambda c: find_token(c, made.id))
    assert kept is not None
    assert kept.last_used is not None


async def test_guessing_tokens_is_slowed_and_right_ones_get_in(
    house: House, aiohttp_client: Any
) -> None:
    await house.user("alice")
    known, other = await house.token("alice"), await house.token("alice")
    client = await aiohttp_client(house.app())
    assert await status(client, known) == 200
    states = [await status(client, f"dr_{n:012x}_{'0' * 64}") for n in range(32)]
    assert states[:30] == [401] * 30
    assert states[-1] == 429
    assert await status(client, other) == 200
    assert await status(client, known) == 200


async def test_the_token_of_the_settings_may_do_everything(
    make_house: Any, aiohttp_client: Any
) -> None:
    master = "0123456789abcdef-master"
    client = await aiohttp_client(make_house(admin_token=master).app())
    assert (await client.get("/")).status == 401
    assert await status(client, master[:-1]) == 401
    assert await status(client, master, "/govern") == 200


async def test_a_token_may_be_the_password_in_a_url(house: House, aiohttp_client: Any) -> None:
    await house.user("alice", password=True)
    token = await house.token("alice")
    client = await aiohttp_client(house.app())
    for secret, expected in ((token, 200), (PASSWORD, 401)):
        basic = base64.b64encode(f"alice:{secret}".encode()).decode()
        answer = await client.get("/", headers={"Authorization": f"Basic {basic}"})
        assert answer.status == expected
    answer = await client.get("/", headers={"Authorization": "Basic not base64"})
    assert answer.status == 401


async def test_a_token_in_the_query_opens_websockets_only(
    house: House, aiohttp_client: Any
) -> None:
    await house.user("alice")
    token = await house.token("alice")
    client = await aiohttp_client(house.app())
    async with client.ws_connect(f"/socket?token={token}") as socket:
        assert await socket.receive_str() == "alice"
    with pytest.raises(WSServerHandshakeError):
        await client.ws_connect("/socket")
    assert (await client.get(f"/?token={token}")).status == 401


@pytest.mark.parametrize("name", ["alice", "a", "a.b-c_d", "0x", "a" * 32])
async def test_a_plain_name_is_taken(house: House, name: str) -> None:
    await house.user(name)
    assert [user.name for user in await house.database.read(list_users)] == [name]


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "a/b", "../a", "a\\b", "a:b", "a\0", "a\n", "a b", "Alice", "é", "\uff41"),
        *("-a", "a-", ".a", "a.", "a..b", "local", "con", "nul.txt", "com1", "a" * 33),
    ],
)
async def test_a_name_that_is_no_folder_is_refused(house: House, name: str) -> None:
    with pytest.raises(InputError) as told:
        await house.user(name)
    assert told.value.code == "bad_user"


async def test_a_name_is_taken_once(house: House) -> None:
    await house.user("alice")
    with pytest.raises(InputError, match="already"):
        await house.user("alice")


async def test_unknown_scopes_are_refused(house: House) -> None:
    with pytest.raises(InputError, match="no scope 'root'"):
        await house.database.write(lambda c: add_user(c, "alice", ["root"]))


async def test_passwords_are_argon2id_and_bounded() -> None:
    passwords = Passwords()
    kept = await passwords.hash("long enough")
    assert kept.startswith("$argon2id$")
    assert await passwords.matches("long enough", kept)
    assert not await passwords.matches("long enougH", kept)
    assert not await passwords.matches("long enough", None)
    for bad in ("short", "x" * 1001):
        with pytest.raises(InputError):
            await passwords.hash(bad)
    passwords.waiting = WAITING
    with pytest.raises(Refused) as told:
        await passwords.matches("long enough", kept)
    assert told.value.status == 503
    passwords.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "darkroom.example.org"])  # noqa: S104
def test_others_are_not_let_in_unasked(host: str) -> None:
    open_door = Settings(host=host)
    with pytest.raises(InputError) as told:
        check_binding(open_door, users=0)
    assert told.value.code == "open_door"
    assert told.value.hint is not None
    assert "darkroom users add" in told.value.hint
    check_binding(open_door, users=1)
    check_binding(
        Settings.model_validate({"host": host, "admin_token": "0123456789abcdef"}), users=0
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.5", "::1", "localhost"])
def test_this_machine_needs_no_users(host: str) -> None:
    check_binding(Settings(host=host), users=0)


def test_hashes_of_one_password_differ() -> None:
    assert hash_password(PASSWORD) != hash_password(PASSWORD)
