"""TAESD, file for file as diffusers' AutoencoderTiny has it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from nodes.diffusion.pool import Pool
from nodes.folders import Folders
from nodes.loaders import load_vae
from nodes.vae import vae_decode, vae_encode
from nodes.values import Image, Latents
from tests.nodes import small
from tests.nodes.parity import agree
from tests.nodes.tiny import taesd

LATENTS = small.noise(1, (2, 4, 6, 5))
PICTURES = small.noise(2, (2, 3, 48, 40)).sigmoid()
FORMS: Mapping[str, Callable[[Path, Any], str]] = {
    "halves in .safetensors": taesd.halves,
    "halves in .pth": taesd.pickled_halves,
    "both halves in a file": taesd.whole,
    "diffusers folder": taesd.folder,
    "diffusers file": taesd.diffusers_file,
}


@pytest.mark.parametrize("form", FORMS)
def test_both_directions(form: str, tmp_path: Path) -> None:
    module = taesd.module(width=64)
    name = FORMS[form](tmp_path / "vae_approx", module)
    folders = Folders((tmp_path,), ())
    pool = Pool(folders)

    vae = load_vae(vae=name, folders=folders)
    decoded = vae_decode(vae, Latents(LATENTS), pool=pool).pixels
    encoded = vae_encode(vae, Image(PICTURES), pool=pool).samples

    with torch.no_grad():
        picture: Tensor = module.decode(LATENTS / module.config.scaling_factor).sample
        latents: Tensor = module.encode(PICTURES * 2 - 1).latents * module.config.scaling_factor
    expected = (picture / 2 + 0.5).clamp(0, 1)
    assert expected.std() > 0.1
    agree("TAESD", form, decoded, expected, what="decoded picture", tolerance=1e-5)
    agree("TAESD", form, encoded, latents, what="encoded latents", tolerance=1e-5)
