"""Depth that is estimated: DPT from its folder, and SD 2's depth model under it, against diffusers' pipeline."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from engine.errors import InputError
from nodes.beside import depth_conditioning
from nodes.depth import estimate_depth, load_checkpoint_depth, load_depth_estimator
from nodes.diffusion.pool import Pool
from nodes.folders import Folders
from nodes.sampling import ksampler
from nodes.text import clip_encode
from nodes.vae import vae_encode
from nodes.values import Image
from tests.nodes import parity
from tests.nodes.conftest import save, tokenizer
from tests.nodes.references import picture
from tests.nodes.sides import Sides
from tests.nodes.tiny import midas, models
from tests.nodes.tiny.pipelines import (
    NEGATIVE,
    PROMPT,
    SIZE,
    latents,
    opened,
    scheduler,
)

diffusers: Any = importlib.import_module("diffusers")
transformers: Any = importlib.import_module("transformers")
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:In CPU autocast:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*autocast.*:UserWarning"),
]


def _written(root: Path) -> Folders:
    models.depth_estimator().save_pretrained(root / "depth" / "dpt")
    return Folders((root,), ())


def test_an_estimate_of_a_picture_of_another_size(tmp_path: Path) -> None:
    folders = _written(tmp_path)
    image = picture(3)[..., :48]
    extent = {"height": SIZE, "width": SIZE}
    ready = transformers.DPTImageProcessorPil(size=extent)(
        images=[(image[0].permute(1, 2, 0) * 255).round().byte().numpy()], return_tensors="pt"
    )
    expected = models.depth_estimator()(ready.pixel_values).predicted_depth[:, None]
    low, high = expected.min(), expected.max()

    estimator = load_depth_estimator(estimator="dpt", folders=folders)
    image = (image * 255).round() / 255
    found = estimate_depth(estimator, Image(image), pool=Pool(folders)).pixels

    assert found.shape == (1, 3, SIZE, SIZE)
    # Pillow rounds between its two passes: a step of 1/255 here and there.
    parity.agree(
        "SD 2.x depth", "DPT, a picture of another size", found[:, :1],
        (expected - low) / (high - low), what="depth", by="transformers", tolerance=2e-2,
    )  # fmt: skip


def test_depth_that_is_estimated(tmp_path: Path, sides: Sides) -> None:
    made, folders = opened("depth", tmp_path), _written(tmp_path)
    image = (picture(3) * 255).round() / 255

    def ready(images: list[Tensor], return_tensors: str) -> Any:
        return transformers.BatchFeature({"pixel_values": torch.stack(images)})

    pipeline = diffusers.StableDiffusionDepth2ImgPipeline(
        vae=models.vae("depth"), text_encoder=models.open_clip(2), tokenizer=tokenizer("!"),
        unet=models.unet("depth"), scheduler=scheduler(), depth_estimator=models.depth_estimator(),
        feature_extractor=None,
    )  # fmt: skip
    pipeline.feature_extractor = ready
    expected = latents(
        pipeline, prompt=PROMPT, negative_prompt=NEGATIVE, image=image * 2 - 1, strength=0.5,
        num_inference_steps=8,
    )  # fmt: skip

    pool = Pool(folders)
    prompts = [
        clip_encode(made.checkpoint.text_encoder, text=text, pool=pool)
        for text in (PROMPT, NEGATIVE)
    ]
    estimator = load_depth_estimator(estimator="dpt", folders=folders)
    depth = estimate_depth(estimator, Image(image), pool=pool)
    start = vae_encode(made.checkpoint.vae, Image(image), sample=True, seed=11, pool=pool)
    positive, negative = depth_conditioning(prompts[0], prompts[1], depth, start)
    found = ksampler(
        made.checkpoint.model, positive, negative, start, seed=11, steps=8, guidance_scale=7.5,
        schedule="leading", start_step=4, draws_before=1, pool=pool,
    ).samples  # fmt: skip

    how = "euler / leading, estimated depth"
    sides.agree("SD 2.x depth", how, found, expected, made=made, vae=models.vae("depth"))


def test_the_estimator_of_a_checkpoints_folder(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints" / "depth"
    models.unet("depth").save_pretrained(folder / "unet")
    models.depth_estimator().save_pretrained(folder / "depth_estimator")
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "x"}))
    folders, pool = Folders((tmp_path,), ()), Pool(_written(tmp_path))

    inside = load_checkpoint_depth(checkpoint="depth", folders=folders)
    beside = load_depth_estimator(estimator="dpt", folders=folders)
    first, second = (
        estimate_depth(each, Image(picture(3)), pool=pool) for each in (inside, beside)
    )

    assert torch.equal(first.pixels, second.pixels)


def test_a_file_without_an_estimator_says_where_to_get_one(tmp_path: Path) -> None:
    made = opened("depth", tmp_path)

    with pytest.raises(
        InputError, match=r"holds no depth estimator, only .*choose a folder of a DPT"
    ):
        load_checkpoint_depth(checkpoint="depth.safetensors", folders=made.pool.folders)


def _with_midas(tmp_path: Path, left_out: str = "") -> Folders:
    made = opened("depth", tmp_path)
    path = tmp_path / "checkpoints" / "depth.safetensors"
    kept = midas.original(midas.hybrid().state_dict())
    within = {f"depth_model.model.{name}": each for name, each in kept.items() if name != left_out}
    save(path, load_file(path) | within)
    return made.pool.folders


def test_the_estimator_within_a_single_file(tmp_path: Path) -> None:
    folders, pool = _with_midas(tmp_path), Pool(Folders((tmp_path,), ()))
    midas.hybrid().save_pretrained(tmp_path / "depth" / "hybrid")

    inside = load_checkpoint_depth(checkpoint="depth.safetensors", folders=folders)
    beside = load_depth_estimator(estimator="hybrid", folders=folders)
    first, second = (
        estimate_depth(each, Image(picture(3)), pool=pool).pixels for each in (inside, beside)
    )

    assert first.shape[-2:] == (32, 32)
    how = "DPT within the checkpoint's file"
    parity.look_alike("SD 2.x depth", how, first, second, what="depth", by="transformers")


def test_an_estimator_that_is_not_whole_says_so(tmp_path: Path) -> None:
    folders = _with_midas(tmp_path, "scratch.layer2_rn.weight")
    with pytest.raises(InputError, match=r"without 'neck.convs.1.weight': the file is damaged"):
        load_checkpoint_depth(checkpoint="depth.safetensors", folders=folders)
