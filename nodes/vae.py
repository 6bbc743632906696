"""Nodes between pictures and latents."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from engine.errors import InputError
from engine.node import Progress, node, silent

from . import autoencoded, facts, fitting, workload
from .diffusion import taesd
from .diffusion.pool import Pool, in_process
from .fitting import OddSize
from .values import VAE, Image, Latents
from .widgets import Seed

if TYPE_CHECKING:
    from torch import Tensor

    from .diffusion.autoencoding import Autoencoder

Tile = Annotated[int, Field(ge=64, le=4096, multiple_of=32, description="Pixels a side")]
Overlap = Annotated[int, Field(ge=0, le=2048, multiple_of=8, description="Pixels")]


@node(
    "VAEEncode",
    category="latent",
    lane="device",
    infer=autoencoded.encoded_picture,
    work=workload.of_pixels,
)
def vae_encode(
    vae: VAE,
    image: Image,
    *,
    sample: bool = False,
    seed: Seed = 0,
    odd_size: OddSize = "refuse",
    pool: Pool = in_process,
    progress: Progress = silent,
) -> Latents:
    """Encode a picture into latents.

    Args:
        image: Width and height should be multiples of 8; see `odd_size`.
        sample: Draw from the encoder's distribution, as diffusers does, instead of taking its
            most likely value.
        seed: Where a sample's noise comes from; image k of a batch takes seed + k.
        odd_size: What becomes of a picture whose sides are no multiples of 8: refuse is an error,
            crop cuts it evenly at both sides, pad repeats its right and lower border, which CropImage
            takes off again after decoding.
    """
    return _encode(
        vae, image, odd_size=odd_size, sample=sample, seed=seed, pool=pool, progress=progress
    )


def check_tiles(tile: int, overlap: int) -> None:
    """Raise `InputError` unless tiles are larger than twice what they overlap."""
    if overlap * 2 >= tile:
        raise InputError(
            f"tiles of {tile} cannot overlap by {overlap}: give an overlap below {tile // 2}",
            input="overlap",
            hint=str(tile // 8),
        )


@node(
    "VAEEncodeTiled",
    category="latent",
    lane="device",
    check=check_tiles,
    infer=autoencoded.encoded_in_tiles,
    work=workload.of_pixels,
)
def vae_encode_tiled(
    vae: VAE,
    image: Image,
    *,
    tile: Tile = 512,
    overlap: Overlap = 64,
    odd_size: OddSize = "refuse",
    pool: Pool = in_process,
    progress: Progress = silent,
) -> Latents:
    """Encode a picture in tiles, for pictures that are too large for the memory as a whole.

    Args:
        image: Width and height should be multiples of 8; see `odd_size`.
        tile: The larger, the less the result differs from VAEEncode's.
        overlap: How far tiles fade into each other.
        odd_size: As for VAEEncode.
    """
    check_tiles(tile, overlap)
    return _encode(
        vae,
        image,
        odd_size=odd_size,
        tile=tile,
        overlap=overlap,
        pool=pool,
        progress=progress,
    )


@node(
    "VAEDecode",
    category="latent",
    lane="device",
    infer=autoencoded.decoded,
    work=workload.of_places,
)
def vae_decode(
    vae: VAE, latents: Latents, *, pool: Pool = in_process, progress: Progress = silent
) -> Image:
    """Decode latents into a picture; in tiles if the memory is too small for the whole."""
    return _decode(vae, latents, 0, 0, pool=pool, progress=progress)


@node(
    "VAEDecodeTiled",
    category="latent",
    lane="device",
    check=check_tiles,
    infer=autoencoded.decoded_in_tiles,
    work=workload.of_places,
)
def vae_decode_tiled(
    vae: VAE,
    latents: Latents,
    *,
    tile: Tile = 512,
    overlap: Overlap = 64,
    pool: Pool = in_process,
    progress: Progress = silent,
) -> Image:
    """Decode latents in tiles, for pictures that are too large for the memory as a whole.

    Args:
        tile: The larger, the less the result differs from VAEDecode's.
        overlap: How far tiles fade into each other.
    """
    check_tiles(tile, overlap)
    return _decode(vae, latents, tile, overlap, pool=pool, progress=progress)


def _encode(
    vae: VAE,
    image: Image,
    *,
    odd_size: OddSize,
    sample: bool = False,
    seed: int = 0,
    tile: int = 0,
    overlap: int = 0,
    pool: Pool,
    progress: Progress,
) -> Latents:
    import torch

    from .diffusion.noise import NoiseStream

    encoded = []
    with _borrowed(vae, pool) as autoencoder:
        taesd.check_half(autoencoder.module.config.get("halves"), "encoder", vae.weights.name)
        size = fitting.check_picture(facts.of(image), autoencoder.factor, odd_size)
        pixels = _evened(image.pixels, size.width, size.height, odd_size)
        for index in range(len(pixels)):
            stream = NoiseStream.seeded(seed + index) if sample else None
            one = pixels[index : index + 1]
            encoded.append(autoencoder.encode(one, stream, tile=tile, overlap=overlap))
            progress(index + 1, len(pixels))
        samples = torch.cat(encoded)
    # An inference tensor could not be trained on.
    return Latents(samples.clone())


def _decode(
    vae: VAE, latents: Latents, tile: int, overlap: int, *, pool: Pool, progress: Progress
) -> Image:
    import torch

    samples = latents.samples
    decoded = []
    with _borrowed(vae, pool) as autoencoder:
        config = autoencoder.module.config
        taesd.check_half(config.get("halves"), "decoder", vae.weights.name)
        fitting.check_decoder(samples.shape[1], config.latent_channels)
        # One at a time: what the decoder holds on the way is many times the picture.
        for index in range(len(samples)):
            one = samples[index : index + 1]
            decoded.append(autoencoder.decode(one, tile=tile, overlap=overlap))
            progress(index + 1, len(samples))
        pixels = torch.cat(decoded)
    return Image(pixels.clone())


@contextmanager
def _borrowed(vae: VAE, pool: Pool) -> "Iterator[Autoencoder]":
    import torch

    from .diffusion.autoencoding import Autoencoder

    with torch.inference_mode(), ExitStack() as borrowed:
        module: Any = borrowed.enter_context(pool.borrow(vae))

        def widened() -> Any:
            pool.widen(vae)
            return borrowed.enter_context(pool.borrow(vae))

        autoencoder = Autoencoder(
            module, vae.scaling_factor, autoencoded.pixels_per_latent(module.config),
            widened=widened, remedies=(pool.let_go, lambda: pool.send_away(autoencoder.module)),
        )  # fmt: skip
        yield autoencoder


def _evened(pixels: "Tensor", width: int, height: int, odd_size: OddSize) -> "Tensor":
    """The picture in a size that the VAE takes."""
    from torch.nn import functional

    across, down = pixels.shape[-1], pixels.shape[-2]
    if odd_size == "pad":
        return functional.pad(pixels, (0, width - across, 0, height - down), mode="replicate")
    left, top = (across - width) // 2, (down - height) // 2
    return pixels[..., top : top + height, left : left + width]
