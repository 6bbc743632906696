import socket
from typing import Any

import aiohttp
import aiohttp.web
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from typing_extensions import override

from engine.errors import InputError
from server.api.outgoing import PublicResolver, check_target


@pytest.mark.parametrize(
    "url",
    ["https://example.org/hook", "http://93.184.216.34:8080/a?b=c", "https://[2606:4700::1111]/"],
)
def test_the_internet_may_be_called(url: str) -> None:
    assert check_target(url) == url


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1/", "http://localhost:8188/", "http://a.localhost/", "http://[::1]/"),
        *("http://10.0.0.1/", "http://192.168.1.1/", "http://172.16.0.1/", "http://100.64.0.1/"),
        *("http://169.254.169.254/latest/meta-data", "http://[fe80::1]/", "http://[fd00::1]/"),
        *("http://0.0.0.0/", "http://[::]/", "http://224.0.0.1/", "http://255.255.255.255/"),
        *("http://[::ffff:127.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/"),
        *("http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/"),
    ],
)
def test_the_private_network_may_not(url: str) -> None:
    with pytest.raises(InputError, match="private network") as told:
        check_target(url)
    assert (told.value.code, told.value.input) == ("bad_webhook", "webhook")


@pytest.mark.parametrize(
    "url",
    [
        *("", "example.org", "ftp://example.org/", "file:///etc/passwd", "http://", "http:///a"),
        *("http://a b/", "http://example.org\r\nX: y/", "http://[::1", "http://example.org:99999/"),
        *("http://user:secret@example.org/", "http://example.org\\@127.0.0.1/", "gopher://x/"),
        *("https://example.org/" + "a" * 2000, "http://exämple.org/"),
    ],
)
def test_what_is_no_url_to_call_is_refused(url: str) -> None:
    with pytest.raises(InputError) as told:
        check_target(url)
    assert "secret" not in str(told.value)


def test_the_settings_may_allow_a_private_host() -> None:
    allowed = ("127.0.0.1", "Hooks.lan", "::1")
    for url in ("http://127.0.0.1:9000/", "http://hooks.lan/", "http://[::1]/"):
        assert check_target(url, allowed) == url
    with pytest.raises(InputError):
        check_target("http://127.0.0.2/", allowed)


class Names(AbstractResolver):
    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=each, port=port, family=family, proto=0, flags=0)
            for each in self.addresses
        ]

    @override
    async def close(self) -> None:
        pass


async def test_a_name_that_leads_home_is_not_called(aiohttp_server: Any) -> None:
    called = []

    async def hook(request: aiohttp.web.Request) -> aiohttp.web.Response:
        called.append(request)
        return aiohttp.web.Response()

    app = aiohttp.web.Application()
    app.router.add_post("/", hook)
    server = await aiohttp_server(app)
    for allowed in ((), ("hooks.example",)):
        resolver = PublicResolver(allowed, Names("127.0.0.1"))
        connector = aiohttp.TCPConnector(resolver=resolver)
        async with aiohttp.ClientSession(connector=connector) as session:
            url = f"http://hooks.example:{server.port}/"
            if allowed:
                await session.post(url)
            else:
                with pytest.raises(aiohttp.ClientConnectionError):
                    await session.post(url)
    assert len(called) == 1


async def test_only_the_public_addresses_of_a_name_are_used() -> None:
    found = await PublicResolver((), Names("10.0.0.1", "93.184.216.34", "::1")).resolve("a")
    assert [each["host"] for each in found] == ["93.184.216.34"]
