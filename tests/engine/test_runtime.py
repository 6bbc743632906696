from pathlib import Path

from engine.node import Service
from engine.runtime import NoFiles, Runtime


class Album(Service):
    def __init__(self, *folders: Path) -> None:
        self.folders = folders


def test_a_bare_runtime_has_nothing_to_lend(tmp_path: Path) -> None:
    bare = Runtime()
    assert bare.with_inputs(tmp_path) is bare
    assert (bare.warm(), bare.memory(), bare.free()) == ((), {}, 0)


def test_pictures_are_looked_for_in_the_folders_given(tmp_path: Path) -> None:
    runtime = Runtime(
        profile={"device": "cpu"}, lend_from=lambda folders: ({Album: Album(*folders)}, NoFiles())
    )
    other = runtime.with_inputs(tmp_path)
    album = other.services[Album]
    assert isinstance(album, Album)
    assert album.folders == (tmp_path,)
    assert other.profile == runtime.profile
