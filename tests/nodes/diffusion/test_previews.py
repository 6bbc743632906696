import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typing_extensions import override

from nodes.diffusion import colours
from nodes.diffusion.pool import Pool
from nodes.diffusion.previews import Previewer, pixels, rgb
from nodes.folders import STARTER, Folders
from nodes.values import Model, Weights
from nodes.widgets import FamilyName
from tests.nodes import small
from tests.nodes.tiny import taesd

LATENTS = small.noise(1, (2, 4, 6, 5))


def model(family: FamilyName = "sd1", name: str = "gone.safetensors") -> Model:
    return Model(Weights("checkpoints", name, ""), family)


def pool_of(root: Path, **options: Any) -> Pool:
    return Pool(Folders((root, STARTER), ()), **options)


@pytest.mark.parametrize("channels", [1, 3, 4, 16])
def test_preview_is_a_small_picture_of_the_first(channels: int) -> None:
    latents = small.noise(1, (2, channels, 6, 5))
    made = rgb(latents, colours.SD)
    assert made.shape == (6, 5, 3)
    assert made.dtype == np.uint8
    assert np.array_equal(made, rgb(latents[:1], colours.SD))
    assert made.std() > 1


def test_empty_latents_are_grey() -> None:
    assert (rgb(torch.zeros(1, 4, 2, 2), colours.SD) == 128).all()


def test_what_is_no_number_is_no_fault() -> None:
    assert rgb(torch.full((1, 4, 2, 2), torch.nan), colours.SD).shape == (2, 2, 3)


def test_pictures_show_as_they_are() -> None:
    picture = torch.linspace(-1, 1, 12).reshape(1, 3, 2, 2)
    assert pixels(picture)[0, 0].tolist() == [0, 93, 185]


@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl", "refiner"])
def test_without_a_tiny_vae_channels_show_as_their_familys_colours(
    family: FamilyName, tmp_path: Path
) -> None:
    shown = Previewer(pool_of(tmp_path), model(family)).of(LATENTS)()
    assert np.array_equal(shown, rgb(LATENTS, colours.FAMILIES[family]))


def test_the_upscalers_latents_show_as_shapes(tmp_path: Path) -> None:
    taesd.halves(tmp_path / "vae_approx", taesd.module())
    shown = Previewer(pool_of(tmp_path), model("upscaler")).of(LATENTS)()
    assert np.array_equal(shown, rgb(LATENTS))


def test_the_starter_shows_in_its_own_colours_even_beside_a_tiny_vae(tmp_path: Path) -> None:
    taesd.halves(tmp_path / "vae_approx", taesd.module())
    shown = Previewer(pool_of(tmp_path), model(name="starter.safetensors")).of(LATENTS)()
    assert np.array_equal(shown, rgb(LATENTS, colours.STARTER))


@pytest.mark.parametrize(
    ("family", "name"), [("sd1", "taesd"), ("sd2", "taesd"), ("sdxl", "taesdxl")]
)
def test_a_tiny_vae_of_the_family_decodes(family: FamilyName, name: str, tmp_path: Path) -> None:
    made = {each: taesd.module(seed=seed) for seed, each in enumerate(("taesd", "taesdxl"))}
    for each, module in made.items():
        taesd.halves(tmp_path / "vae_approx", module, each)
    pool = pool_of(tmp_path)

    shown = Previewer(pool, model(family)).of(LATENTS)()

    with torch.no_grad():
        picture = made[name].decode(LATENTS[:1]).sample[0] / 2 + 0.5
    expected = (picture.clamp(0, 1) * 255).permute(1, 2, 0).numpy()
    assert shown.shape == (48, 40, 3)
    assert expected.std() > 5
    assert np.abs(shown - expected).max() <= 1
    assert pool.loads == 1


def test_a_tiny_vae_of_the_other_family_stays_alone(tmp_path: Path) -> None:
    taesd.halves(tmp_path / "vae_approx", taesd.module(), "taesdxl")
    pool = pool_of(tmp_path)
    assert Previewer(pool, model("sd1")).of(LATENTS)().shape == (6, 5, 3)
    assert pool.loads == 0


def test_factors_alone_may_be_asked_for(tmp_path: Path) -> None:
    taesd.halves(tmp_path / "vae_approx", taesd.module())
    pool = pool_of(tmp_path, previews="factors")
    assert Previewer(pool, model()).of(LATENTS)().shape == (6, 5, 3)


def test_large_latents_are_made_smaller_first(tmp_path: Path) -> None:
    taesd.halves(tmp_path / "vae_approx", taesd.module())
    shown = Previewer(pool_of(tmp_path), model()).of(torch.zeros(1, 4, 128, 96))()
    assert shown.shape == (256, 192, 3)


def test_nothing_is_looked_for_unless_a_preview_is_asked_for(tmp_path: Path) -> None:
    class Silent(Folders):
        @override
        def has(self, kind: Any, name: str) -> bool:
            pytest.fail("nobody looks")

    Previewer(Pool(Silent((tmp_path,), ())), model()).of(LATENTS)


@pytest.mark.parametrize("fault", ["damaged", "other", "encoder"])
def test_a_file_that_cannot_be_used_is_named_once_and_colours_go_on(
    fault: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = tmp_path / "vae_approx"
    taesd.halves(home, taesd.module(channels=16 if fault == "other" else 4))
    decoder = home / "taesd_decoder.safetensors"
    if fault == "damaged":
        decoder.write_bytes(b"no header at all")
    if fault == "encoder":
        (home / "taesd_encoder.safetensors").replace(decoder)
    previewer = Previewer(pool_of(tmp_path), model())

    with caplog.at_level(logging.WARNING):
        shown = [previewer.of(LATENTS)() for _ in range(2)]

    assert all(np.array_equal(each, rgb(LATENTS, colours.SD)) for each in shown)
    assert len(caplog.records) == 1
    assert "previews go on without taesd" in caplog.text
