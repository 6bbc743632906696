"""Models that read more than a prompt, from the files that people have, against diffusers' own pipelines."""

import importlib
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from nodes.beside import (
    depth_conditioning,
    edit_conditioning,
    inpaint_conditioning,
    upscale_conditioning,
)
from nodes.clip_vision import (
    clip_vision_encode,
    load_unclip_checkpoint,
    unclip_conditioning,
    variation_conditioning,
)
from nodes.diffusion.pool import Pool
from nodes.folders import Folders
from nodes.guidance import dual_guidance
from nodes.latents import empty_latent
from nodes.loaders import load_checkpoint
from nodes.sampling import ksampler
from nodes.text import clip_encode
from nodes.vae import vae_encode
from nodes.values import Conditioning, Image, ImageEmbedding, Latents, Mask
from tests.nodes import parity
from tests.nodes.conftest import save, tokenizer
from tests.nodes.references import BETAS, made_scheduler, picture
from tests.nodes.sides import Sides
from tests.nodes.tiny import models
from tests.nodes.tiny.models import Kind
from tests.nodes.tiny.pipelines import (
    NEGATIVE,
    PROMPT,
    SIZE,
    Opened,
    latents,
    opened,
    scheduler,
)

diffusers: Any = importlib.import_module("diffusers")
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
START = SIZE // 8
EMPTY = empty_latent(width=SIZE, height=SIZE)
SD2: tuple[Kind, ...] = ("sd2", "sd2-inpaint", "depth", "unclip", "upscaler")


def _pipeline(name: str, kind: Kind, **parts: Any) -> Any:
    text = {"text_encoder": models.clip_l(), "tokenizer": tokenizer()}
    if kind in SD2:
        text = {"text_encoder": models.open_clip(2), "tokenizer": tokenizer("!")}
    guards = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    if kind in {"depth", "unclip", "upscaler"}:
        guards = {}
    given = {"unet": models.unet(kind), "vae": models.vae(kind)} | text | guards | parts
    made = getattr(diffusers, name)(**{"scheduler": scheduler()} | given)
    made.scheduler = parts.get("scheduler", scheduler())
    return made


def _prompts(made: Opened) -> tuple[Conditioning, Conditioning]:
    encoder = made.checkpoint.text_encoder
    return tuple(clip_encode(encoder, text=each, pool=made.pool) for each in (PROMPT, NEGATIVE))  # type: ignore[return-value]


def _sampled(
    made: Opened,
    positive: Conditioning,
    negative: Conditioning,
    start: Latents = EMPTY,
    **more: Any,
) -> Tensor:
    given: dict[str, Any] = {"seed": 11, "steps": 4, "guidance_scale": 7.5, "schedule": "leading"}
    model = made.checkpoint.model
    return ksampler(model, positive, negative, start, pool=made.pool, **given | more).samples


def _noise(shape: tuple[int, ...], seed: int = 11) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_sd2(prediction: Any, tmp_path: Path, sides: Sides) -> None:
    made = opened("sd2", tmp_path)
    expected = latents(
        _pipeline("StableDiffusionPipeline", "sd2", scheduler=scheduler(prediction_type=prediction)),
        prompt=PROMPT, negative_prompt=NEGATIVE, width=SIZE, height=SIZE,
    )  # fmt: skip
    folders = made.pool.folders
    chosen = load_checkpoint(
        checkpoint="sd2.safetensors", prediction_type=prediction, folders=folders
    )

    found = _sampled(Opened(chosen, made.pool), *_prompts(made))

    how = f"euler / leading, {prediction}"
    sides.agree("SD 2.x", how, found, expected, made=made, vae=models.vae("sd2"))


@pytest.mark.parametrize("kind", ["sd1-inpaint", "sd2-inpaint"])
def test_inpainting(kind: Kind, tmp_path: Path, sides: Sides) -> None:
    made = opened(kind, tmp_path)
    image, mask = picture(3), torch.zeros(1, 1, SIZE, SIZE)
    mask[..., 16:40, 8:48] = 1
    grey = (image * 2 - 1) * (mask < 0.5)
    masked = models.vae(kind).encode(grey).latent_dist.mode() * 0.18215
    expected = latents(
        _pipeline("StableDiffusionInpaintPipeline", kind),
        prompt=PROMPT, negative_prompt=NEGATIVE, image=image * 2 - 1, mask_image=mask,
        masked_image_latents=masked, width=SIZE, height=SIZE, strength=1.0,
    )  # fmt: skip

    positive, negative, _ = inpaint_conditioning(
        *_prompts(made), made.checkpoint.vae, Image(image), Mask(mask), pool=made.pool
    )

    found = _sampled(made, positive, negative)

    family = "SD 1.x inpainting" if kind == "sd1-inpaint" else "SD 2.x inpainting"
    sides.agree(family, "euler / leading", found, expected, made=made, vae=models.vae(kind))


