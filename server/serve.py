"""The life of the server process: it starts, says where it listens, and ends in order."""

import asyncio
import gc
import os
import signal
import ssl
import sys
import webbrowser

import structlog
from aiohttp import web

from engine.errors import InputError
from server import __version__
from server.access.addresses import host_and_port
from server.access.connections import runner_options
from server.access.redact import Redaction
from server.app import application, build
from server.logs import configure
from server.service import Service
from server.settings import Settings, unknown_variables

log = structlog.get_logger("server")


async def serve(settings: Settings) -> None:
    """Serve until the process is asked to end, and end what runs.

    Raises:
        InputError: The address or the database is in use, or the settings do not allow it.
    """
    configure(settings.log_level, settings.log_format, Redaction(_secrets(settings)))
    warn_of_unknown()
    service = await build(settings)
    app = application(service)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5.0, **runner_options())
    ended = _on_signals()
    try:
        await runner.setup()
        await service.start()
        url = await _listen(runner, settings)
        await service.pool.start()  # last: what they load would slow down all before
        sys.stdout.write(f"Darkroom {__version__} listens on {url}\n")
        sys.stdout.flush()
        log.info("listening", url=url, version=__version__)
        gc.freeze()  # what is loaded stays, and need not be looked through again
        gc.enable()
        if settings.browser:
            _show(url)
        await ended.wait()
        log.info("stopping: running jobs end or go back to the queue")
    finally:
        await _end(runner, service)


def warn_of_unknown() -> None:
    """Tell of misspelt variables, on standard error as all that is logged."""
    for name in unknown_variables():
        log.warning("a variable looks like a setting and is none: it has no effect", variable=name)


def _secrets(settings: Settings) -> list[str]:
    kept = (settings.admin_token, settings.webhook_secret)
    return [secret.get_secret_value() for secret in kept if secret is not None]


async def _listen(runner: web.AppRunner, settings: Settings) -> str:
    context = None
    if settings.tls_cert is not None and settings.tls_key is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(settings.tls_cert, settings.tls_key)
        except (OSError, ssl.SSLError) as error:
            raise InputError(
                f"the certificate {settings.tls_cert} with its key cannot be used: {error}",
                code="bad_certificate",
            ) from error
    site = web.TCPSite(runner, settings.host, settings.port, ssl_context=context)
    try:
        await site.start()
    except OSError as error:
        raise InputError(
            f"it cannot listen on {host_and_port(settings.host, settings.port)}: {error.strerror}",
            code="address_in_use",
            hint="end the other program, or take another port: --port 8189",
        ) from error
    port = runner.addresses[0][1]
    scheme = "http" if context is None else "https"
    return f"{scheme}://{host_and_port(settings.host, port)}"


def _on_signals() -> asyncio.Event:
    """Set by the first request to end; the second ends the process at once."""
    ended = asyncio.Event()

    def end() -> None:
        if ended.is_set():
            os._exit(130)
        ended.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    return ended


def _show(url: str) -> None:
    """Open a browser without waiting for it."""
    asyncio.get_running_loop().run_in_executor(None, webbrowser.open, url)


async def _end(runner: web.AppRunner, service: Service) -> None:
    service.closing = True
    try:
        await service.settle()  # which whoever watches hears of
    finally:
        try:
            await runner.cleanup()  # with it ends what the borders do beside
        finally:
            await service.close()
