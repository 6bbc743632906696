"""Nodes that let pictures be part of what a model is to show: unCLIP and image variations."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import Field

from engine.errors import InputError
from engine.node import UNKNOWN, node

from . import foresight
from .diffusion.pool import Pool, in_process
from .facts import ConditioningFacts, EmbeddingFacts, PixelFacts, known, of
from .folders import Folders, standard
from .loaders import PredictionChoice, load_checkpoint
from .values import (
    VAE,
    Conditioning,
    Image,
    ImageEmbedding,
    ImageEncoder,
    ImagePrompt,
    Model,
    TextEncoder,
    Weights,
)
from .widgets import CheckpointName, Fraction, ImageEncoderName, Seed, WeightsKind

if TYPE_CHECKING:
    from torch import Tensor

Share = Annotated[float, Field(ge=-10, le=10, json_schema_extra={"step": 0.05})]
BlurLevel = Annotated[int, Field(ge=0, le=999)]


def image_encoder_digest(image_encoder: str, folders: Folders) -> str:
    """What the image encoder's bytes are, after a look at whether it can be used."""
    return _encoder("clip_vision", image_encoder, folders).weights.digest


def checkpoint_encoder_digest(checkpoint: str, folders: Folders) -> str:
    """What the checkpoint's bytes are, after a look at whether it has an image encoder."""
    return _encoder("checkpoints", checkpoint, folders).weights.digest


@node("LoadImageEncoder", category="loaders", fingerprint=image_encoder_digest, early=True)
def load_image_encoder(
    *, image_encoder: ImageEncoderName, folders: Folders = standard
) -> ImageEncoder:
    """Choose an encoder of pictures of its own.

    Args:
        image_encoder: A file with a CLIP image encoder.
    """
    return _encoder("clip_vision", image_encoder, folders)


class SeeingCheckpoint(NamedTuple):
    """The four models of a checkpoint that reads pictures too."""

    model: Model
    text_encoder: TextEncoder
    vae: VAE
    image_encoder: ImageEncoder


@node("LoadUnCLIPCheckpoint", category="loaders", fingerprint=checkpoint_encoder_digest, early=True)
def load_unclip_checkpoint(
    *,
    checkpoint: CheckpointName,
    prediction_type: PredictionChoice = "auto",
    folders: Folders = standard,
) -> SeeingCheckpoint:
    """Choose a checkpoint that has an encoder of pictures: of unCLIP, or of SD image variations.

    Args:
        checkpoint: A file of SD 2.1 unCLIP, or the diffusers folder of either. Image variations have
            no text encoder.
        prediction_type: As for LoadCheckpoint.
    """
    loaded = load_checkpoint(
        checkpoint=checkpoint, prediction_type=prediction_type, folders=folders
    )
    return SeeingCheckpoint(*loaded, _encoder("checkpoints", checkpoint, folders))


def _encoder(kind: WeightsKind, name: str, folders: Folders) -> ImageEncoder:
    folders.open(kind, name).part("image_encoder")
    return ImageEncoder(Weights(kind, name, folders.digest(kind, name)))


@known
def _seen(image_encoder: ImageEncoder, image: PixelFacts, pool: Pool) -> Any:
    sizes = foresight.of_part(image_encoder, "image_encoder", pool).sizes
    return UNKNOWN if sizes is None else EmbeddingFacts(image.batch, sizes["projection_dim"])


@node("CLIPVisionEncode", category="conditioning", lane="device", infer=_seen)
def clip_vision_encode(
    image_encoder: ImageEncoder,
    image: Image,
    *,
    crop: Literal["center", "none"] = "center",
    pool: Pool = in_process,
) -> ImageEmbedding:
    """Encode what pictures show, as CLIP sees it.

    Args:
        image: Of any size; several are encoded each on its own.
        crop: Whether the encoder's square is cut out of the middle, or all of the picture squeezed
            into it.
    """
    import torch

    from .diffusion import vision

    encoder: Any
    with torch.inference_mode(), pool.borrow(image_encoder) as encoder:
        pixels = vision.prepared(image.pixels, encoder.config.image_size, crop)
        found = encoder(pixels.to(encoder.device, encoder.dtype)).image_embeds
        embedding = found.float().cpu().clone()
    path = pool.folders.find(image_encoder.weights.kind, image_encoder.weights.name)
    return ImageEmbedding(embedding, vision.spread(path))


@known
def _mixed(first: EmbeddingFacts, second: EmbeddingFacts) -> EmbeddingFacts:
    _check_mixed(first, second)
    return replace(first, batch=max(first.batch, second.batch))


def _check_mixed(first: EmbeddingFacts, second: EmbeddingFacts) -> None:
    if first.width != second.width:
        raise InputError(
            f"the pictures' embeddings are {first.width} and {second.width} wide: encode both"
            " with the same image encoder",
            code="width_mismatch",
            input="second",
        )
    if first.batch != second.batch and 1 not in {first.batch, second.batch}:
        raise InputError(
            f"the first embedding is of {first.batch} pictures, the second of {second.batch}:"
            " give as many of both, or a single one",
            code="batch_mismatch",
            input="second",
        )


@node("MixImageEmbeddings", category="conditioning", infer=_mixed)
def mix_image_embeddings(
    first: ImageEmbedding, second: ImageEmbedding, *, amount: Fraction = 0.5
) -> ImageEmbedding:
    """Find what lies between two pictures, for an unCLIP model to show.

    Args:
        amount: 0 is the first, 1 the second.
    """
    from .diffusion import vision

    _check_mixed(of(first), of(second))
    return replace(first, embedding=vision.between(first.embedding, second.embedding, amount))


def _shown(*, conditioning: Any, embedding: Any) -> Any:
    if conditioning is UNKNOWN:
        return UNKNOWN
    return conditioning.each(lambda part: replace(part, images=(*part.images, embedding)))


@node("UnCLIPConditioning", category="conditioning", infer=_shown)
def unclip_conditioning(
    conditioning: Conditioning,
    embedding: ImageEmbedding,
    *,
    strength: Share = 1.0,
    noise_level: BlurLevel = 0,
    seed: Seed = 0,
) -> Conditioning:
    """Have an unCLIP model show a picture anew. Several in a row count together, by their strengths.

    Args:
        conditioning: The prompt, which may be empty.
        strength: How much the picture counts.
        noise_level: How much of the picture is blurred: 0 stays close to it, 999 leaves nothing.
        seed: Where the noise that blurs it comes from.
    """
    prompt = ImagePrompt(embedding.embedding, strength, noise_level, seed, embedding.spread)
    return conditioning.each(lambda part: replace(part, images=(*part.images, prompt)))


class Varied(NamedTuple):
    """A picture in place of a prompt, and nothing in place of a negative one."""

    positive: Conditioning
    negative: Conditioning


@known
def _varied(embedding: EmbeddingFacts) -> tuple[ConditioningFacts, ConditioningFacts]:
    token = ConditioningFacts(embedding.batch, embedding.width, pieces=1, pooled=None, beside=None)
    return token, token


@node("VariationConditioning", category="conditioning", infer=_varied)
def variation_conditioning(embedding: ImageEmbedding) -> Varied:
    """Give a picture to a model that reads one in place of a prompt: SD image variations.

    Args:
        embedding: By the image encoder of the model's own checkpoint.
    """
    token: Tensor = embedding.embedding[:, None]
    return Varied(Conditioning(token), Conditioning(token * 0))
