"""Estimates of memory, against peaks measured with the starter model."""

import ctypes
import gc
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nodes import memory
from nodes.diffusion.checkpoints import open_weights
from nodes.facts import PixelFacts
from nodes.folders import STARTER

ROOT = Path(__file__).parents[2]
CASES = [
    ("sample", 512, 512, 2),
    ("sample", 640, 512, 1),
    ("decode", 640, 512, 1),
    ("encode", 640, 512, 1),
]


def estimate(kind: str, width: int, height: int, batch: int) -> memory.Need:
    parts = open_weights(STARTER / "starter.safetensors")
    unet, vae = parts.part("unet").sizes, parts.part("vae").sizes
    assert unet is not None
    assert vae is not None
    picture = PixelFacts(batch, height, width)
    if kind == "sample":
        return memory.denoising(unet, 2 * batch, height // 8, width // 8, "float32")
    return {"decode": memory.decoding, "encode": memory.encoding}[kind](vae, picture, "float32")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_estimates_agree_with_what_is_measured(tmp_path: Path) -> None:
    command = [sys.executable, "-m", __name__, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    for case, peak in zip(CASES, json.loads(done.stdout.splitlines()[-1]), strict=True):
        need = estimate(*case)
        assert need.certain("cpu") < peak, case  # a false alarm
        assert 0.5 < need.likely / peak < 2, case


def test_weights_that_stay_in_their_file_need_no_memory_on_the_cpu() -> None:
    part = open_weights(STARTER / "starter.safetensors").part("unet")
    stored = {getattr(source, "dtype", None) for source in part.tensors.values()}
    assert stored == {"F16"}
    assert memory.weights(part, "float16", "cpu") == 0
    assert memory.weights(part, "float32", "cpu") == 4 * part.count
    assert memory.weights(part, "float16", "cuda") == 2 * part.count


def test_less_is_certain_on_a_card_than_on_the_cpu() -> None:
    need = memory.Need(100, 1000, 50)
    assert (need.certain("cuda"), need.certain("cpu"), need.likely) == (500, 700, 1150)


def measured(run: Any) -> int:
    """How many bytes the process grows by at its peak."""

    def status(name: str) -> int:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return int(next(line for line in lines if line.startswith(name)).split()[1]) * 1024

    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts anew
    before = status("VmRSS")
    run()
    return status("VmHWM") - before


def main() -> None:
    """Print the peaks of all cases."""
    import torch

    from nodes.diffusion.pool import Pool
    from nodes.folders import open_folders
    from nodes.latents import empty_latent
    from nodes.loaders import load_checkpoint
    from nodes.sampling import ksampler
    from nodes.text import clip_encode
    from nodes.vae import vae_decode, vae_encode
    from nodes.values import Image

    pool = Pool(open_folders(Path(sys.argv[1])))
    model, text_encoder, vae = load_checkpoint(folders=pool.folders)
    prompt = clip_encode(text_encoder, text="a house", pool=pool)

    def work(kind: str, width: int, height: int, batch: int) -> Any:
        start = empty_latent(width=width, height=height, batch_size=batch)
        if kind == "sample":
            return lambda: ksampler(model, prompt, prompt, start, steps=1, pool=pool)
        if kind == "decode":
            return lambda: vae_decode(vae, start, pool=pool)
        picture = Image(torch.rand(batch, 3, height, width))
        return lambda: vae_encode(vae, picture, pool=pool)

    for kind in ("sample", "decode", "encode"):
        work(kind, 64, 64, 1)()  # the weights are not what is measured
    print(json.dumps([measured(work(*case)) for case in CASES]))


if __name__ == "__main__":
    main()
