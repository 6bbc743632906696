"""Nodes that estimate how far away things in a picture are."""

from typing import Any

from engine.node import UNKNOWN, node

from . import foresight
from .diffusion.pool import Pool, in_process
from .facts import PixelFacts, known
from .folders import Folders, standard
from .values import DepthEstimator, Image, Weights
from .widgets import CheckpointName, DepthName, WeightsKind


def depth_digest(estimator: str, folders: Folders) -> str:
    """What the estimator's bytes are, after a look at whether it is one."""
    return _estimator("depth", estimator, folders).weights.digest


def checkpoint_estimator_digest(checkpoint: str, folders: Folders) -> str:
    """What the checkpoint's bytes are, after a look at whether it has an estimator."""
    return _estimator("checkpoints", checkpoint, folders).weights.digest


@node("LoadDepthEstimator", category="loaders", fingerprint=depth_digest, early=True)
def load_depth_estimator(*, estimator: DepthName, folders: Folders = standard) -> DepthEstimator:
    """Choose a network that estimates depth.

    Args:
        estimator: A folder of DPT or MiDaS as transformers saves it, with its config.json.
    """
    return _estimator("depth", estimator, folders)


@node(
    "LoadCheckpointDepth", category="loaders", fingerprint=checkpoint_estimator_digest, early=True
)
def load_checkpoint_depth(
    *, checkpoint: CheckpointName, folders: Folders = standard
) -> DepthEstimator:
    """Choose the network that estimates depth out of the checkpoint of SD 2's depth model.

    Args:
        checkpoint: A diffusers folder, or the single file with MiDaS in it. One without has to have
            its estimator from LoadDepthEstimator.
    """
    return _estimator("checkpoints", checkpoint, folders)


def _estimator(kind: WeightsKind, name: str, folders: Folders) -> DepthEstimator:
    folders.open(kind, name).part("depth_estimator")
    return DepthEstimator(Weights(kind, name, folders.digest(kind, name)))


@known
def _estimated(estimator: DepthEstimator, image: PixelFacts, pool: Pool) -> Any:
    told = foresight.of_part(estimator, "depth_estimator", pool).config.get("image_size", UNKNOWN)
    if told is UNKNOWN:
        return UNKNOWN  # config.json leaves out what is as usual
    height, width = _square(told)
    return image.sized(width, height)


def _square(told: Any) -> tuple[int, int]:
    """The height and width that a network sees, as its config.json tells them."""
    height, width = told if isinstance(told, list | tuple) else (told, told)
    return int(height), int(width)


@node("EstimateDepth", category="image", lane="device", infer=_estimated)
def estimate_depth(estimator: DepthEstimator, image: Image, *, pool: Pool = in_process) -> Image:
    """Estimate how far away things are: a grey picture for each, in which bright is near.

    It is as large as the network sees, which DepthConditioning brings to the latents' size.

    Args:
        image: Of any size; it is squeezed into the network's square.
    """
    import torch

    from .diffusion import vision

    network: Any
    with torch.inference_mode(), pool.borrow(estimator) as network:
        extent = _square(network.config.image_size)
        pixels = vision.rounded(image.pixels, extent) * 2 - 1
        found = network(pixels.to(network.device, network.dtype)).predicted_depth
        depth = found.float().cpu().clone()[:, None]
    low, high = (each(dim=(1, 2, 3), keepdim=True) for each in (depth.amin, depth.amax))
    return Image(((depth - low) / (high - low).clamp(min=1e-12)).expand(-1, 3, -1, -1).contiguous())
