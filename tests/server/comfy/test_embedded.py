import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from engine.errors import GraphError
from server.comfy import embedded
from server.comfy.embedded import PNG, read_embedded
from server.comfy.importer import import_file

from .graphs import TEXT_TO_IMAGE, ui, ui_node

Json = dict[str, Any]


def chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def picture(path: Path, *chunks: bytes) -> Path:
    file = path / "picture.png"
    file.write_bytes(PNG + chunk(b"IHDR", bytes(13)) + b"".join(chunks) + chunk(b"IEND", b""))
    return file


def text(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


PROMPT = text({"1": {"class_type": "Straße"}})


@pytest.mark.parametrize(
    "made",
    [
        chunk(b"tEXt", b"prompt\0" + PROMPT),
        chunk(b"zTXt", b"prompt\0\0" + zlib.compress(json.dumps(json.loads(PROMPT)).encode())),
        chunk(b"iTXt", b"prompt\0\0\0en\0\0" + PROMPT),
        chunk(b"iTXt", b"prompt\0\1\0\0\0" + zlib.compress(PROMPT)),
    ],
)
def test_every_kind_of_text_is_read(made: bytes, tmp_path: Path) -> None:
    assert read_embedded(picture(tmp_path, made)) == {"prompt": json.loads(PROMPT)}


def test_other_texts_and_chunks_are_passed_over(tmp_path: Path) -> None:
    file = picture(tmp_path, chunk(b"IDAT", b"x" * 99), chunk(b"tEXt", b"parameters\0steps: 20"))
    assert read_embedded(file) == {}


def test_the_editors_format_comes_before_the_prompt(tmp_path: Path, catalogue: Json) -> None:
    file = picture(
        tmp_path,
        chunk(b"tEXt", b"prompt\0" + text(TEXT_TO_IMAGE)),
        chunk(b"tEXt", b"workflow\0" + text(ui([ui_node(1, "VAELoader", ["a.pt"])]))),
    )
    assert [node.type for node in import_file(file, catalogue).workflow.nodes.values()] == [
        "LoadVAE"
    ]


def test_nan_is_read_as_nothing(tmp_path: Path) -> None:
    file = picture(tmp_path, chunk(b"tEXt", b'prompt\0{"is_changed": [NaN]}'))
    assert read_embedded(file) == {"prompt": {"is_changed": [None]}}


@pytest.mark.parametrize(
    "made",
    [
        chunk(b"tEXt", b"prompt\0{"),
        chunk(b"zTXt", b"prompt\0\0" + b"no zlib"),
        chunk(b"iTXt", b"prompt\0\0\0\0\0\xff"),
        chunk(b"tEXt", b"prompt\0" + b"[" * 100_000),
    ],
)
def test_a_text_that_cannot_be_read_is_told(made: bytes, tmp_path: Path) -> None:
    with pytest.raises(GraphError, match=r"picture\.png"):
        read_embedded(picture(tmp_path, made))


def test_a_text_that_unpacks_to_more_than_a_workflow_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "MAX_BYTES", 1000)
    bomb = chunk(b"zTXt", b"prompt\0\0" + zlib.compress(bytes(10_000)))
    with pytest.raises(GraphError):
        read_embedded(picture(tmp_path, bomb))
    with pytest.raises(GraphError, match="larger than"):
        read_embedded(picture(tmp_path, chunk(b"tEXt", b"prompt\0" + b" " * 2000)))


@pytest.mark.parametrize("end", [-3, -20])
def test_a_file_that_ends_too_early_is_told(end: int, tmp_path: Path) -> None:
    file = tmp_path / "cut.png"
    file.write_bytes((PNG + chunk(b"tEXt", b"key\0" + b"x" * 100))[:end])
    with pytest.raises(GraphError, match="too early"):
        read_embedded(file)


def test_a_file_of_another_kind_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a.jpeg"
    file.write_bytes(b"\xff\xd8\xff")
    with pytest.raises(GraphError, match="no PNG"):
        read_embedded(file)


def test_a_picture_without_a_graph_is_told(tmp_path: Path, catalogue: Json) -> None:
    with pytest.raises(GraphError, match="carries no ComfyUI graph"):
        import_file(picture(tmp_path), catalogue)
