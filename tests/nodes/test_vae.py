from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from typing_extensions import override

from engine.errors import Cancelled, InputError
from nodes.vae import vae_decode, vae_decode_tiled, vae_encode, vae_encode_tiled
from nodes.values import Image, Latents
from tests.nodes import parity, small
from tests.nodes.small import AUTOENCODER, SmallPool, relative_rms

PICTURES = Image(small.noise(1, (2, 3, 32, 48)).sigmoid())


def posterior() -> Any:
    with torch.no_grad():
        return small.autoencoder().encode(PICTURES.pixels * 2 - 1).latent_dist


def test_encoding_takes_the_most_likely_value() -> None:
    made = vae_encode(AUTOENCODER, PICTURES, pool=SmallPool())
    assert made.samples.shape == (2, 4, 4, 6)
    expected = posterior().mode() * AUTOENCODER.scaling_factor
    parity.agree("VAE", "encode, the most likely value", made.samples, expected, what="latents")
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
    how = "encode, a sample from each picture's seed"
    parity.agree("VAE", how, made.samples, expected, what="latents")


def test_decoding_undoes_the_scaling_and_stays_in_range() -> None:
    latents = Latents(small.noise(2, (2, 4, 4, 6)))
    made = vae_decode(AUTOENCODER, latents, pool=SmallPool())
    with torch.no_grad():
        decoded = small.autoencoder().decode(latents.samples / AUTOENCODER.scaling_factor).sample
    parity.look_alike("VAE", "decode", made.pixels, (decoded / 2 + 0.5).clamp(0, 1))
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


def test_pictures_of_other_sizes_are_cut_or_padded_when_asked() -> None:
    odd = Image(PICTURES.pixels[:, :, :29, :46])

    cropped = vae_encode(AUTOENCODER, odd, odd_size="crop", pool=SmallPool())
    middle = Image(odd.pixels[:, :, 2:26, 3:43])
    assert relative_rms(cropped.samples, vae_encode(AUTOENCODER, middle, pool=SmallPool()).samples) < 1e-5  # fmt: skip

    padded = vae_encode(AUTOENCODER, odd, odd_size="pad", pool=SmallPool())
    assert padded.samples.shape == (2, 4, 4, 6)
    back = vae_decode(AUTOENCODER, padded, pool=SmallPool())
    assert back.pixels[..., :29, :46].shape == odd.pixels.shape
    with pytest.raises(InputError, match="the picture is 46x5"):
        vae_encode(AUTOENCODER, Image(odd.pixels[:, :, :5]), odd_size="crop", pool=SmallPool())


class Config(dict[str, Any]):
    """What is asked of an autoencoder's configuration."""

    latent_channels = 4


class Local:
    """An autoencoder without norms over the whole picture, so that tiles can be exact."""

    def __init__(self) -> None:
        self.config = Config(block_out_channels=(1, 1, 1, 1))
        self.device, self.dtype = torch.device("cpu"), torch.float32
        self.seen: list[tuple[int, ...]] = []

    def decode(self, x: torch.Tensor, return_dict: bool) -> tuple[torch.Tensor]:
        self.seen.append(tuple(x.shape[-2:]))
        near = torch.nn.functional.avg_pool2d(x[:, :3], 3, 1, 1, count_include_pad=False)
        return (torch.nn.functional.interpolate(near, scale_factor=8, mode="nearest") * 0.1,)

    def encode(self, x: torch.Tensor, return_dict: bool) -> tuple[Any]:
        self.seen.append(tuple(x.shape[-2:]))
        mean = torch.nn.functional.avg_pool2d(x, 8)[:, [0, 1, 2, 0]]
        return (SimpleNamespace(mode=lambda: mean, std=torch.ones_like(mean)),)


def test_tiles_make_the_same_picture_as_the_whole() -> None:
    local = Local()
    pool = SmallPool(vae=local)
    latents = Latents(small.noise(3, (1, 4, 40, 56)) * 0.18215)

    whole = vae_decode(AUTOENCODER, latents, pool=pool)
    found = vae_decode_tiled(AUTOENCODER, latents, tile=128, overlap=48, pool=pool)

    by = "the whole at once"
    how = "decode in tiles that overlap by what a pixel sees"
    parity.look_alike("VAE", how, found.pixels, whole.pixels, by=by)
    assert max(local.seen[1:]) == (16, 16)
    again = vae_encode_tiled(AUTOENCODER, whole, tile=128, overlap=32, pool=pool)
    expected = vae_encode(AUTOENCODER, whole, pool=pool)
    parity.agree(
        "VAE", "encode in such tiles", again.samples, expected.samples, what="latents", by=by
    )


