import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from engine.errors import InputError
from nodes.diffusion.headers import read_header

GOOD = {
    "__metadata__": {"format": "pt"},
    "a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
    "b": {"dtype": "F16", "shape": [3], "data_offsets": [16, 22]},
    "empty": {"dtype": "F16", "shape": [0, 3], "data_offsets": [22, 22]},
}


def _file(path: Path, header: Any, data: bytes = bytes(22), length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + data)
    return path


def _with(**entry: Any) -> dict[str, Any]:
    return GOOD | {"b": {"dtype": "F16", "shape": [3], "data_offsets": [16, 22]} | entry}


def test_header_says_what_a_file_holds(tmp_path: Path) -> None:
    path = _file(tmp_path / "good.safetensors", GOOD)

    header = read_header(path)

    assert header.metadata == {"format": "pt"}
    assert header.entries["b"].shape == (3,)
    assert header.entries["b"].start + header.entries["b"].size == path.stat().st_size


@pytest.mark.parametrize(
    ("header", "fault"),
    [
        (b"", "its header claims 0 bytes"),
        (b"{", "its header claims 1 bytes"),
        (b"{]", "its header is not JSON"),
        (b"\xff\xfe\x00", "its header is not JSON"),
        (b"[" * 20_000, "its header is not JSON"),
        (b"[1]", "its header is not a JSON object"),
        (b'{"a": 1, "a": 2}', "its header has 'a' twice"),
        (_with(extra=1), "the entry of 'b' is not"),
        (GOOD | {"b": [1]}, "the entry of 'b' is not"),
        (_with(dtype="F17"), "'b' has the unknown type 'F17'"),
        (_with(dtype=["F16"]), "'b' has the unknown type"),
        (_with(shape=[3.0]), "'b' has a shape or offsets that are no lists of counts"),
        (_with(shape=[True]), "'b' has a shape or offsets"),
        (_with(shape=[-3]), "'b' has a shape or offsets"),
        (_with(shape=3), "'b' has a shape or offsets"),
        (_with(data_offsets=[16]), "'b' has a shape or offsets"),
        (_with(data_offsets=[16, 10**30]), "'b' has a shape or offsets"),
        (_with(shape=[2**40, 2**40]), "'b' of shape .* needs"),
        (_with(data_offsets=[22, 16]), "'b' of shape .* needs 6 bytes and has -6"),
        (_with(data_offsets=[14, 20]), "'b' overlaps the tensor before it"),
        (_with(data_offsets=[20, 26]), "'b' leaves a hole before it"),
        (GOOD | {"__metadata__": {"a": 1}}, "its __metadata__ is not a table of texts"),
        (GOOD | {"__metadata__": "text"}, "its __metadata__ is not a table of texts"),
        ({}, "it has 22 bytes after the last tensor"),
    ],
)
def test_damaged_headers_are_refused_with_their_fault(
    header: Any, fault: str, tmp_path: Path
) -> None:
    path = _file(tmp_path / "bad.safetensors", header)

    with pytest.raises(InputError, match=f"bad.safetensors cannot be read: {fault}") as raised:
        read_header(path)

    assert raised.value.code == "damaged_file"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda data: data[:-1], "it is cut off"),
        (lambda data: data[:20], "its header claims"),
        (lambda data: data[:5], "it has 5 bytes"),
        (lambda data: b"", "it has 0 bytes"),
        (lambda data: data + b"\0", "it has 1 bytes after the last tensor"),
        (lambda data: (2**63).to_bytes(8, "little") + data[8:], "its header claims"),
        (
            lambda data: b"version https://git-lfs.github.com/spec/v1\noid sha256:0",
            "it is a Git LFS pointer",
        ),
        (lambda data: b"<!DOCTYPE html><html>", "it is a web page"),
        (lambda data: b"PK\x03\x04" + bytes(50), "it is a pickle"),
        (lambda data: b"GGUF" + bytes(50), "it is a GGUF file"),
    ],
)
def test_damaged_files_are_refused_with_their_fault(
    change: Callable[[bytes], bytes], fault: str, tmp_path: Path
) -> None:
    path = _file(tmp_path / "bad.safetensors", GOOD)
    path.write_bytes(change(path.read_bytes()))

    with pytest.raises(InputError, match=f"bad.safetensors cannot be read: {fault}"):
        read_header(path)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=strategies.data())
def test_no_damage_gives_another_error(data: strategies.DataObject, tmp_path: Path) -> None:
    path = _file(tmp_path / "bad.safetensors", GOOD)
    whole = bytearray(path.read_bytes())
    for _ in range(data.draw(strategies.integers(1, 4))):
        whole[data.draw(strategies.integers(0, len(whole) - 1))] = data.draw(
            strategies.integers(0, 255)
        )
    path.write_bytes(whole[: data.draw(strategies.integers(0, len(whole)))])

    try:
        read_header(path)
    except InputError as error:
        found = error.code
    else:
        found = "damaged_file"  # a change that keeps the header true
    assert found == "damaged_file"


def test_deep_nesting_does_not_crash(tmp_path: Path) -> None:
    path = _file(tmp_path / "bad.safetensors", b'{"a":' * 50_000 + b"1" + b"}" * 50_000)

    with pytest.raises(InputError):
        read_header(path)
