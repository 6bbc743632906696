"""The shared store in a bucket, against a service on this machine that speaks S3."""

import json
import logging
import signal
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine.disk import Disk
from engine.errors import InputError
from engine.place import Folder
from engine.shared import Shared
from engine.store import Store
from server.bucket import Bucket
from server.settings import open_place
from tests.engine.test_store import CODECS, HERE, KEY, SLOW, Array
from tests.server.conftest import Darkroom

pytest.importorskip("obstore", reason="needs obstore: pip install 'darkroom[test]'")
moto = pytest.importorskip("moto.server", reason="needs moto: pip install 'darkroom[test]'")

NAME = "ab/file"
URL = "s3://results/team"


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """The address of a service that speaks S3."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto.ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def endpoint(service: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The service, with an empty bucket in it, as the environment names it."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", service)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    for method, path in (("POST", "moto-api/reset"), ("PUT", "results")):
        request = urllib.request.Request(f"{service}/{path}", method=method)  # noqa: S310
        urllib.request.urlopen(request).close()  # noqa: S310
    return service


@pytest.fixture
def bucket(endpoint: str) -> Bucket:
    assert endpoint
    return Bucket(URL)


def test_an_object_is_there_after_it_is_written_and_until_it_is_removed(bucket: Bucket) -> None:
    assert bucket.read(NAME) is None
    assert not bucket.exists(NAME)

    bucket.write(NAME, b"one")
    bucket.write(NAME, b"second")
    bucket.touch(NAME)

    assert bucket.read(NAME) == b"second"
    assert bucket.exists(NAME)
    (found,) = bucket.list()
    assert (found.name, found.size) == (NAME, 6)
    assert abs(found.used - time.time()) < 60
    bucket.remove(NAME)
    bucket.remove(NAME)
    assert list(bucket.list()) == []


def test_only_the_first_creates_an_object(bucket: Bucket) -> None:
    assert bucket.create(NAME, b"first")
    assert not bucket.create(NAME, b"second")
    assert bucket.read(NAME) == b"first"


def test_an_object_is_created_on_a_service_without_conditions(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert endpoint
    monkeypatch.setenv("AWS_CONDITIONAL_PUT", "disabled")
    test_only_the_first_creates_an_object(Bucket(URL))


def test_a_large_object_is_whole(bucket: Bucket) -> None:
    data = bytes(range(256)) * 50_000
    bucket.write(NAME, data)
    assert bucket.read(NAME) == data


def machine(folder: Path, bucket: Bucket) -> Store:
    return Store(folder, CODECS, shared=Shared(Disk(bucket, CODECS, sys.maxsize)))


def test_what_one_machine_made_another_finds_in_the_bucket(bucket: Bucket, tmp_path: Path) -> None:
    first, second = (machine(tmp_path / name, bucket) for name in ("first", "second"))
    first.put(KEY, {"value": Array(1, 2)}, "Add", SLOW, keep=True)
    assert first.flush() == 0

    record = second.get(KEY, HERE)

    assert record is not None
    assert record.outputs == {"value": Array(1, 2)}
    assert second.shared is not None
    assert second.shared.size().records == 1
    assert second.shared.prune(0) > 0
    assert list(bucket.list()) == []


@pytest.mark.parametrize("kind", ["json", "safetensors"])
def test_half_a_record_in_the_bucket_is_a_miss_and_is_replaced(
    bucket: Bucket, tmp_path: Path, kind: str
) -> None:
    first, second, third = (machine(tmp_path / name, bucket) for name in ("one", "two", "three"))
    first.put(KEY, {"value": Array(1, 2)}, "Add", SLOW, keep=True)
    first.flush()
    (name,) = [file.name for file in bucket.list() if file.name.endswith(kind)]
    data = bucket.read(name) or b""
    bucket.write(name, data[: len(data) // 2])

    assert second.get(KEY, HERE) is None
    second.put(KEY, {"value": Array(1, 2)}, "Add", SLOW, keep=True)
    second.flush()

    assert third.get(KEY, HERE) is not None


def test_a_second_machine_computes_nothing_that_the_first_computed(
    darkroom: Darkroom, sum_file: str, endpoint: str
) -> None:
    assert endpoint
    darkroom.environment["DARKROOM_SHARED_STORE"] = URL
    darkroom("run", sum_file, "--json")
    darkroom.environment["DARKROOM_DATA"] = str(darkroom.folder / "second machine")

    said = darkroom("run", sum_file, "--json")

    assert "warning" not in said.err
    assert said.json["nodes"]["slow"]["state"] == "stored"
    shared = darkroom("cache", "--json").json["shared"]
    assert (shared["place"], shared["reachable"]) == (URL, True)
    assert shared["records"] > 0
    assert f"shared: {URL}" in darkroom("cache", "clear", "--shared").out


def warning_of(darkroom: Darkroom, sum_file: str, url: str = URL) -> str:
    """The one warning of a run that all the same succeeds."""
    darkroom.environment["DARKROOM_SHARED_STORE"] = url
    said = darkroom("run", sum_file, "--json")
    assert said.status == 0
    assert {node["state"] for node in said.json["nodes"].values()} == {"ran"}
    (warning,) = [line for line in said.err.splitlines() if "warning" in line]
    assert not darkroom("cache", "--json").json["shared"]["reachable"]
    return warning


def test_an_endpoint_out_of_reach_costs_one_warning(
    darkroom: Darkroom, sum_file: str, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert endpoint
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")

    assert f"the shared store {URL} cannot be read" in warning_of(darkroom, sum_file)
    cleared = darkroom("cache", "clear", "--shared", "--json")
    assert (cleared.status, cleared.json["error"]["code"]) == (1, "store")


def test_wrong_credentials_cost_one_warning(
    darkroom: Darkroom, sum_file: str, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert endpoint
    monkeypatch.setattr("moto.settings.INITIAL_NO_AUTH_ACTION_COUNT", 0)
    assert "access denied: The AWS Access Key Id" in warning_of(darkroom, sum_file)


def test_a_bucket_that_is_not_there_costs_one_warning(
    darkroom: Darkroom, sum_file: str, endpoint: str
) -> None:
    assert endpoint
    assert "there is no such bucket" in warning_of(darkroom, sum_file, "s3://nowhere")


def test_a_service_that_never_answers_can_be_left_by_ctrl_c(
    darkroom: Darkroom, sum_file: str, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert endpoint
    darkroom.environment["DARKROOM_SHARED_STORE"] = URL
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        silent.settimeout(60)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        plan = darkroom.start("plan", sum_file)
        try:
            asked, _ = silent.accept()
            plan.send_signal(signal.SIGINT)
            _, err = plan.communicate(timeout=60)
            asked.close()
        finally:
            plan.kill()
    assert plan.returncode == 130
    assert "Traceback" not in err


def test_a_url_without_obstore_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(InputError, match="needs the package obstore") as raised:
        Bucket(URL)
    assert raised.value.hint == "pip install 'darkroom[s3]'"


def test_a_place_is_a_folder_or_a_bucket(endpoint: str, tmp_path: Path) -> None:
    assert endpoint
    for named in (str(tmp_path), f"file://{tmp_path}"):
        folder = open_place(named)
        assert isinstance(folder, Folder)
        assert (folder.path, folder.made) == (tmp_path, False)
    assert open_place(URL).title == URL
    for named in ("ftp://host/x", "s3://"):
        with pytest.raises(InputError, match=f"the shared store {named} cannot be opened"):
            open_place(named)


def test_json_says_where_the_shared_store_is(darkroom: Darkroom) -> None:
    assert "shared" not in json.loads(darkroom("cache", "--json").out)
