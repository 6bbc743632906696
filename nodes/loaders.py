"""Nodes that name the weights to use. They read headers; the model pool loads the weights when needed."""

from typing import NamedTuple

from engine.node import node

from .diffusion.checkpoints import Parts, open_weights
from .diffusion.layout import PartName
from .folders import Folders, standard
from .values import (
    VAE,
    CheckpointName,
    ControlNet,
    ControlNetName,
    Model,
    TextEncoder,
    VAEName,
    Weights,
    WeightsKind,
)


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


@node("LoadCheckpoint", category="loaders", fingerprint=checkpoint_digest)
def load_checkpoint(
    *, checkpoint: CheckpointName = "starter.safetensors", folders: Folders = standard
) -> Checkpoint:
    """Choose a checkpoint: the model, its text encoder and its VAE.

    Args:
        checkpoint: A .safetensors or .ckpt file, or a diffusers folder, of the SD 1.x family.
    """
    weights, parts = _weights("checkpoints", checkpoint, "unet", folders)
    family = parts.family.name
    return Checkpoint(
        model=Model(weights, family, parts.prediction_type),
        text_encoder=TextEncoder(weights, family),
        vae=VAE(weights, parts.scaling_factor),
    )


@node("LoadVAE", category="loaders", fingerprint=vae_digest)
def load_vae(*, vae: VAEName, folders: Folders = standard) -> VAE:
    """Choose a VAE of its own, in place of a checkpoint's.

    Args:
        vae: A file with a VAE of the SD 1.x family.
    """
    weights, parts = _weights("vae", vae, "vae", folders)
    return VAE(weights, parts.scaling_factor)


@node("LoadControlNet", category="loaders", fingerprint=controlnet_digest)
def load_controlnet(*, controlnet: ControlNetName, folders: Folders = standard) -> ControlNet:
    """Choose a ControlNet.

    Args:
        controlnet: A file with a ControlNet for the SD 1.x family.
    """
    return ControlNet(_weights("controlnet", controlnet, "controlnet", folders)[0])


def _weights(
    kind: WeightsKind, name: str, part: PartName, folders: Folders
) -> tuple[Weights, Parts]:
    parts = open_weights(folders.find(kind, name))
    parts.part(part)
    return Weights(kind, name, folders.digest(kind, name)), parts
