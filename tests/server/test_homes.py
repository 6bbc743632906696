import os
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from engine.errors import InputError
from server.homes import home, open_within, within


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("secret")
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (root / "folder" / "file.txt").write_text("mine")
    return root


def read(root: Path, name: str) -> bytes:
    file = open_within(root, name)
    try:
        return os.read(file, 100)
    finally:
        os.close(file)


BAD = [
    "",
    ".",
    "./",
    "..",
    "../secret.txt",
    "folder/../../secret.txt",
    "folder/..",
    "/etc/passwd",
    "//etc/passwd",
    "..\\secret.txt",
    "folder\\..\\..\\secret.txt",
    "C:\\secret.txt",
    "C:secret.txt",
    "\\\\host\\share",
    "file\0.txt",
    "\0",
    "line\nbreak",
    "tab\t",
    "delete\x7f",
    "half\ud800",
    "\udcff",
    "a" * 256,
    "ä" * 128,
    "a/" * 501 + "a",
]


@pytest.mark.parametrize("name", BAD)
def test_a_name_that_leads_out_is_refused(root: Path, name: str) -> None:
    for refuse in (within, open_within):
        with pytest.raises(InputError) as told:
            refuse(root, name)
        assert told.value.code == "outside_roots"


@pytest.mark.parametrize(
    "name",
    [
        "file.txt",
        "folder/file.txt",
        "a..b",
        "...",
        "~",
        "~root",
        "%2e%2e",
        "\uff0e\uff0e/x",
        "x\u2215y",
        "at 12:30.png",
        "é",
        "$HOME",
    ],
)
def test_a_plain_name_stays_inside(root: Path, name: str) -> None:
    assert within(root, name).resolve().is_relative_to(root.resolve())


def test_a_link_that_leads_out_is_refused(root: Path) -> None:
    (root / "out").symlink_to("../secret.txt")
    (root / "up").symlink_to("..")
    (root / "absolute").symlink_to("/etc")
    (root / "self").symlink_to(".")
    for name in ("out", "up", "up/secret.txt", "absolute/passwd", "up/new.txt", "self"):
        with pytest.raises(InputError):
            within(root, name)


def test_a_link_to_itself_is_refused(root: Path) -> None:
    (root / "one").symlink_to("two")
    (root / "two").symlink_to("one")
    for name in ("one", "one/file"):
        with pytest.raises(InputError):
            open_within(root, name)


def test_a_link_inside_is_a_path_but_is_not_opened(root: Path) -> None:
    (root / "link").symlink_to("folder")
    assert within(root, "link/file.txt") == root / "link" / "file.txt"
    with pytest.raises(InputError):
        open_within(root, "link/file.txt")


def test_the_root_itself_may_be_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "other").symlink_to(root)
    assert read(tmp_path / "other", "folder/file.txt") == b"mine"


def test_a_file_is_opened_and_made(root: Path) -> None:
    assert read(root, "folder/file.txt") == b"mine"
    file = open_within(root, "folder/new.txt", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    os.close(file)
    assert (root / "folder" / "new.txt").stat().st_mode & 0o077 == 0
    with pytest.raises(FileNotFoundError):
        open_within(root, "folder/none.txt")


def test_only_plain_files_are_opened(root: Path) -> None:
    os.mkfifo(root / "pipe")
    for name in ("folder", "pipe"):
        with pytest.raises(InputError):
            open_within(root, name)


def test_a_folder_that_becomes_a_link_meanwhile_leads_nowhere(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file.txt").write_text("secret")
    (root / "link").symlink_to(outside)
    (root / "swap").mkdir()
    (root / "swap" / "file.txt").write_text("mine")
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            (root / "swap").rename(root / "aside")
            (root / "link").rename(root / "swap")
            (root / "swap").rename(root / "link")
            (root / "aside").rename(root / "swap")

    thread = threading.Thread(target=swap)
    thread.start()
    seen: Counter[bytes] = Counter()
    try:
        until = time.monotonic() + 3
        while time.monotonic() < until and min(seen[b"mine"], seen[b"refused"]) < 30:
            try:
                seen[read(root, "swap/file.txt")] += 1
            except (InputError, FileNotFoundError):
                seen[b"refused"] += 1
    finally:
        stop.set()
        thread.join()
    assert set(seen) <= {b"mine", b"refused"}
    assert seen[b"refused"]


def test_users_have_folders_apart(tmp_path: Path) -> None:
    assert home(tmp_path, "local").outputs == tmp_path / "outputs"
    assert home(tmp_path, "alice").outputs == tmp_path / "users" / "alice" / "outputs"
