"""Nodes between pictures and latents."""

from typing import TYPE_CHECKING, Any

from engine.node import Progress, node, silent

from . import facts, fitting, foresight
from .diffusion.pool import Pool, in_process
from .values import VAE, Image, Latents, Seed

if TYPE_CHECKING:
    from torch import Tensor

    from .diffusion.noise import NoiseStream


@node("VAEEncode", category="latent", lane="device", infer=foresight.encoded_picture)
def vae_encode(
    vae: VAE,
    image: Image,
    *,
    sample: bool = False,
    seed: Seed = 0,
    pool: Pool = in_process,
    progress: Progress = silent,
) -> Latents:
    """Encode a picture into latents.

    Args:
        image: Width and height must be multiples of 8.
        sample: Draw from the encoder's distribution, as diffusers does, instead of taking its
            most likely value.
        seed: Where a sample's noise comes from; image k of a batch takes seed + k.
    """
    import torch

    from .diffusion.noise import NoiseStream

    pixels = image.pixels
    encoded = []
    autoencoder: Any
    with torch.inference_mode(), pool.borrow(vae) as autoencoder:
        fitting.check_picture(facts.of(image), foresight.pixels_per_latent(autoencoder.config))
        for index in range(len(pixels)):
            given = (pixels[index : index + 1] * 2 - 1).to(autoencoder.device, autoencoder.dtype)
            posterior = autoencoder.encode(given, return_dict=False)[0]
            stream = NoiseStream.seeded(seed + index) if sample else None
            encoded.append((_drawn(posterior, stream) * vae.scaling_factor).float().cpu())
            progress(index + 1, len(pixels))
        samples = torch.cat(encoded)
    # An inference tensor could not be trained on.
    return Latents(samples.clone())


@node("VAEDecode", category="latent", lane="device", infer=foresight.decoded)
def vae_decode(
    vae: VAE, latents: Latents, *, pool: Pool = in_process, progress: Progress = silent
) -> Image:
    """Decode latents into a picture."""
    import torch

    samples = latents.samples
    decoded = []
    autoencoder: Any
    with torch.inference_mode(), pool.borrow(vae) as autoencoder:
        fitting.check_decoder(samples.shape[1], autoencoder.config.latent_channels)
        # One at a time: what the decoder holds on the way is many times the picture.
        for index in range(len(samples)):
            given = (samples[index : index + 1] / vae.scaling_factor).to(
                autoencoder.device, autoencoder.dtype
            )
            picture = autoencoder.decode(given, return_dict=False)[0]
            decoded.append((picture.float() / 2 + 0.5).clamp(0, 1).cpu())
            progress(index + 1, len(samples))
        pixels = torch.cat(decoded)
    return Image(pixels.clone())


def _drawn(posterior: Any, stream: "NoiseStream | None") -> "Tensor":
    mean: Tensor = posterior.mode()
    if stream is None:
        return mean
    noise, _ = stream.draw(mean.shape)
    sampled: Tensor = mean + posterior.std * noise.to(mean.device, mean.dtype)
    return sampled
