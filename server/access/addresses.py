"""Where a request comes from, and which host it believes to speak to."""

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from aiohttp import web

from engine.errors import InputError

LOOPBACK_NAMES = frozenset({"localhost", "ip6-localhost", "ip6-loopback"})
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+)(?::(\d{1,5}))?", re.ASCII)
_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443"}
Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Addresses:
    """What the settings say of addresses: where the server is bound, what it is called, whom it trusts."""

    host: str = "127.0.0.1"
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()

    @cached_property
    def loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback(self.host)

    @cached_property
    def _proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        return tuple(read_network(name) for name in self.trusted_proxies)

    @cached_property
    def _names(self) -> frozenset[str]:
        named = {name.lower() for name in self.allowed_hosts}
        named.add(self.host.lower())
        if not self.loopback:
            named.add(socket.gethostname().lower())
        return frozenset(named)

    def answers_to(self, host: str) -> bool:
        """Whether a `Host` header names this server.

        A page of another site can make its own name lead to this machine (DNS rebinding), but
        the browser still sends that name. An address cannot be rebound, so that any will do
        where others than this machine may come.
        """
        name = host_name(host)
        if name is None:
            return False
        address = read_address(name)
        if address is not None:
            return address.is_loopback or not self.loopback or name in self._names
        return (
            name in LOOPBACK_NAMES
            or name in self._names
            or "*" in self._names
            or any(
                known.startswith("*.") and name.endswith(known[1:]) and len(name) >= len(known)
                for known in self._names
            )
        )

    def client(self, request: web.Request) -> str:
        """The address of the client; what proxies say counts only if they are trusted."""
        peer = _peer(request)
        if not self._trusts(peer):
            return peer
        hops = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
        for hop in reversed([each.strip() for each in hops if each.strip()]):
            address = read_address(_without_port(hop))
            if address is None:
                break
            peer = str(address)
            if not self._trusts(peer):
                break
        return peer

    def secure(self, request: web.Request) -> bool:
        """Whether the client speaks HTTPS, be it to a trusted proxy."""
        if self._trusts(_peer(request)):
            told = request.headers.get("X-Forwarded-Proto", request.scheme)
            return told.split(",")[-1].strip().lower() in {"https", "wss"}
        return request.secure

    def _trusts(self, peer: str) -> bool:
        address = read_address(peer)
        if address is None:
            return False
        return any(address in network for network in self._proxies)


def read_network(text: str) -> IPv4Network | IPv6Network:
    """A network such as `10.0.0.0/8`, or a single address.

    Raises:
        InputError: The text is neither.
    """
    try:
        return ip_network(text, strict=False)
    except ValueError as error:
        raise InputError(
            f"{text!r} is no network: give an address, or one such as 10.0.0.0/8",
            code="bad_network",
        ) from error


@lru_cache(maxsize=4096)  # each request asks three times
def read_address(text: str) -> Address | None:
    """An IP address, one of IPv4 also when it is written as one of IPv6; none if it is a name."""
    try:
        address = ip_address(text.split("%", 1)[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def is_loopback(host: str) -> bool:
    """Whether a host to bind to is this machine's own."""
    address = read_address(host)
    return host.lower() in LOOPBACK_NAMES if address is None else address.is_loopback


def host_name(host: str) -> str | None:
    """The name in a `Host` header, without port and brackets; none if it is no such header."""
    found = _HOST.fullmatch(host)
    if found is None:
        return None
    return found[1].strip("[]").lower().rstrip(".") or None


def same_host(origin: str, host: str) -> bool:
    """Whether an `Origin` is the site that a `Host` header names."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return False
    usual = _PORTS.get(parts.scheme)
    found = _HOST.fullmatch(host)
    if usual is None or found is None or not parts.hostname:
        return False
    asked = found[2] or usual
    return parts.hostname.rstrip(".") == host_name(host) and str(port or usual) == asked


def host_and_port(host: str, port: int) -> str:
    """An address as URLs have it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _peer(request: web.Request) -> str:
    peer = request.transport.get_extra_info("peername") if request.transport else None
    if not isinstance(peer, Sequence) or isinstance(peer, str) or not peer:
        return ""
    address = read_address(str(peer[0]))
    return str(address or peer[0])


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
