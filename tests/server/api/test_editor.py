import gzip
from pathlib import Path

import pytest

from tests.server.api.conftest import Client

SCRIPT = "console.log(1);" * 200


@pytest.fixture
def built(tmp_path: Path) -> Path:
    parts = tmp_path / "editor" / "editor"
    parts.mkdir(parents=True)
    (parts.parent / "index.html").write_text("<!doctype html><title>Darkroom</title>")
    (parts.parent / "built-from").write_text("digest")
    (parts / "index-abc.js").write_text(SCRIPT)
    (parts / "index-abc.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    (parts / "icon-abc.svg").write_text("<svg/>")
    return parts


@pytest.mark.usefixtures("built")
async def test_the_page_is_always_the_newest(client: Client) -> None:
    answer = await client.get("/?workflow=text-to-image&run=j")
    assert (answer.status, answer.content_type) == (200, "text/html")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "<title>Darkroom</title>" in await answer.text()
    assert (await client.head("/")).status == 200


@pytest.mark.usefixtures("built")
async def test_its_parts_are_kept_for_good_and_sent_packed(client: Client) -> None:
    answer = await client.get("/editor/index-abc.js", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert int(answer.headers["Content-Length"]) < len(SCRIPT)
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.content_type == "text/javascript"
    assert await answer.text() == SCRIPT
    plain = await client.get("/editor/index-abc.js", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert await plain.text() == SCRIPT
    assert (await client.get("/editor/icon-abc.svg")).content_type == "image/svg+xml"


@pytest.mark.parametrize(
    "name",
    [
        "index-old.js",
        "..%2Findex.html",
        "..%2F..%2Fdata%2Fdarkroom.db",
        "index-abc.js.gz",
        ".hidden.js",
        "%00.js",
        "a" * 300 + ".js",
    ],
)
async def test_nothing_else_is_sent(client: Client, built: Path, name: str) -> None:
    (built / ".hidden.js").write_text("secret")
    answer = await client.get(f"/editor/{name}")
    assert answer.status == 404
    assert "secret" not in await answer.text()


async def test_without_an_editor_the_page_tells_how_to_build_it(client: Client) -> None:
    answer = await client.get("/")
    assert answer.status == 200
    page = await answer.text()
    assert "is not built here" in page
    assert "pip install -e ." in page
    assert "is not built here" not in await (await client.get("/status")).text()
