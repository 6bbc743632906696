from pathlib import Path

import pytest

from engine.errors import InputError
from server.homes import home, within


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("secret")
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (root / "folder" / "file.txt").write_text("mine")
    return root


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
    with pytest.raises(InputError) as told:
        within(root, name)
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
            within(root, name)


def test_a_link_inside_is_a_path(root: Path) -> None:
    (root / "link").symlink_to("folder")
    assert within(root, "link/file.txt") == root / "link" / "file.txt"


def test_the_root_itself_may_be_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "other").symlink_to(root)
    assert within(tmp_path / "other", "folder/file.txt").read_text() == "mine"


def test_users_have_folders_apart(tmp_path: Path) -> None:
    assert home(tmp_path, "local").outputs == tmp_path / "outputs"
    assert home(tmp_path, "alice").outputs == tmp_path / "users" / "alice" / "outputs"