def test_instructions(tmp_path: Path) -> None:
    made = opened("edit", tmp_path)
    image = picture(3)
    # At an image guidance of 1 the three predictions are those of plain guidance.
    expected = latents(
        _pipeline("StableDiffusionInstructPix2PixPipeline", "edit"),
        prompt=PROMPT, negative_prompt=NEGATIVE, image=image, image_guidance_scale=1.0,
        guidance_scale=7.5,
    )  # fmt: skip

    equipped = edit_conditioning(*_prompts(made), made.checkpoint.vae, Image(image), pool=made.pool)

    found = _sampled(made, equipped.positive, equipped.negative, equipped.latents)
    parity.agree("InstructPix2Pix", "euler / leading", found, expected)


def test_instructions_under_dual_guidance(tmp_path: Path, sides: Sides) -> None:
    made = opened("edit", tmp_path)
    image = picture(3)
    expected = latents(
        _pipeline("StableDiffusionInstructPix2PixPipeline", "edit"),
        prompt=PROMPT, negative_prompt=NEGATIVE, image=image, image_guidance_scale=1.5,
        guidance_scale=7.5,
    )  # fmt: skip
    positive, negative = _prompts(made)
    equipped = edit_conditioning(
        positive, negative, made.checkpoint.vae, Image(image), pool=made.pool
    )

    # From no picture to the picture by 1.5, and from there to the order by 7.5.
    model = dual_guidance(made.checkpoint.model, equipped.negative, scale=1.5)
    dual = Opened(made.checkpoint._replace(model=model), made.pool)
    found = _sampled(dual, equipped.positive, negative, equipped.latents)

    # Theirs: order and picture, picture alone, neither. Ours: neither, order and picture, picture alone.
    how, vae = "euler / leading, image guidance 1.5", models.vae("edit")
    sides.agree("InstructPix2Pix", how, found, expected, made=dual, vae=vae, order=(1, 2, 0))


def test_depth(tmp_path: Path, sides: Sides) -> None:
    made = opened("depth", tmp_path)
    depth = torch.rand(1, SIZE, SIZE, generator=torch.Generator().manual_seed(4))
    image = picture(3)
    pipeline = _pipeline(
        "StableDiffusionDepth2ImgPipeline", "depth", depth_estimator=None, feature_extractor=None
    )
    expected = latents(
        pipeline, prompt=PROMPT, negative_prompt=NEGATIVE, image=image * 2 - 1, depth_map=depth,
        strength=0.5, num_inference_steps=8,
    )  # fmt: skip

    prompts = depth_conditioning(*_prompts(made), Image(depth[:, None].repeat(1, 3, 1, 1)))

    start = vae_encode(made.checkpoint.vae, Image(image), sample=True, seed=11, pool=made.pool)
    found = _sampled(made, *prompts, start, steps=8, start_step=4, draws_before=1)
    how = "euler / leading, image to image"
    sides.agree("SD 2.x depth", how, found, expected, made=made, vae=models.vae("depth"))


def test_upscaler(tmp_path: Path, sides: Sides) -> None:
    made = opened("upscaler", tmp_path)
    small = picture(5)[..., ::4, ::4]
    low = made_scheduler("DDPMScheduler", **BETAS | {"beta_start": 0.0001, "beta_end": 0.02})
    spacing: dict[str, Any] = {
        "beta_start": 0.0001,
        "beta_end": 0.02,
        "prediction_type": "v_prediction",
    }
    pipeline = _pipeline(
        "StableDiffusionUpscalePipeline", "upscaler", low_res_scheduler=low,
        scheduler=scheduler(**spacing),
    )  # fmt: skip
    start = _noise((1, 4, 16, 16))
    given = {
        "prompt": PROMPT, "negative_prompt": NEGATIVE, "image": small, "noise_level": 20,
        "latents": start,
    }  # fmt: skip
    expected = latents(
        pipeline, guidance_scale=7.5, generator=torch.Generator().manual_seed(7), **given
    )

    equipped = upscale_conditioning(*_prompts(made), Image(small), noise_level=20, seed=7)
    found = _sampled(made, equipped.positive, equipped.negative, equipped.latents)

    how, vae = "euler / leading, noise level 20", models.vae("upscaler")
    sides.agree("x4 upscaler", how, found, expected, made=made, vae=vae)


