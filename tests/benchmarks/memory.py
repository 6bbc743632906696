"""How much memory a picture takes with a checkpoint of Stable Diffusion 1.5's size.

The checkpoint has the true names and shapes, in float16, and random weights. A fresh process encodes
a prompt, samples two steps and decodes, small enough that the weights are what counts.
"""

import gzip
import json
import math
import os
import random
import struct
import subprocess
import sys
import tempfile
from array import array
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).parent.parent.parent
SHAPES = ROOT / "tests" / "data" / "shapes" / "sd15.json.gz"
NAME = "sd15-sized.safetensors"
BOUNDS = {"memory_peak_ratio": 1.15}
"""Peak resident memory beyond the imported libraries, by the bytes of the parts in use."""


def measure() -> dict[str, float]:
    """The figures that a fresh process finds about itself."""
    with tempfile.TemporaryDirectory() as data:
        checkpoint = Path(data) / "models" / "checkpoints" / NAME
        checkpoint.parent.mkdir(parents=True)
        with checkpoint.open("wb") as file:
            write_checkpoint(file)
        done = subprocess.run(
            [sys.executable, "-m", __spec__.name, data],
            check=True,
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "2"},
            stdout=subprocess.PIPE,
            text=True,
        )
    values: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return values


def write_checkpoint(file: BinaryIO) -> None:
    """A safetensors file of SD 1.5's tensors: float16, all from one block of small numbers."""
    shapes = json.loads(gzip.decompress(SHAPES.read_bytes()))
    header: dict[str, object] = {}
    end = 0
    for name, shape in shapes.items():
        start, end = end, end + 2 * math.prod(shape)
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    file.write(struct.pack("<Q", len(text)) + text)
    # Below 2**-6 in size: sign, an exponent of at most 8 of 31, any mantissa
    numbers = random.Random(0)
    block = array(
        "H", [numbers.getrandbits(1) << 15 | numbers.getrandbits(13) for _ in range(2**20)]
    )
    data = block.tobytes()
    file.writelines(data for _ in range(end // len(data)))
    file.write(data[: end % len(data)])


def report(data: Path) -> dict[str, float]:
    """Make a small picture with the nodes, called as functions, and say what it took."""
    import diffusers  # noqa: F401 - the libraries are not what is measured
    import torch  # noqa: F401
    from diffusers import AutoencoderKL, UNet2DConditionModel  # noqa: F401
    from transformers import CLIPTextModel  # noqa: F401

    from nodes.diffusion.pool import Pool
    from nodes.folders import open_folders
    from nodes.latents import empty_latent
    from nodes.loaders import load_checkpoint
    from nodes.sampling import ksampler
    from nodes.text import clip_encode
    from nodes.vae import vae_decode

    before = status("VmRSS")
    folders = open_folders(data)
    pool = Pool(folders)
    model, text_encoder, vae = load_checkpoint(checkpoint=NAME, folders=folders)
    prompt = clip_encode(text_encoder, text="a cat", pool=pool)
    nothing = clip_encode(text_encoder, pool=pool)
    start = empty_latent(width=128, height=128)
    latents = ksampler(model, prompt, nothing, start, steps=2, pool=pool)
    vae_decode(vae, latents, pool=pool)
    used = sum(part.bytes for part in pool.usage())
    peak = status("VmHWM") - before
    return {
        "memory_peak_ratio": peak / used,
        "memory_peak_mib": peak / 2**20,
        "parts_in_use_mib": used / 2**20,
        "libraries_mib": before / 2**20,
    }


def status(name: str) -> int:
    """A figure of this process in bytes, as Linux gives it."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)


if __name__ == "__main__":
    print(json.dumps(report(Path(sys.argv[1]))))
