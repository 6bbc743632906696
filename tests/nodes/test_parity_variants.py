"""SDXL's further models, the turbo models, and what people put beside SDXL, against diffusers' pipelines."""

import copy
import importlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from nodes.adapters import load_lora
from nodes.beside import inpaint_conditioning
from nodes.control import control_net_apply
from nodes.diffusion.pool import Pool
from nodes.folders import Folders
from nodes.latents import empty_latent
from nodes.loaders import Checkpoint, load_checkpoint, load_controlnet, load_vae
from nodes.sampling import ksampler
from nodes.text import clip_encode
from nodes.vae import vae_decode, vae_encode
from nodes.values import Conditioning, Image, Latents, Mask
from tests.nodes import loras, parity, small
from tests.nodes.conftest import randomised, tokenizer
from tests.nodes.references import picture
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
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
TRAILING = {"timestep_spacing": "trailing"}


def _sdxl(kind: str = "StableDiffusionXLPipeline", model: Kind = "sdxl", **parts: Any) -> Any:
    given = {
        "vae": models.vae(model), "unet": models.unet(model), "text_encoder": models.clip_l(),
        "tokenizer": tokenizer(), "text_encoder_2": models.big_g(), "tokenizer_2": tokenizer("!"),
        "scheduler": scheduler(),
    }  # fmt: skip
    return getattr(diffusers, kind)(**given | parts, add_watermarker=False)


def _prompts(made: Opened, text: str = PROMPT) -> tuple[Conditioning, Conditioning]:
    encoder = made.checkpoint.text_encoder
    first, second = (clip_encode(encoder, text=each, pool=made.pool) for each in (text, NEGATIVE))
    return first, second


def _sampled(made: Opened, prompts: tuple[Conditioning, Conditioning], **more: Any) -> Tensor:
    given: dict[str, Any] = {"seed": 11, "steps": 4, "guidance_scale": 5.0, "schedule": "leading"}
    start = more.pop("latents", None) or empty_latent(width=SIZE, height=SIZE)
    return ksampler(made.checkpoint.model, *prompts, start, pool=made.pool, **given | more).samples


