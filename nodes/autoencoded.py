"""What can be told of a VAE at work before it is loaded: what it gives, and why it could not."""

from typing import Any

from engine.node import UNKNOWN

from . import fitting, memory
from .diffusion import taesd
from .diffusion.parts import Part
from .diffusion.pool import Pool
from .facts import LatentFacts, PixelFacts, known
from .fitting import OddSize
from .foresight import Sizes, check_memory, of_part, space_of
from .memory import Need
from .values import VAE


@known
def encoded_in_tiles(vae: VAE, image: PixelFacts, odd_size: OddSize, pool: Pool) -> Any:
    """What is known of a picture that is encoded in tiles.

    Raises:
        InputError: Its sides are no multiples.
    """
    _, sizes = _opened(vae, "encoder", pool)
    if sizes is None:
        return UNKNOWN
    factor = pixels_per_latent(sizes)
    size = fitting.check_picture(image, factor, odd_size)
    height, width = size.height // factor, size.width // factor
    space = space_of(vae, pool)
    return LatentFacts(size.batch, sizes["latent_channels"], height, width, space=space)


@known
def decoded_in_tiles(vae: VAE, latents: LatentFacts, pool: Pool) -> Any:
    """What is known of a picture that is decoded in tiles.

    Raises:
        InputError: The VAE is of another family.
    """
    _, sizes = _opened(vae, "decoder", pool)
    if sizes is None:
        return UNKNOWN
    fitting.check_decoder(latents.channels, sizes["latent_channels"])
    fitting.check_space(latents.space, space_of(vae, pool), "the VAE", "vae")
    factor = pixels_per_latent(sizes)
    return PixelFacts(latents.batch, latents.height * factor, latents.width * factor)


@known
def encoded_picture(vae: VAE, image: PixelFacts, odd_size: OddSize, pool: Pool) -> Any:
    """What is known of an encoded picture.

    Raises:
        InputError: Its sides are no multiples, or there is too little memory.
    """
    part, sizes = _opened(vae, "encoder", pool)
    if sizes is None:
        return UNKNOWN
    factor = pixels_per_latent(sizes)
    image = fitting.check_picture(image, factor, odd_size)
    check_memory(
        pool,
        (part,),
        lambda *shape: memory.encoding(sizes, PixelFacts(*shape), pool.dtype_name),
        image,
        unit=1,
        inputs=("vae", "image"),
        divided=memory.encoding(sizes, _tile(image), pool.dtype_name),
    )
    height, width = image.height // factor, image.width // factor
    space = space_of(vae, pool)
    return LatentFacts(image.batch, sizes["latent_channels"], height, width, space=space)


@known
def decoded(vae: VAE, latents: LatentFacts, pool: Pool) -> Any:
    """What is known of a decoded picture.

    Raises:
        InputError: The VAE is of another family, or there is too little memory.
    """
    part, sizes = _opened(vae, "decoder", pool)
    if sizes is None:
        return UNKNOWN
    fitting.check_decoder(latents.channels, sizes["latent_channels"])
    fitting.check_space(latents.space, space_of(vae, pool), "the VAE", "vae")
    factor = pixels_per_latent(sizes)

    def need(batch: int, height: int, width: int) -> Need:
        picture = PixelFacts(batch, height * factor, width * factor)
        return memory.decoding(sizes, picture, pool.dtype_name)

    picture = PixelFacts(latents.batch, latents.height * factor, latents.width * factor)
    tile = memory.decoding(sizes, _tile(picture), pool.dtype_name)
    check_memory(pool, (part,), need, latents, unit=factor, inputs=("vae", "latents"), divided=tile)
    return picture


def _opened(vae: VAE, half: taesd.Half, pool: Pool) -> tuple[Part, Sizes | None]:
    """The VAE's part and its sizes, if they are known.

    Raises:
        InputError: It is a TAESD without the half that is wanted.
    """
    part = of_part(vae, "vae", pool)
    if part.sizes is not None:
        taesd.check_half(part.sizes.get("halves"), half, vae.weights.name)
    return part, part.sizes


def _tile(picture: PixelFacts) -> PixelFacts:
    """The part of a picture that a VAE comes down to when memory is short."""
    return picture.sized(
        min(picture.width, memory.SMALLEST_TILE), min(picture.height, memory.SMALLEST_TILE)
    )


def pixels_per_latent(sizes: Sizes) -> int:
    """Pixels to one latent: the encoder halves once for every level but one."""
    return int(2 ** (len(sizes["block_out_channels"]) - 1))
