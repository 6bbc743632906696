"""Where the server may be sent by its users: webhooks must not reach into the private network."""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from urllib.parse import urlsplit

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult
from typing_extensions import override

from engine.errors import InputError
from server.access.addresses import Address, read_address

_NAT64 = IPv6Network("64:ff9b::/96")


def check_target(url: str, allowed: Sequence[str] = ()) -> str:
    """The URL, if a webhook may have it.

    Names are looked up only when the webhook is sent: use a session with `PublicResolver`,
    follow no redirects, and check again there, since an address in the URL is not looked up.

    Raises:
        InputError: It is no http(s) URL, holds a password, or names an address in a private
            network that the settings do not allow.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= 2000
    if parts.scheme not in {"http", "https"} or not host or not plain or "\\" in url:
        raise _refused(f"{url[:200]!r} is no URL to call", "give one as https://host/path")
    if parts.username is not None or parts.password is not None:
        raise _refused("the URL holds a password", "leave it out; the signature says who calls")
    if is_allowed(host, allowed):
        return url
    address = _address_of(host)
    if host == "localhost" or host.endswith(".localhost") or (address and not is_public(address)):
        raise _refused(f"{host} is in a private network", _remedy())
    return url


def is_public(address: Address) -> bool:
    """Whether an address is one of the internet's, also behind an IPv6 prefix that leads to IPv4."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None or address.is_site_local:
            return False
    return address.is_global and not address.is_multicast


def is_allowed(host: str, allowed: Sequence[str]) -> bool:
    """Whether the settings name the host."""
    return host.lower().rstrip(".") in {each.lower().strip("[]") for each in allowed}


class PublicResolver(AbstractResolver):
    """Looks names up, and refuses those that lead into a private network.

    The address that was checked is the one that is called, so that a name cannot change between.
    """

    def __init__(
        self, allowed: Sequence[str] = (), resolver: AbstractResolver | None = None
    ) -> None:
        self.allowed = tuple(allowed)
        self.resolver = resolver or ThreadedResolver()

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a host that may be reached.

        Raises:
            OSError: There are none.
        """
        found = await self.resolver.resolve(host, port, family)
        if is_allowed(host, self.allowed):
            return found
        public = [each for each in found if _leads_outside(each["host"])]
        if not public:
            raise OSError(
                f"{host} leads into a private network, and webhook_hosts does not list it"
            )
        return public

    @override
    async def close(self) -> None:
        """Close the resolver behind."""
        await self.resolver.close()


def _leads_outside(host: str) -> bool:
    address = read_address(host)
    return address is not None and is_public(address)


def _address_of(host: str) -> Address | None:
    """The address that a host is, in every way in which systems take one: `127.1`, `0x7f000001`."""
    address = read_address(host)
    if address is None:
        try:
            address = IPv4Address(socket.inet_aton(host))
        except (OSError, UnicodeError):
            return None
    return address


def _remedy() -> str:
    return "name a host of the internet, or have it added to webhook_hosts in the server's settings"


def _refused(message: str, hint: str) -> InputError:
    return InputError(message, code="bad_webhook", input="webhook", hint=hint)