def test_sdxl_inpainting(tmp_path: Path, sides: Sides) -> None:
    made = opened("sdxl-inpaint", tmp_path)
    image, mask = picture(3), torch.zeros(1, 1, SIZE, SIZE)
    mask[..., 16:40, 8:48] = 1
    expected = latents(
        _sdxl("StableDiffusionXLInpaintPipeline", "sdxl-inpaint"),
        prompt=PROMPT, negative_prompt=NEGATIVE, image=image, mask_image=mask, width=SIZE,
        height=SIZE, strength=0.5, num_inference_steps=8, guidance_scale=5.0,
    )  # fmt: skip
    start = vae_encode(made.checkpoint.vae, Image(image), sample=True, seed=11, pool=made.pool)
    equipped = inpaint_conditioning(
        *_prompts(made), made.checkpoint.vae, Image(image), Mask(mask), pool=made.pool
    )
    # diffusers draws what is around the hole from the encoder's distribution, after the noise.
    noise, stream = torch.Generator().manual_seed(11), (1, 4, SIZE // 8, SIZE // 8)
    torch.randn(stream, generator=noise), torch.randn(stream, generator=noise)
    grey = (image * 2 - 1) * (mask < 0.5)
    around = models.vae("sdxl-inpaint").encode(grey).latent_dist.sample(noise) * 0.13025
    hole = torch.nn.functional.interpolate(mask, size=around.shape[-2:])
    prompts = [
        Conditioning(**{**vars(each), "beside": torch.cat([hole, around], 1)})
        for each in (equipped.positive, equipped.negative)
    ]

    found = _sampled(
        made, (prompts[0], prompts[1]), latents=start, steps=8, start_step=4, draws_before=1
    )

    how, vae = "euler / leading, image to image", models.vae("sdxl-inpaint")
    sides.agree("SDXL inpainting", how, found, expected, made=made, vae=vae)


def _of_epsilon(made: Opened) -> Checkpoint:
    return load_checkpoint(
        checkpoint="sd2.safetensors", prediction_type="epsilon", folders=made.pool.folders
    )


@pytest.mark.parametrize(("kind", "family"), [("sdxl", "SDXL-Turbo"), ("sd2", "SD-Turbo")])
@pytest.mark.parametrize("steps", [1, 4])
def test_turbo(steps: int, kind: Kind, family: str, tmp_path: Path, sides: Sides) -> None:
    made = opened(kind, tmp_path)
    if kind == "sd2":  # its random weights look like those of a model that predicts v
        made = Opened(_of_epsilon(made), made.pool)
    plan = {"scheduler": scheduler("EulerAncestralDiscreteScheduler", **TRAILING)}
    if kind == "sdxl":
        pipeline = _sdxl(**plan)
    else:
        pipeline = diffusers.StableDiffusionPipeline(
            vae=models.vae(kind), unet=models.unet(kind), text_encoder=models.open_clip(2),
            tokenizer=tokenizer("!"), safety_checker=None, feature_extractor=None,
            requires_safety_checker=False, **plan,
        )  # fmt: skip
    expected = latents(
        pipeline, prompt=PROMPT, width=SIZE, height=SIZE, guidance_scale=0.0,
        num_inference_steps=steps,
    )  # fmt: skip

    found = _sampled(
        made, _prompts(made), steps=steps, guidance_scale=1.0, sampler="euler_ancestral",
        schedule="trailing",
    )  # fmt: skip

    how = f"euler_ancestral / trailing, steps {steps}, no guidance"
    sides.agree(family, how, found, expected, made=made, vae=models.vae(kind))


def test_controlnet_of_sdxl(tmp_path: Path, sides: Sides) -> None:
    made, hint = opened("sdxl", tmp_path), picture(9)
    unet = models.unet("sdxl").config
    net = diffusers.ControlNetModel.from_unet(
        models.unet("sdxl"), conditioning_embedding_out_channels=(8, 8, 8, 16)
    )
    assert unet.addition_embed_type == "text_time"
    randomised(net, 31).save_pretrained(tmp_path / "controlnet" / "xl")
    expected = latents(
        _sdxl("StableDiffusionXLControlNetPipeline", controlnet=net),
        prompt=PROMPT, negative_prompt=NEGATIVE, image=hint, width=SIZE, height=SIZE,
        controlnet_conditioning_scale=0.7, guidance_scale=5.0,
    )  # fmt: skip

    controlnet = load_controlnet(controlnet="xl", folders=made.pool.folders)
    prompts = control_net_apply(*_prompts(made), controlnet, Image(hint), strength=0.7)

    found = _sampled(made, (prompts[0], prompts[1]))
    how = "euler / leading, ControlNet from a folder"
    sides.agree("SDXL", how, found, expected, made=made, vae=models.vae("sdxl"))
    assert small.relative_rms(_sampled(made, _prompts(made)), expected) > 1e-2


def test_lora_of_sdxl_with_both_text_encoders_beside_its_adapter_config(
    tmp_path: Path, sides: Sides
) -> None:
    pytest.importorskip("peft")
    made = opened("sdxl", tmp_path)
    owners = {"unet": "unet", "te1": "text_encoder", "te2": "text_encoder_2"}
    modules = {"unet": models.unet("sdxl"), "te1": models.clip_l(), "te2": models.big_g()}
    wanted = {"unet": ("to_q", "to_out"), "te1": ("q_proj", "fc1"), "te2": ("q_proj", "fc1")}
    held = {short: loras.pairs(modules[short], wanted[short], i) for i, short in enumerate(owners)}
    tensors: dict[str, Tensor] = {}
    for short, pairs in held.items():
        inner = "text_model." if short == "te1" else ""
        spelled = {inner + stem.removeprefix(inner): pair for stem, pair in pairs.items()}
        tensors |= loras.kohya(f"lora_{short}", spelled, 2.0)
    name = loras.write(tmp_path / "loras" / "xl.safetensors", tensors)
    changed = {}
    for short, owner in owners.items():
        changed[owner] = copy.deepcopy(modules[short])
        weights = dict(changed[owner].named_parameters())
        for stem, pair in held[short].items():
            weight = weights[f"{stem}.weight"]
            weight.data = weight + 0.8 * loras.formula(pair, 2.0 / loras.RANK).reshape(weight.shape)
    expected = latents(
        _sdxl(**changed), prompt=PROMPT, negative_prompt=NEGATIVE, width=SIZE, height=SIZE,
        guidance_scale=5.0,
    )  # fmt: skip

    model, encoder = load_lora(
        made.checkpoint.model, made.checkpoint.text_encoder, lora=name, strength=0.8,
        text_strength=0.8, folders=made.pool.folders,
    )  # fmt: skip
    adapted = Opened(made.checkpoint._replace(model=model, text_encoder=encoder), made.pool)

    found = _sampled(adapted, _prompts(adapted))
    how = "euler / leading, LoRA with te1 and te2"
    sides.agree("SDXL", how, found, expected, made=adapted, vae=models.vae("sdxl"))
    assert small.relative_rms(_sampled(made, _prompts(made)), expected) > 1e-2


def test_vae_from_a_folder_of_its_own(tmp_path: Path) -> None:
    models.vae("sdxl").save_pretrained(tmp_path / "vae" / "fix")
    folders = Folders((tmp_path,), ())
    assert folders.names("vae") == ["fix"]

    vae = load_vae(vae="fix", folders=folders)
    given = small.noise(3, (1, 4, 8, 8))
    found = vae_decode(vae, Latents(given), pool=Pool(folders)).pixels

    assert vae.scaling_factor == 0.13025
    expected = models.vae("sdxl").decode(given / 0.13025).sample / 2 + 0.5
    parity.look_alike("SDXL", "VAE from its folder", found, expected.clamp(0, 1))


def test_a_lora_takes_its_scale_from_pefts_config(tmp_path: Path) -> None:
    made = opened("sdxl", tmp_path)
    pairs = loras.pairs(models.unet("sdxl"), ("to_q",), 5)
    folder = tmp_path / "loras" / "style"
    loras.write(folder / "adapter_model.safetensors", loras.peft("base_model.model.", pairs))
    (folder / "adapter_config.json").write_text(json.dumps({"r": loras.RANK, "lora_alpha": 8}))
    loras.write(tmp_path / "loras" / "same.safetensors", loras.kohya("lora_unet", pairs, 8.0))

    def seen(name: str) -> Tensor:
        model, _ = load_lora(
            made.checkpoint.model,
            made.checkpoint.text_encoder,
            lora=name,
            folders=made.pool.folders,
        )
        with made.pool.borrow(model) as unet:
            return dict(unet.named_parameters())[f"{next(iter(pairs))}.weight"].clone()

    assert torch.equal(seen("style/adapter_model.safetensors"), seen("same.safetensors"))
