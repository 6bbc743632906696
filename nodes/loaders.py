"""Nodes that name the weights to use. They read headers; the model pool loads the weights when needed."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from engine.errors import InputError
from engine.node import node

from .diffusion.families import SD1, SDXL, UPSCALER, Family
from .diffusion.layout import PartName
from .diffusion.parts import Parts
from .folders import Folders, standard
from .values import VAE, ControlNet, Model, TextEncoder, Weights
from .widgets import CheckpointName, ControlNetName, PredictionType, VAEName, WeightsKind

PredictionChoice = Literal["auto", "epsilon", "v_prediction"]
SpaceChoice = Literal["auto", "sd", "sdxl", "upscaler"]
_SPACES: Mapping[SpaceChoice, Family] = {"sd": SD1, "sdxl": SDXL, "upscaler": UPSCALER}


class Checkpoint(NamedTuple):
    """The three models of a checkpoint."""

    model: Model
    text_encoder: TextEncoder
    vae: VAE


def checkpoint_digest(checkpoint: str, folders: Folders) -> str:
    """What the checkpoint's bytes are, after a look at whether it can be used."""
    return _weights("checkpoints", checkpoint, "unet", folders)[0].digest


def vae_digest(vae: str, folders: Folders) -> str:
    """What the VAE's bytes are, after a look at whether it can be used."""
    return _weights("vae", vae, "vae", folders)[0].digest


def controlnet_digest(controlnet: str, folders: Folders) -> str:
    """What the ControlNet's bytes are, after a look at whether it can be used."""
    return _weights("controlnet", controlnet, "controlnet", folders)[0].digest


@node("LoadCheckpoint", category="loaders", fingerprint=checkpoint_digest, early=True)
def load_checkpoint(
    *,
    checkpoint: CheckpointName = "starter.safetensors",
    prediction_type: PredictionChoice = "auto",
    folders: Folders = standard,
) -> Checkpoint:
    """Choose a checkpoint: the model, its text encoder and its VAE.

    Args:
        checkpoint: A .safetensors or .ckpt file, or a diffusers folder, of SD 1.x, SD 2.x or SDXL.
        prediction_type: What the model was trained to predict. auto goes by what the file says,
            and by what is usual in its family if it says nothing. That its noise ends in noise
            alone (zero terminal SNR) is always as the file says; ModelSampling says otherwise.
    """
    weights, parts = _weights("checkpoints", checkpoint, "unet", folders)
    family = parts.family.name
    return Checkpoint(
        model=Model(weights, family, _prediction(parts, prediction_type), zero_snr=parts.zero_snr),
        text_encoder=_text_encoder(weights, parts),
        vae=VAE(weights, parts.scaling_factor),
    )


@node("LoadVAE", category="loaders", fingerprint=vae_digest, early=True)
def load_vae(*, vae: VAEName, space: SpaceChoice = "auto", folders: Folders = standard) -> VAE:
    """Choose a VAE of its own, in place of a checkpoint's.

    Args:
        vae: A file with a VAE, or a TAESD: a tiny one, quick and a little coarse. Of a TAESD in two
            files, name either; the other is taken from beside it.
        space: Whose latents it works in: sd is SD 1.x and 2.x. The files of both look alike, so auto
            goes by what the file says, and by an "xl" in its name.
    """
    weights, parts = _weights("vae", vae, "vae", folders)
    family = _SPACES.get(space)
    return VAE(weights, parts.scaling_factor if family is None else family.scaling_factor)


@node("LoadControlNet", category="loaders", fingerprint=controlnet_digest, early=True)
def load_controlnet(*, controlnet: ControlNetName, folders: Folders = standard) -> ControlNet:
    """Choose a ControlNet.

    Args:
        controlnet: A file with a ControlNet.
    """
    return ControlNet(_weights("controlnet", controlnet, "controlnet", folders)[0])


def _text_encoder(weights: Weights, parts: Parts) -> TextEncoder:
    family = parts.family
    return TextEncoder(weights, family.name, family.skip, part=family.towers[0].part, cut=parts.cut)


def _prediction(parts: Parts, chosen: PredictionChoice) -> PredictionType:
    """The prediction type to go by.

    Raises:
        InputError: The choice contradicts the file, or the file itself.
    """
    said = parts.predictions
    if chosen == "auto":
        if len({each.type for each in said}) > 1:
            both = " and ".join(f"{each.type} by {each.stated}" for each in said)
            raise InputError(
                f"{parts.path.name} contradicts itself, it predicts {both}: choose one",
                code="prediction_mismatch",
                input="prediction_type",
                hint=parts.prediction_type,
            )
        return parts.prediction_type
    if said and chosen not in {each.type for each in said}:
        raise InputError(
            f"prediction_type is {chosen}, but {parts.path.name} predicts {said[0].type} by"
            f" {said[0].stated}: choose auto",
            code="prediction_mismatch",
            input="prediction_type",
            hint="auto",
        )
    return chosen


def _weights(
    kind: WeightsKind, name: str, part: PartName, folders: Folders
) -> tuple[Weights, Parts]:
    parts = folders.open(kind, name)
    parts.part(part)
    return Weights(kind, name, folders.digest(kind, name)), parts
