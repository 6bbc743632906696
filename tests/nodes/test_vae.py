from collections.abc import Callable
from typing import Any

import pytest
import torch

from engine.errors import Cancelled, InputError
from nodes.vae import vae_decode, vae_encode
from nodes.values import Image, Latents
from tests.nodes import small
from tests.nodes.small import AUTOENCODER, SmallPool, relative_rms

PICTURES = Image(small.noise(1, (2, 3, 32, 48)).sigmoid())


def posterior() -> Any:
    with torch.no_grad():
        return small.autoencoder().encode(PICTURES.pixels * 2 - 1).latent_dist


def test_encoding_takes_the_most_likely_value() -> None:
    made = vae_encode(AUTOENCODER, PICTURES, pool=SmallPool())
    assert made.samples.shape == (2, 4, 4, 6)
    assert relative_rms(made.samples, posterior().mode() * AUTOENCODER.scaling_factor) < 1e-5
    assert not made.samples.is_inference()


def test_encoding_samples_each_picture_from_its_own_seed() -> None:
    made = vae_encode(AUTOENCODER, PICTURES, sample=True, seed=5, pool=SmallPool())
    noise = torch.cat(
        [
            torch.randn((1, 4, 4, 6), generator=torch.Generator().manual_seed(seed))
            for seed in (5, 6)
        ]
    )
    expected = (posterior().mean + posterior().std * noise) * AUTOENCODER.scaling_factor
    assert relative_rms(made.samples, expected) < 1e-5


def test_decoding_undoes_the_scaling_and_stays_in_range() -> None:
    latents = Latents(small.noise(2, (2, 4, 4, 6)))
    made = vae_decode(AUTOENCODER, latents, pool=SmallPool())
    with torch.no_grad():
        decoded = small.autoencoder().decode(latents.samples / AUTOENCODER.scaling_factor).sample
    assert relative_rms(made.pixels, (decoded / 2 + 0.5).clamp(0, 1)) < 1e-5
    assert made.pixels.shape == (2, 3, 32, 48)
    assert 0 <= float(made.pixels.min()) <= float(made.pixels.max()) <= 1
    assert not made.pixels.is_inference()


def test_pictures_of_other_sizes_are_an_error() -> None:
    with pytest.raises(
        InputError, match="48x30, the VAE takes multiples of 8: put ResizeImage before it, to 48x24"
    ):
        vae_encode(AUTOENCODER, Image(PICTURES.pixels[:, :, :30]), pool=SmallPool())


def test_latents_of_another_family_are_an_error() -> None:
    with pytest.raises(InputError, match="latents have 16 channels, the VAE takes 4"):
        vae_decode(AUTOENCODER, Latents(torch.zeros(1, 16, 4, 4)), pool=SmallPool())


def test_cancelling_ends_between_pictures() -> None:
    told = []

    def progress(done: int, total: int, preview: Callable[[], Any] | None = None) -> None:
        told.append((done, total))
        raise Cancelled

    with pytest.raises(Cancelled):
        vae_encode(AUTOENCODER, PICTURES, pool=SmallPool(), progress=progress)
    with pytest.raises(Cancelled):
        vae_decode(
            AUTOENCODER, Latents(torch.zeros(2, 4, 4, 6)), pool=SmallPool(), progress=progress
        )
    assert told == [(1, 2), (1, 2)]