@pytest.mark.parametrize(("level", "spread"), [(0, False), (300, False), (300, True)])
def test_unclip(level: int, spread: bool, tmp_path: Path, sides: Sides) -> None:
    made = opened("unclip", tmp_path)
    seen = _noise((1, models.WIDTH), 5)
    normalizer = diffusers.pipelines.stable_diffusion.StableUnCLIPImageNormalizer(models.WIDTH)
    mean, deviation = (_noise((1, models.WIDTH), 6), _noise((1, models.WIDTH), 7).exp())
    if spread:
        normalizer.mean.data, normalizer.std.data = mean, deviation
    noising = made_scheduler("DDPMScheduler", beta_schedule="squaredcos_cap_v2")
    plan = scheduler()
    plan.set_timesteps(4)
    # This pipeline takes latents that are given as they are, without bringing them to the noise's scale.
    start = _noise((1, 4, START, START)) * plan.init_noise_sigma
    pipeline = _pipeline(
        "StableUnCLIPImg2ImgPipeline", "unclip", image_encoder=models.image_encoder(),
        image_normalizer=normalizer, image_noising_scheduler=noising,
        scheduler=scheduler(prediction_type="v_prediction"), feature_extractor=None,
    )  # fmt: skip
    expected = latents(
        pipeline, prompt=PROMPT, negative_prompt=NEGATIVE, image_embeds=seen, noise_level=level,
        latents=start, guidance_scale=7.5, generator=torch.Generator().manual_seed(9),
        width=SIZE, height=SIZE,
    )  # fmt: skip

    positive, negative = _prompts(made)
    embedding = ImageEmbedding(seen, (mean, deviation) if spread else None)
    positive = unclip_conditioning(positive, embedding, noise_level=level, seed=9)

    found = _sampled(made, positive, negative)
    how = f"euler / leading, noise level {level}{', statistics beside it (l)' if spread else ''}"
    sides.agree("SD 2.1 unCLIP", how, found, expected, made=made, vae=models.vae("unclip"))


def test_image_encoder_of_an_unclip_checkpoint(tmp_path: Path) -> None:
    made = opened("unclip", tmp_path)
    image = torch.rand(1, 3, 28, 28, generator=torch.Generator().manual_seed(4))
    image = (image * 255).round() / 255
    mean, deviation = torch.tensor([0.48145466, 0.4578275, 0.40821073]), torch.tensor([0.26862954, 0.26130258, 0.27577711])  # fmt: skip
    pixels = (image - mean[:, None, None]) / deviation[:, None, None]
    expected = models.image_encoder()(pixels).image_embeds

    encoder = load_unclip_checkpoint(
        checkpoint="unclip.safetensors", folders=made.pool.folders
    ).image_encoder
    found = clip_vision_encode(encoder, Image(image), pool=made.pool)

    parity.agree("SD 2.1 unCLIP", "picture", found.embedding, expected, what="image embedding")
    assert found.spread is None


def _variations(root: Path) -> Opened:
    """The diffusers folder of SD image variations, which has no text encoder."""
    import json

    folder = root / "checkpoints" / "variations"
    models.unet("variations").save_pretrained(folder / "unet")
    models.vae("variations").save_pretrained(folder / "vae")
    models.image_encoder().save_pretrained(folder / "image_encoder")
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "x"}))
    normalizer = {"mean": torch.zeros(1, models.WIDTH), "std": torch.full((1, models.WIDTH), 2.0)}
    save(folder / "image_normalizer" / "diffusion_pytorch_model.safetensors", normalizer)
    folders = Folders((root,), ())
    return Opened(load_checkpoint(checkpoint="variations", folders=folders), Pool(folders))


def test_image_variations_in_a_single_file(tmp_path: Path) -> None:
    name = models.write("variations", tmp_path)
    folders = Folders((tmp_path,), ())
    image = torch.rand(1, 3, 28, 28, generator=torch.Generator().manual_seed(4))

    made = load_unclip_checkpoint(checkpoint=name, folders=folders)
    pool = Pool(folders)
    found = clip_vision_encode(made.image_encoder, Image(image), pool=pool)
    whole = _variations(tmp_path)
    encoder = load_unclip_checkpoint(checkpoint="variations", folders=folders).image_encoder
    expected = clip_vision_encode(encoder, Image(image), pool=pool)
    first = _sampled(Opened(made, pool), *variation_conditioning(found))  # type: ignore[arg-type]
    second = _sampled(whole, *variation_conditioning(expected))

    assert torch.allclose(found.embedding, expected.embedding, atol=1e-5)
    parity.agree("SD image variations", "a single file", first, second, by="the folder")


def test_image_variations(tmp_path: Path, sides: Sides) -> None:
    made = _variations(tmp_path)
    image = functional.interpolate(picture(6), size=(28, 28))
    image = (image * 255).round() / 255
    encoder = load_unclip_checkpoint(
        checkpoint="variations", folders=made.pool.folders
    ).image_encoder
    embedding = clip_vision_encode(encoder, Image(image), pool=made.pool)
    parts = {"unet": models.unet("variations"), "vae": models.vae("variations")}
    pipeline = diffusers.StableDiffusionImageVariationPipeline(
        image_encoder=models.image_encoder(), scheduler=scheduler(), safety_checker=None,
        feature_extractor=None, requires_safety_checker=False, **parts,
    )  # fmt: skip
    mean, deviation = torch.tensor([0.48145466, 0.4578275, 0.40821073]), torch.tensor([0.26862954, 0.26130258, 0.27577711])  # fmt: skip
    expected = latents(
        pipeline, image=(image - mean[:, None, None]) / deviation[:, None, None], width=SIZE,
        height=SIZE,
    )  # fmt: skip

    found = _sampled(made, *variation_conditioning(embedding))

    vae = models.vae("variations")
    sides.agree("SD image variations", "euler / leading", found, expected, made=made, vae=vae)
    assert embedding.spread is not None
    assert float(embedding.spread[1].mean()) == 2.0
