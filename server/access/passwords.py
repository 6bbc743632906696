"""Passwords, as argon2id hashes, computed where they hold up nobody."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from engine.errors import InputError

from .refused import Refused

if TYPE_CHECKING:
    from argon2 import PasswordHasher

T = TypeVar("T")
SHORTEST, LONGEST = 8, 1000
AT_ONCE, WAITING = 2, 32
"""Each hash takes 64 MiB and some tens of milliseconds: strangers must not make many at once."""


class Passwords:
    """Makes and checks hashes. A check takes as long for a user who is not there."""

    def __init__(self) -> None:
        self.waiting = 0
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="darkroom-passwords")

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """The hash to keep.

        Raises:
            InputError: The password is too short or too long.
        """
        check_password(password)
        return await self._away(hash_password, password)

    async def matches(self, password: str, kept: str | None) -> bool:
        """Whether it is the password behind a hash; without a hash it never is."""
        same = await self._away(_verify, kept, password[: LONGEST + 1])
        return same and kept is not None

    async def _away(self, work: Callable[..., T], *arguments: str | None) -> T:
        if self.waiting >= WAITING:
            raise Refused(
                503,
                "unavailable",
                "too many are logging in",
                "try again in a moment",
                {"Retry-After": "2"},
            )
        self.waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, work, *arguments)
        finally:
            self.waiting -= 1


def check_password(password: str) -> None:
    """Refuse a password that will not do.

    Raises:
        InputError: It is too short or too long.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise InputError(
            f"a password has {SHORTEST} to {LONGEST} characters",
            code="bad_password",
            input="password",
        )


def hash_password(password: str) -> str:
    """The argon2id hash to keep, with its salt and cost in it."""
    return _hasher().hash(password)


def _verify(kept: str | None, password: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(kept or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher

    return PasswordHasher()


@cache
def _nobody() -> str:
    """A hash that no password has, so that a user who is not there takes as long."""
    return hash_password(secrets.token_hex(16))
