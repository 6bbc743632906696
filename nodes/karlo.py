"""Nodes of Karlo: from a prompt to what CLIP would see in its picture, and from that to the picture."""

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from engine.errors import InputError
from engine.node import Progress, node, silent

from . import facts, foresight
from .diffusion.pool import Pool, in_process
from .facts import EmbeddingFacts, PixelFacts, known
from .folders import Folders, standard
from .text import check_text
from .values import Image, ImageEmbedding, Karlo, Weights
from .widgets import GuidanceScale, KarloName, KarloPart, Prompt, Seed, Steps

if TYPE_CHECKING:
    from torch import Tensor

    from .diffusion.karlo import Text


Spacing = Literal["linspace", "leading"]
_LEARNED = "learned_classifier_free_guidance_embeddings"


def karlo_digest(karlo: str, folders: Folders) -> str:
    """What the bytes of Karlo's networks are, after a look at whether there is a prior."""
    return _karlo(karlo, folders).weights.digest


@node("LoadKarlo", category="loaders", fingerprint=karlo_digest, early=True)
def load_karlo(*, karlo: KarloName, folders: Folders = standard) -> Karlo:
    """Choose Karlo: a prior, which unCLIP models of SD 2.1 can use too, and its own decoder.

    Args:
        karlo: A diffusers folder with prior and text_encoder, and for KarloDecode and KarloEnlarge
            with text_proj, decoder, super_res_first and super_res_last.
    """
    return _karlo(karlo, folders)


def _karlo(name: str, folders: Folders) -> Karlo:
    parts = folders.open("karlo", name)
    parts.part("prior")
    parts.part("text_encoder_2")
    return Karlo(Weights("karlo", name, folders.digest("karlo", name)))


@known
def _imagined(karlo: Karlo, pool: Pool) -> EmbeddingFacts:
    config = foresight.of_part(karlo, "prior", pool).config
    return EmbeddingFacts(1, config["embedding_dim"])


@node("KarloPrior", category="conditioning", lane="device", check=check_text, infer=_imagined)
def karlo_prior(
    karlo: Karlo,
    *,
    text: Prompt = "",
    seed: Seed = 0,
    steps: Steps = 25,
    guidance_scale: GuidanceScale = 4.0,
    spacing: Spacing = "linspace",
    pool: Pool = in_process,
    progress: Progress = silent,
) -> ImageEmbedding:
    """Imagine what CLIP would see in the picture of a prompt, for UnCLIPConditioning or KarloDecode.

    Args:
        text: What the picture shows, in at most 75 tokens.
        seed: Where the noise comes from.
        spacing: Which steps to take: linspace from the noisiest of all to none, as Karlo's own pipeline
            does; leading begins a step later, as diffusers does before an unCLIP model of SD 2.1.
    """
    import torch

    from .diffusion import karlo as networks
    from .diffusion.noise import NoiseStream
    from .diffusion.places import anchor

    prompts = _read(karlo, text, pool)
    prior: Any
    with torch.inference_mode(), _borrowed(karlo, "prior", pool) as prior:
        width, place = prior.config.embedding_dim, anchor(prior)
        noise, stream = NoiseStream.seeded(seed).draw((1, width))

        def denoise(x: "Tensor", t: int) -> "Tensor":
            found: Tensor = prior(
                torch.cat([x, x]).to(place.dtype),
                timestep=t,
                proj_embedding=prompts.pooled,
                encoder_hidden_states=prompts.states,
                attention_mask=prompts.mask,
            ).predicted_image_embedding
            return networks.guided(found.float(), guidance_scale, width)

        settings = networks.Steps(
            steps, networks.PRIOR_LIMIT, predicts_picture=True, spacing=spacing
        )
        x = networks.sampled(denoise, noise.to(prior.device), stream, settings, progress)
        embedding = prior.post_process_latents(x).float().cpu().clone()
    return ImageEmbedding(embedding)


@known
def _decoded(karlo: Karlo, embedding: EmbeddingFacts, pool: Pool) -> PixelFacts:
    project = foresight.of_part(karlo, "text_proj", pool).tensors[_LEARNED]
    _check_embedding(embedding, project.shape[-1])
    side = foresight.of_part(karlo, "decoder", pool).config["sample_size"]
    return PixelFacts(1, side, side)


def _check_embedding(embedding: EmbeddingFacts, width: int) -> None:
    if embedding.width != width:
        raise InputError(
            f"the picture's embedding is {embedding.width} wide, Karlo reads {width}:"
            " take one of KarloPrior, or of CLIP ViT-L/14",
            code="width_mismatch",
            input="embedding",
        )
    if embedding.batch > 1:
        raise InputError(
            f"there are {embedding.batch} embeddings, Karlo paints one at a time: encode one picture",
            code="batch_mismatch",
            input="embedding",
        )


