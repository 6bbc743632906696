"""Requests as nobody's library would send them."""

import base64
import http.client
import json
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .serving import Served

Json = dict[str, Any]


def send(
    served: Served,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, Any]:
    """The status of an answer, and its JSON or its bytes; the path goes out as it is."""
    connection = http.client.HTTPConnection(str(urlsplit(served.url).netloc), timeout=30)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        if body is not None and not {"Content-Length", "Transfer-Encoding"} & set(headers or ()):
            connection.putheader("Content-Length", str(len(body)))
        with suppress(BrokenPipeError, ConnectionResetError):  # refused before all was sent
            connection.endheaders(body)
        answer = connection.getresponse()
        data = answer.read()
    finally:
        connection.close()
    told = "json" in (answer.headers["Content-Type"] or "")
    return answer.status, json.loads(data) if told and data else data


def connect(served: Served, *, window: int = 0) -> socket.socket:
    """A bare connection, with a window so small that what is not read stays with the sender."""
    address = urlsplit(served.url)
    made = socket.socket()
    if window:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    made.settimeout(30)
    made.connect((address.hostname, address.port))
    return made


def open_websocket(
    served: Served, path: str, *, window: int = 0, headers: str = ""
) -> tuple[int, socket.socket]:
    """The status of a handshake, and the connection; nothing reads it."""
    made = connect(served, window=window)
    key = base64.b64encode(os.urandom(16)).decode()
    made.sendall(
        f"GET {path} HTTP/1.1\r\nHost: {urlsplit(served.url).netloc}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
        f"{headers}\r\n".encode()
    )
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += made.recv(1)
    return int(answer.split()[1]), made


def memory_mb(pid: int) -> float:
    """What a process has in memory now."""
    told = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (line,) = (line for line in told.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
