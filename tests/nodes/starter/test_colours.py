from pathlib import Path

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor

from nodes.diffusion import colours as known, previews
from nodes.folders import STARTER
from nodes.starter import autoencoder, colours, export

FILE = STARTER / "starter.safetensors"


@pytest.fixture(scope="module")
def vae() -> AutoencoderKL:
    model = autoencoder.create().eval()
    export.read(FILE, "vae", model)
    return model


@pytest.fixture(scope="module")
def unseen(vae: AutoencoderKL) -> tuple[Tensor, Tensor]:
    return colours.pairs(vae, colours.drawn(8, seed=4711))


def errors(unseen: tuple[Tensor, Tensor], by: known.Colours) -> Tensor:
    """How far previews lie from decoded pictures made small, on average, of 255."""
    shown = torch.stack(
        [torch.from_numpy(previews.rgb(each[None], by)).permute(2, 0, 1) for each in unseen[0]]
    )
    return (shown - (unseen[1] / 2 + 0.5) * 255).abs().mean((0, 2, 3))


def test_previews_of_the_shipped_model_have_the_colours_of_its_pictures(
    unseen: tuple[Tensor, Tensor],
) -> None:
    assert errors(unseen, known.STARTER).max() < 18
    assert errors(unseen, known.SD).min() > 40


def test_the_fit_is_that_of_the_shipped_colours(vae: AutoencoderKL) -> None:
    found, explained = colours.fit(vae, count=8)
    assert min(explained) > 0.9
    for ours, theirs in zip(
        (*found.channels, found.base),
        (*known.STARTER.channels, known.STARTER.base),
        strict=True,
    ):
        assert ours == pytest.approx(theirs, abs=0.08)
    assert found == colours.fit(vae, count=8)[0]


def test_colours_go_through_a_checkpoints_metadata(vae: AutoencoderKL, tmp_path: Path) -> None:
    from nodes.diffusion.checkpoints import open_weights

    path = tmp_path / "own.safetensors"
    own = known.Colours(((1.0, 0.0, 0.0),) * 4)
    export.write(path, {"vae": vae}, {known.KEY: own.written()})
    assert open_weights(path).colours == own
    assert open_weights(FILE).colours == known.STARTER
