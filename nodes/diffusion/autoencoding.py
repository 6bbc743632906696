"""A VAE at work: one picture at a time, whole or in tiles, in a precision that suffices."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from engine.errors import InputError
from engine.notices import notice

from . import tiling
from .noise import NoiseStream
from .shortage import Remedy
from .tiny import TinyAutoencoder


class Autoencoder:
    """A borrowed VAE.

    SDXL's overflows in float16. What comes out not finite is computed again in float32, as is the rest.
    """

    def __init__(
        self,
        module: Any,
        scaling_factor: float,
        pixels_per_latent: int,
        *,
        widened: Callable[[], Any],
        remedies: Sequence[Remedy] = (),
    ) -> None:
        """Take a module on.

        Args:
            module: A diffusers AutoencoderKL, or a TAESD.
            scaling_factor: From what it makes to latents.
            pixels_per_latent: Along one side.
            widened: Gives the module in float32.
            remedies: What makes room in memory: the first before tiles are tried, others after.
        """
        self.module, self.factor = module, pixels_per_latent
        # A TAESD makes latents as they are.
        self.scale = 1.0 if isinstance(module, TinyAutoencoder) else scaling_factor
        self.widened, self.remedies = widened, remedies

    def decode(self, samples: Tensor, *, tile: int = 0, overlap: int = 0) -> Tensor:
        """Pictures in 0-1 on the CPU, float32.

        Args:
            samples: Latents (B, C, h, w).
            tile: The side of a tile in pixels; 0 for the whole picture at once.
            overlap: How far tiles overlap, in pixels.

        Raises:
            InputError: The latents hold what is no number, or the VAE makes such of them.
        """
        _check_finite(samples, "the latents", "latents")

        def whole(part: Tensor) -> Tensor:
            def work(module: Any) -> Tensor:
                given = (part / self.scale).to(module.device, module.dtype)
                picture: Tensor = module.decode(given, return_dict=False)[0]
                return picture.float()

            return self._finite(work, "the picture").cpu()

        picture = self._fitting(samples, whole, (tile, overlap), pixels=self.factor)
        return (picture / 2 + 0.5).clamp(0, 1)

    def encode(
        self, pixels: Tensor, stream: NoiseStream | None = None, *, tile: int = 0, overlap: int = 0
    ) -> Tensor:
        """Latents on the CPU, float32.

        Args:
            pixels: Pictures (B, 3, H, W) in 0-1, whose sides are multiples of what makes one latent.
            stream: Where a sample's noise is drawn from; without one the most likely value is taken.
            tile: The side of a tile in pixels; 0 for the whole picture at once.
            overlap: How far tiles overlap, in pixels.

        Raises:
            InputError: The pixels hold what is no number, or the VAE makes such of them.
        """
        _check_finite(pixels, "the picture", "image")

        def whole(part: Tensor) -> Tensor:
            def work(module: Any) -> Tensor:
                given = (part * 2 - 1).to(module.device, module.dtype)
                posterior = module.encode(given, return_dict=False)[0]
                return torch.cat([posterior.mode(), posterior.std], dim=1).float()

            return self._finite(work, "the latents").cpu()

        mean, spread = self._fitting(pixels, whole, (tile, overlap), unit=self.factor).chunk(
            2, dim=1
        )
        if stream is not None:
            mean = mean + spread * stream.draw(mean.shape)[0]
        return mean * self.scale

    def _fitting(
        self,
        given: Tensor,
        work: Callable[[Tensor], Tensor],
        tiles: tuple[int, int],
        *,
        pixels: int = 1,
        unit: int = 1,
    ) -> Tensor:
        """`work`, in tiles if they are asked for or if the whole is too much for the memory.

        Args:
            given: Latents or pictures.
            work: On a part of them.
            tiles: Their side and what they overlap, in pixels; a side of 0 for the whole.
            pixels: How many pixels one place of `given` is.
            unit: What tiles begin at multiples of.
        """
        tile, overlap = tiles
        return tiling.tiled_to_fit(
            given, work, tile=tile, overlap=overlap, pixels=pixels, unit=unit,
            worker="the VAE", remedies=self.remedies,
        )  # fmt: skip

    def _finite(self, work: Callable[[Any], Tensor], what: str) -> Tensor:
        result = work(self.module)
        if bool(torch.isfinite(result).all()):
            return result
        if self.module.dtype == torch.float32:
            raise InputError(
                f"the VAE makes {what} of values that are not numbers (NaN): its weights are damaged or"
                " of another kind; load another with LoadVAE",
                code="not_finite",
                input="vae",
            )
        notice(f"the VAE overflows in {self.module.dtype}: it goes on in float32")
        self.module = self.widened()
        return self._finite(work, what)


def _check_finite(tensor: Tensor, what: str, input: str) -> None:
    if not bool(torch.isfinite(tensor).all()):
        raise InputError(
            f"{what} hold values that are not numbers (NaN): the model before overflowed;"
            " run it in bfloat16 or float32, or lower the guidance",
            code="not_finite",
            input=input,
        )