@node("KarloDecode", category="image", lane="device", check=check_text, infer=_decoded)
def karlo_decode(
    karlo: Karlo,
    embedding: ImageEmbedding,
    *,
    text: Prompt = "",
    seed: Seed = 0,
    steps: Steps = 25,
    guidance_scale: GuidanceScale = 8.0,
    pool: Pool = in_process,
    progress: Progress = silent,
) -> Image:
    """Paint the picture, a small one, that shows what CLIP would see; KarloEnlarge makes it large.

    Args:
        embedding: Of KarloPrior, or of a picture by the image encoder of OpenAI's CLIP ViT-L/14.
        text: The same prompt, or none.
        seed: Where the noise comes from.
    """
    import torch

    from .diffusion import karlo as networks
    from .diffusion.noise import NoiseStream
    from .diffusion.places import anchor

    prompts = _read(karlo, text, pool)
    project: Any
    decoder: Any
    with torch.inference_mode(), _borrowed(karlo, "text_proj", pool) as project:
        weight = getattr(project, _LEARNED)
        given = embedding.embedding
        _check_embedding(facts.of(embedding), weight.shape[-1])
        words, clock, mask = project(given.to(weight.device, weight.dtype), prompts)
    with torch.inference_mode(), _borrowed(karlo, "decoder", pool) as decoder:
        channels, side = decoder.config.in_channels, decoder.config.sample_size
        place = anchor(decoder)
        noise, stream = NoiseStream.seeded(seed).draw((1, channels, side, side))

        def denoise(x: "Tensor", t: int) -> "Tensor":
            found: Tensor = decoder(
                torch.cat([x, x]).to(place.dtype),
                t,
                encoder_hidden_states=words,
                class_labels=clock,
                attention_mask=mask,
            ).sample
            return networks.guided(found.float(), guidance_scale, channels)

        settings = networks.Steps(steps, networks.PIXEL_LIMIT)
        x = networks.sampled(denoise, noise.to(decoder.device), stream, settings, progress)
        pixels = (x.clamp(-1, 1) / 2 + 0.5).float().cpu().clone()
    return Image(pixels)


@known
def _enlarged(karlo: Karlo, image: PixelFacts, pool: Pool) -> PixelFacts:
    side = foresight.of_part(karlo, "super_res_first", pool).config["sample_size"]
    return image.sized(side, side)


@node("KarloEnlarge", category="image", lane="device", infer=_enlarged)
def karlo_enlarge(
    karlo: Karlo,
    image: Image,
    *,
    seed: Seed = 0,
    steps: Steps = 7,
    pool: Pool = in_process,
    progress: Progress = silent,
) -> Image:
    """Enlarge pictures of KarloDecode to their full size; the last step is another network's.

    Args:
        image: Small ones.
        seed: Where the noise comes from.
        steps: 7 is what the networks were trained for.
    """
    import torch
    from torch.nn import functional

    from .diffusion import karlo as networks
    from .diffusion.noise import NoiseStream
    from .diffusion.places import anchor

    first: Any
    last: Any
    with (
        torch.inference_mode(),
        _borrowed(karlo, "super_res_first", pool) as first,
        _borrowed(karlo, "super_res_last", pool) as last,
    ):
        channels, side = first.config.in_channels // 2, first.config.sample_size
        place = anchor(first)
        pixels = (image.pixels * 2 - 1).to(place.device)
        large = functional.interpolate(
            pixels, size=(side, side), mode="bicubic", align_corners=False, antialias=True
        )
        noise, stream = NoiseStream.seeded(seed).draw((len(pixels), channels, side, side))
        final = networks.timesteps(steps)[-1]

        def denoise(x: "Tensor", t: int) -> "Tensor":
            network = last if t == final else first
            found: Tensor = network(torch.cat([x, large], dim=1).to(place.dtype), t).sample
            return found.float()

        settings = networks.Steps(steps, networks.PIXEL_LIMIT)
        x = networks.sampled(denoise, noise.to(place.device), stream, settings, progress)
        found = (x / 2 + 0.5).clamp(0, 1).float().cpu().clone()
    return Image(found)


def _read(karlo: Karlo, text: str, pool: Pool) -> "Text":
    """An empty prompt and the given one."""
    import torch

    from .diffusion import karlo as networks

    with torch.inference_mode(), _borrowed(karlo, "text_encoder_2", pool) as encoder:
        return networks.both(networks.read(encoder, ""), networks.read(encoder, text))


def _borrowed(karlo: Karlo, part: KarloPart, pool: Pool) -> AbstractContextManager[Any]:
    return pool.borrow(replace(karlo, part=part))
