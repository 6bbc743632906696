import json
import struct

import pytest

from server.workers.line import (
    MOST_BLOB,
    MOST_JSON,
    SIZES,
    FrameError,
    Message,
    decode,
    encode,
    sizes,
)
from server.workers.messages import (
    Answer,
    Ask,
    Beat,
    Cancel,
    Delivered,
    Done,
    Happened,
    Lent,
    Ready,
    Run,
    Stop,
    Watch,
)


@pytest.mark.parametrize(
    "message",
    [
        Run("r", {"nodes": {}}, "ann", "/i", "/o", "/p", "ann", watched=True),
        Lent("r", "a/b.png", b"\x00\xff"),
        Cancel("r"),
        Watch("r", previews=True),
        Ask(3, "plan", {"document": {"a": [1, 2.5, None]}}),
        Stop(hurry=True),
        Ready(1, "cpu", ("cpu", "cuda:0"), "abc", {"device": "cpu"}, "here"),
        Beat(5, 3, ("a.safetensors",), {"free": 1}, 0.25),
        Happened("r", "node.progressed", {"done": 1}, b"\xff\xd8"),
        Delivered("r", "a.png", b"", preview=True),
        Done("r", "failed", {}, ({"node": "a"},), {"title": "… 😀"}, {"a": {}}),
        Answer(3, [1], None, b"x"),
        Done("r", "failed", {"\ud800": "\udfff"}, ()),
    ],
)
def test_a_message_is_the_same_behind_the_line(message: Message) -> None:
    frame = b"".join(encode(message))
    text, blob = sizes(frame[: SIZES.size])
    body = frame[SIZES.size :]
    assert len(body) == text + blob
    assert decode(body[:text], body[text:]) == message


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"is":"Fire"}',
        b'{"is":["Run"]}',
        b'{"run":"r"}',
        b'{"is":"Cancel"}',
        b'{"is":"Cancel","run":7}',
        b'{"is":"Done","run":"r","state":"lost","outputs":{},"nodes":[]}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_message_is_refused(text: bytes) -> None:
    with pytest.raises(FrameError):
        decode(text)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\x00\x00\x00",
        struct.pack(">II", MOST_JSON + 1, 0),
        struct.pack(">II", 10, MOST_BLOB + 1),
        b"HTTP/1.1",
    ],
)
def test_a_head_that_is_cut_off_or_too_large_is_refused(head: bytes) -> None:
    with pytest.raises(FrameError):
        sizes(head)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, object()])
def test_what_json_cannot_carry_is_not_sent(value: object) -> None:
    with pytest.raises(ValueError, match=r"JSON|serializable"):
        encode(Answer(1, value))


def test_bytes_travel_beside_the_json() -> None:
    head, blob = encode(Happened("r", "node.progressed", {}, b"picture"))
    assert blob == b"picture"
    assert b"picture" not in head
    assert "blob" not in json.loads(head[SIZES.size :])
