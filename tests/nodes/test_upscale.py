from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from engine.errors import InputError
from engine.keys import FileDigests
from nodes.diffusion.pool import Pool
from nodes.folders import Folders
from nodes.upscale import load_upscaler, upscale_image, upscaler_digest
from nodes.values import Image
from tests.nodes import small
from tests.nodes.diffusion.test_esrgan import NEW, network, renamed

PICTURE = Image(small.noise(4, (2, 3, 150, 99)).sigmoid())


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    (tmp_path / "upscale_models").mkdir()
    for shuffle in (1, 2):
        state = renamed(network(2, shuffle).state_dict(), *NEW)
        # Small weights keep the network's view narrow, as training does.
        small_ones = {name: tensor * 0.5 for name, tensor in state.items()}
        save_file(small_ones, tmp_path / "upscale_models" / f"fold{shuffle}.safetensors")
    return Folders((tmp_path,), (), FileDigests())


@pytest.mark.parametrize(("shuffle", "scale"), [(1, 4), (2, 2)])
def test_tiles_make_the_picture_that_the_whole_makes(
    shuffle: int, scale: int, folders: Folders
) -> None:
    upscaler = load_upscaler(upscaler=f"fold{shuffle}.safetensors", folders=folders)
    pool = Pool(folders)
    told: list[tuple[int, int]] = []

    whole = upscale_image(upscaler, PICTURE, tile=256, overlap=64, pool=pool).pixels
    tiles = upscale_image(
        upscaler, PICTURE, tile=64, overlap=24, pool=pool,
        progress=lambda done, total, preview=None: told.append((done, total)),
    ).pixels  # fmt: skip

    assert whole.shape == (2, 3, 150 * scale, 99 * scale)
    assert float((whole - tiles).abs().max()) < 1 / 255
    assert told[-1][0] == told[-1][1] == len(told)
    assert pool.loads == 1
    assert pool.usage()[0].part == "upscaler"
    assert torch.isfinite(whole).all()


def test_tiles_get_smaller_until_they_fit_into_memory(
    folders: Folders, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    upscaler = load_upscaler(upscaler="fold1.safetensors", folders=folders)
    pool = Pool(folders)
    whole = upscale_image(upscaler, PICTURE, pool=pool).pixels
    with pool.borrow(upscaler) as network:
        forward = network.forward

    def short(part: torch.Tensor) -> torch.Tensor:
        if max(part.shape[-2:]) > 128:
            raise torch.OutOfMemoryError("CUDA out of memory")
        made: torch.Tensor = forward(part)
        return made

    monkeypatch.setattr(network, "forward", short)
    found = upscale_image(upscaler, PICTURE, pool=pool).pixels
    assert float((found - whole).abs().max()) < 1 / 255
    assert (
        "the tile of 512 does not fit into memory: the upscaler works in tiles of 128"
        in caplog.text
    )

    monkeypatch.setattr(network, "forward", lambda part: short(part.repeat(1, 1, 9, 9)))
    with pytest.raises(MemoryError, match="out of memory in the upscaler, even in tiles"):
        upscale_image(upscaler, PICTURE, pool=pool)


def test_missing_upscaler_names_the_nearest(folders: Folders) -> None:
    with pytest.raises(InputError, match=r"no upscaler 'fold3.safetensors'\. Did you mean 'fold") as raised:  # fmt: skip
        load_upscaler(upscaler="fold3.safetensors", folders=folders)
    assert raised.value.code == "missing_file"
    assert folders.names("upscale_models") == ["fold1.safetensors", "fold2.safetensors"]
    assert {row["title"] for row in folders.survey()} == {
        "an upscaler (ESRGAN), x2",
        "an upscaler (ESRGAN), x4",
    }


def test_another_network_is_found_before_a_run(tmp_path: Path) -> None:
    save_file({"conv_first.weight": torch.zeros(8, 3, 3, 3)}, tmp_path / "swinir.safetensors")
    with pytest.raises(InputError, match=r"swinir.safetensors is no upscaler that is known here"):
        upscaler_digest("swinir.safetensors", Folders((tmp_path,), ()))
