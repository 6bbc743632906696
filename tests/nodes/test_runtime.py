import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import PIL.Image
import pytest

from engine.catalog import Catalog
from engine.check import check
from engine.errors import InputError
from engine.node import NodeType
from engine.runtime import Runtime
from engine.workflow import Workflow
from nodes.diffusion.pool import Pool
from nodes.facts import MAX_PIXELS
from nodes.folders import STARTER, Folders
from nodes.runtime import open_runtime, probe
from nodes.values import VAE

from .conftest import Tiny


def folder(path: Path, name: str) -> Path:
    path.mkdir(parents=True)
    PIL.Image.new("RGB", (8, 8)).save(path / name)
    return path


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    folder(tmp_path / "inputs", "everybody.png")
    return open_runtime(tmp_path, device="cpu")


def codes(runtime: Runtime, image: str, catalog: Mapping[str, NodeType]) -> list[str]:
    nodes = {
        "load": {"type": "LoadImage", "version": 1, "inputs": {"image": image}},
        "show": {"type": "PreviewImage", "inputs": {"image": {"$link": ["load", "image"]}}},
    }
    workflow = Workflow.from_json({"darkroom": 1, "nodes": nodes})
    return [problem.code for problem in check(workflow, catalog, runtime)]


def test_a_user_finds_own_pictures_and_nobody_elses(runtime: Runtime, tmp_path: Path) -> None:

    catalog = dict(Catalog.load("nodes"))
    mine = runtime.with_inputs(folder(tmp_path / "ann", "ann.png"))
    folder(tmp_path / "bob", "bob.png")
    assert codes(mine, "ann.png", catalog) == []
    for name in ("everybody.png", "bob.png"):
        assert codes(mine, name, catalog) == ["missing_file"]
    for name in ("../bob/bob.png", str(tmp_path / "bob" / "bob.png")):
        assert codes(mine, name, catalog) == ["outside_roots"]
    (tmp_path / "ann" / "link.png").symlink_to(tmp_path / "bob" / "bob.png")
    assert codes(mine, "link.png", catalog) == ["outside_roots"]
    assert codes(runtime, "everybody.png", catalog) == []


def test_users_share_the_models(runtime: Runtime, tmp_path: Path) -> None:
    mine = runtime.with_inputs(tmp_path / "ann")
    assert mine.services[Pool] is runtime.services[Pool]
    found, given = mine.services[Folders], runtime.services[Folders]
    assert isinstance(found, Folders)
    assert isinstance(given, Folders)
    assert found.images == (tmp_path / "ann", STARTER)
    assert found.models == given.models
    assert found._opened is given._opened
    assert mine.files is found


def test_what_is_loaded_is_told_and_let_go(runtime: Runtime, tiny: Tiny) -> None:
    pool = runtime.services[Pool]
    assert isinstance(pool, Pool)
    pool.folders = Folders((tiny.root,), ())
    from nodes.loaders import load_checkpoint

    vae: VAE = load_checkpoint(checkpoint=tiny.checkpoint, folders=pool.folders).vae
    assert runtime.warm() == ()
    with pool.borrow(vae):
        assert runtime.warm() == (tiny.checkpoint,)
    runtime.free()
    assert runtime.warm() == ()
    assert runtime.memory()["total"] > 0


@pytest.mark.parametrize(
    ("name", "format_name"), [("a.png", "png"), ("a.jpg", "jpeg"), ("a.webp", "webp")]
)
def test_a_picture_is_probed_by_its_header(tmp_path: Path, name: str, format_name: str) -> None:
    PIL.Image.new("RGB", (30, 20)).save(tmp_path / name)
    told = probe(tmp_path / name)
    assert told == {"width": 30, "height": 20, "has_alpha": False, "format": format_name}


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    side = int(MAX_PIXELS**0.5) + 1
    PIL.Image.new("1", (side, side)).save(tmp_path / "bomb.png")
    with pytest.raises(InputError, match="megapixels") as caught:
        probe(tmp_path / "bomb.png")
    assert caught.value.code == "too_large"


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"<svg/>")
    with pytest.raises(InputError) as caught:
        probe(tmp_path / "a.png")
    assert caught.value.code == "damaged_file"


def test_looking_at_pictures_loads_no_torch(tmp_path: Path) -> None:
    PIL.Image.new("RGB", (30, 20)).save(tmp_path / "a.png")
    code = (
        "import sys, pathlib\n"
        "from nodes.runtime import open_runtime\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "lent = open_runtime(folder, device='cpu')\n"
        "lent.probe(folder / 'a.png'), lent.thumbnail(folder / 'a.png', 16)\n"
        "lent.embedded(folder / 'a.png'), lent.memory(), lent.warm()\n"
        "print('torch' in sys.modules)"
    )
    ran = [sys.executable, "-c", code, str(tmp_path)]
    assert subprocess.run(ran, capture_output=True, text=True, check=True).stdout == "False\n"
