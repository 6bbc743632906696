from pathlib import Path

import pytest

from server.places import Places


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("Put files into {data}/models/checkpoints.", "Put files into models/checkpoints."),
        ("Put files into {data}/users/bob/inputs.", "Put files into inputs."),
        ("put them into {data}.", "put them into the data folder."),
        ("'{data}' is full", "'the data folder' is full"),
        ("{data}base/x", "{data}base/x"),
        ("{data}.old/x and {data}-2", "{data}.old/x and {data}-2"),
        ("/mnt{data}/x", "/mnt{data}/x"),
        ("/a/picture.png is not here", "/a/picture.png is not here"),
    ],
)
def test_folders_are_named_by_what_users_call_them(tmp_path: Path, told: str, shown: str) -> None:
    data = tmp_path / "data"
    places = Places(data, {str(data / "users" / "bob" / "inputs"): "inputs"})

    assert places.hidden(told.format(data=data)) == shown.format(data=data)


def test_links_on_the_way_are_no_way_around(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    places = Places(tmp_path / "link")

    assert places.hidden(f"{tmp_path}/link/a and {tmp_path}/real/a") == "a and a"


def test_home_and_the_program_are_short(tmp_path: Path) -> None:
    told = Places(tmp_path).hidden([{"a": f"{Path.home()}/x", "b": str(Path(__file__))}, 1, None])

    assert told == [{"a": "~/x", "b": "tests/server/test_places.py"}, 1, None]