def test_tiles_of_a_real_decoder_leave_no_seam() -> None:
    latents = Latents(small.noise(3, (1, 4, 24, 24)))
    found = vae_decode_tiled(AUTOENCODER, latents, tile=128, overlap=56, pool=SmallPool()).pixels
    whole = vae_decode(AUTOENCODER, latents, pool=SmallPool()).pixels

    ours, theirs = (each.diff(dim=-1).abs().mean(dim=(0, 1, 2)) for each in (found, whole))
    assert float((ours - theirs).abs().max()) < 0.5 * float(theirs.mean())
    assert relative_rms(found, whole) < 0.1


def test_tiles_that_would_be_all_overlap_are_an_error() -> None:
    with pytest.raises(InputError, match="tiles of 128 cannot overlap by 64: give an overlap below 64"):  # fmt: skip
        vae_decode_tiled(AUTOENCODER, Latents(torch.zeros(1, 4, 4, 4)), tile=128, overlap=64)


def test_what_is_no_number_is_named() -> None:
    bad = torch.zeros(1, 4, 4, 4)
    bad[0, 0, 0, 0] = float("nan")
    with pytest.raises(InputError, match="the latents hold values that are not numbers"):
        vae_decode(AUTOENCODER, Latents(bad), pool=SmallPool())


class Overflowing(torch.nn.Module):
    """Overflows in half precision, as SDXL's decoder does."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(1e3))
        self.config = Local().config
        self.calls: list[torch.dtype] = []

    @property
    def dtype(self) -> torch.dtype:
        return self.scale.dtype

    @property
    def device(self) -> torch.device:
        return self.scale.device

    def decode(self, x: torch.Tensor, return_dict: bool) -> tuple[torch.Tensor]:
        self.calls.append(x.dtype)
        large = (x[:, :3] * self.scale) * self.scale
        picture = large / self.scale / self.scale
        return (torch.nn.functional.interpolate(picture, scale_factor=8),)


def test_overflow_in_half_precision_goes_on_in_float32(caplog: pytest.LogCaptureFixture) -> None:
    module = Overflowing().half()
    latents = Latents(torch.full((2, 4, 4, 4), 0.1))

    pool = SmallPool(vae=module)

    found = vae_decode(AUTOENCODER, latents, pool=pool)

    expected = 0.1 / AUTOENCODER.scaling_factor / 2 + 0.5
    assert torch.allclose(found.pixels, torch.full_like(found.pixels, expected), atol=1e-3)
    assert module.calls == [torch.float16]
    assert module.dtype == torch.float16
    assert "the VAE overflows in torch.float16: it goes on in float32" in caplog.text
    assert pool.lent == ["vae", "vae"]

    assert torch.equal(vae_decode(AUTOENCODER, latents, pool=pool).pixels, found.pixels)
    assert module.calls == [torch.float16]  # it is known now
    assert pool.lent == ["vae", "vae", "vae"]


def test_too_little_memory_for_the_whole_means_tiles(caplog: pytest.LogCaptureFixture) -> None:
    class Small(Local):
        @override
        def decode(self, x: torch.Tensor, return_dict: bool) -> tuple[torch.Tensor]:
            if max(x.shape[-2:]) > 64:
                raise RuntimeError("CUDA out of memory. Tried to allocate")
            return super().decode(x, return_dict)

    latents = Latents(small.noise(3, (1, 4, 16, 96)) * 0.18215)
    found = vae_decode(AUTOENCODER, latents, pool=SmallPool(vae=Small()))

    whole = vae_decode(AUTOENCODER, latents, pool=SmallPool(vae=Local()))
    assert float((found.pixels - whole.pixels).abs().max()) < 1 / 255
    assert "the VAE works in tiles of 512" in caplog.text
