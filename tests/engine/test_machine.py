import os
from pathlib import Path
from typing import Never

import pytest

from engine import machine


def test_a_machine_tells_its_memory() -> None:
    assert 2**28 < machine.total_memory() < 2**50


@pytest.mark.parametrize(("limit", "found"), [("1048576\n", 2**20), ("max\n", 2**30)])
def test_a_container_may_have_less(monkeypatch: pytest.MonkeyPatch, limit: str, found: int) -> None:
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 2**18}.__getitem__)
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: limit)
    assert machine.total_memory() == found


def test_a_system_that_does_not_tell_counts_as_an_ordinary_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def absent(*_: object, **__: object) -> Never:
        raise OSError

    monkeypatch.setattr(os, "sysconf", absent)
    monkeypatch.setattr(Path, "read_text", absent)
    assert machine.total_memory() == 16 * 2**30
