import threading

import pytest

from server.access import passwords
from server.access.passwords import Passwords, hash_password

NOBODY = hash_password("nobody's password")


async def test_a_user_who_is_not_there_costs_the_event_loop_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads = []

    def noting() -> str:
        threads.append(threading.current_thread())
        return NOBODY

    monkeypatch.setattr(passwords, "_nobody", noting)
    checking = Passwords()
    assert not await checking.matches("nobody's password", None)
    checking.close()
    assert threads
    assert threading.current_thread() not in threads
