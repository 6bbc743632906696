"""Runs on a device that is short of memory, which the models here say whenever they are asked for too much."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from typing_extensions import override

from nodes.control import control_net_apply
from nodes.diffusion.shortage import relieved
from nodes.sampling import ksampler
from nodes.vae import vae_decode
from nodes.values import Image, Latents
from tests.nodes import small
from tests.nodes.small import AUTOENCODER, CONTROLNETS, MODEL, SmallPool

FULL = "CUDA out of memory. Tried to allocate 2.00 GiB"


class Short(nn.Module):
    """A UNet that has room for some latents at once."""

    def __init__(self, room: Callable[[int], bool]) -> None:
        super().__init__()
        self.inner, self.room = small.unet(), room
        self.config, self.dtype, self.device = (
            self.inner.config,
            self.inner.dtype,
            self.inner.device,
        )
        self.rows: list[int] = []

    @override
    def forward(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        self.rows.append(len(x))
        if not self.room(len(x)):
            raise torch.OutOfMemoryError(FULL)
        return self.inner(x, *args, **kwargs)


class Sending(SmallPool):
    """Can send its model away."""

    sent = False

    @override
    def send_away(self, module: Any) -> bool:
        was, self.sent = self.sent, True
        return not was


def sampled(pool: SmallPool, batch: int = 2) -> torch.Tensor:
    start = Latents(torch.zeros(batch, 4, 8, 8))
    return ksampler(
        MODEL, small.prompt(1), small.prompt(2), start, steps=2, seed=3, pool=pool
    ).samples


def test_call_that_is_too_much_is_halved_and_stays_so(caplog: pytest.LogCaptureFixture) -> None:
    unet = Short(lambda rows: rows <= 1)

    found = sampled(SmallPool(unet=unet))

    assert small.relative_rms(found, sampled(SmallPool())) < 1e-5
    assert unet.rows == [4, 2, 1, 1, 1, 1, 1, 1, 1, 1]
    assert "too much for the memory: it takes 1 latents" in caplog.text


def test_controls_are_divided_with_the_call() -> None:
    hint = Image(small.noise(4, (2, 3, 64, 64)).clamp(0, 1))
    prompts = control_net_apply(small.prompt(1), small.prompt(2), CONTROLNETS[0], hint)

    def made(pool: SmallPool) -> torch.Tensor:
        start = Latents(torch.zeros(2, 4, 8, 8))
        return ksampler(MODEL, *prompts, start, steps=2, pool=pool).samples

    divided = made(SmallPool(unet=Short(lambda rows: rows <= 1)))
    assert small.relative_rms(divided, made(SmallPool())) < 1e-5


def test_model_is_sent_away_when_dividing_does_not_help() -> None:
    pool = Sending()
    pool.modules["unet"] = Short(lambda rows: pool.sent)

    assert small.relative_rms(sampled(pool), sampled(SmallPool())) < 1e-5


def test_idle_models_are_let_go_first() -> None:
    class Freeing(SmallPool):
        freed = False

        @override
        def release(self) -> int:
            was, self.freed = self.freed, True
            return 0 if was else 2**20

    pool = Freeing()
    unet = pool.modules["unet"] = Short(lambda rows: pool.freed)

    sampled(pool)

    assert set(unet.rows) == {4}


def test_what_nothing_helps_against_is_told_cleanly() -> None:
    unet = Short(lambda rows: False)

    with pytest.raises(
        MemoryError, match=r"out of memory on cpu at latents of 8x8, .* one at a time \(CUDA out of"
    ):
        sampled(SmallPool(unet=unet))
    assert unet.rows == [4, 2, 1]


def test_vae_takes_smaller_tiles_until_it_fits(caplog: pytest.LogCaptureFixture) -> None:
    class Vae(nn.Module):
        def __init__(self, most: int) -> None:
            super().__init__()
            self.inner, self.most = small.autoencoder(), most
            self.config, self.dtype, self.device = (
                self.inner.config,
                self.inner.dtype,
                self.inner.device,
            )

        def decode(self, x: torch.Tensor, return_dict: bool) -> Any:
            if max(x.shape[-2:]) > self.most:
                raise torch.OutOfMemoryError(FULL)
            return self.inner.decode(x, return_dict=return_dict)

    below = Latents(small.noise(3, (1, 4, 16, 40)) * 0.18215)
    assert vae_decode(AUTOENCODER, below, pool=SmallPool(vae=Vae(32))).pixels.shape[-1] == 320
    assert (
        "the whole picture does not fit into memory: the VAE works in tiles of 256" in caplog.text
    )

    latents = Latents(small.noise(3, (1, 4, 16, 72)) * 0.18215)
    found = vae_decode(AUTOENCODER, latents, pool=SmallPool(vae=Vae(40)))
    assert found.pixels.shape == (1, 3, 128, 576)
    assert "the tile of 512 does not fit into memory: the VAE works in tiles of 256" in caplog.text

    with pytest.raises(MemoryError, match="out of memory in the VAE, even in tiles"):
        vae_decode(AUTOENCODER, latents, pool=SmallPool(vae=Vae(8)))


def test_other_errors_are_not_taken_for_it() -> None:
    asked: list[str] = []

    def work() -> None:
        raise RuntimeError("sizes do not match")

    def smaller() -> bool:
        asked.append("smaller")
        return True

    with pytest.raises(RuntimeError, match="sizes"):
        relieved(work, (smaller,), "")
    assert not asked
