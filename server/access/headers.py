"""Headers that tell browsers what not to do with an answer."""

from aiohttp import web

CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
USER_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
"""For files that users brought: a page among them runs no script and reads no cookie."""

_ALWAYS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
"""What an answer carries unless its handler said otherwise."""


def dress(response: web.StreamResponse, *, secure: bool, request_id: str) -> None:
    """Put on the headers that are missing."""
    for name, value in _ALWAYS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "Darkroom"
    response.headers["X-Request-Id"] = request_id
    if secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
