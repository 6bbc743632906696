"""What a node has to say beside its result: that it went another way than it was asked to."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_log = logging.getLogger(__name__)
_listener: ContextVar[Callable[[str], None] | None] = ContextVar("listener", default=None)


def notice(message: str) -> None:
    """Tell whoever watches the run of a way round that was taken; it stops nothing.

    It may be called however deep below a node's function, on the thread that called that. What
    nobody watches is logged.
    """
    tell = _listener.get()
    if tell is None:
        _log.warning("%s", message)
    else:
        tell(message)


@contextmanager
def noticed(tell: Callable[[str], None]) -> Iterator[None]:
    """Have `tell` hear what is noticed on this thread meanwhile."""
    token = _listener.set(tell)
    try:
        yield
    finally:
        _listener.reset(token)
