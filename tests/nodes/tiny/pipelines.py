"""Tiny models out of their files, and what diffusers' own pipelines make of the same modules."""

from pathlib import Path
from typing import Any, NamedTuple

import diffusers
from torch import Tensor

from nodes.diffusion.pool import Pool
from nodes.folders import Folders
from nodes.loaders import Checkpoint, load_checkpoint
from tests.nodes.references import OFFSET, generators

from . import models
from .models import Kind

SIZE = 64
"""Pixels of the pictures, each way."""
SCHEDULER = ("EulerDiscreteScheduler", OFFSET | {"timestep_spacing": "leading"})
PROMPT, NEGATIVE = "a red house at night", "blurred, ugly"


class Opened(NamedTuple):
    """A checkpoint that was written in the original layout and is read back."""

    checkpoint: Checkpoint
    pool: Pool


def opened(kind: Kind, root: Path) -> Opened:
    """A family's tiny checkpoint, through the loaders."""
    folders = Folders((root,), ())
    name = models.write(kind, root)
    return Opened(load_checkpoint(checkpoint=name, folders=folders), Pool(folders))


def scheduler(kind: str = SCHEDULER[0], **changes: Any) -> Any:
    """One of diffusers' schedulers, by default Euler's with the published settings."""
    return getattr(diffusers, kind)(**SCHEDULER[1] | changes)


def latents(made: Any, **arguments: Any) -> Tensor:
    """What a pipeline makes, before it is decoded."""
    made.set_progress_bar_config(disable=True)
    settings = {"num_inference_steps": 4, "generator": generators(11, 1), "output_type": "latent"}
    found: Tensor = made(**settings | arguments).images
    return found
