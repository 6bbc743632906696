"""LoRAs change a prompt and a prediction as diffusers' own loader, over PEFT, has them changed."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.keys import FileDigests
from nodes.adapters import load_lora
from nodes.diffusion.pool import Pool
from nodes.folders import Folders
from nodes.loaders import load_checkpoint
from nodes.text import clip_encode
from tests.nodes import loras, parity, small
from tests.nodes.conftest import TEXT, UNET, Tiny
from tests.nodes.references import DDIM, made_scheduler

pytest.importorskip("peft")
pytestmark = [pytest.mark.filterwarnings("ignore")]
PROMPT = "a red house at night"


@pytest.fixture
def reference(tiny: Tiny) -> Any:
    """diffusers' pipeline over copies of the tiny modules, so that theirs stay as they are."""
    import diffusers
    from transformers import CLIPTextConfig, CLIPTextModel

    libraries: Any = diffusers
    made = tiny.pipeline()
    unet = libraries.UNet2DConditionModel(
        **UNET, up_block_types=("UpBlock2D", "CrossAttnUpBlock2D")
    )
    unet.load_state_dict(made.unet.state_dict())
    text: Any = CLIPTextModel(CLIPTextConfig(**TEXT))
    text.load_state_dict(made.text_encoder.state_dict())
    return libraries.StableDiffusionPipeline(
        vae=made.vae,
        text_encoder=text.eval(),
        tokenizer=made.tokenizer,
        unet=unet.eval(),
        scheduler=made_scheduler("DDIMScheduler", **DDIM),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


@torch.no_grad()
def seen(unet: Any, embeddings: Tensor) -> Tensor:
    found: Tensor = unet(
        small.noise(5, (1, 4, 16, 16)), torch.tensor(321), encoder_hidden_states=embeddings
    ).sample
    return found


@pytest.mark.parametrize("spelling", ["kohya", "peft"])
def test_two_loras_with_own_strengths(
    spelling: str, reference: Any, tiny: Tiny, tmp_path: Path
) -> None:
    folders = Folders((tmp_path, tiny.root), (), FileDigests())
    loaded = load_checkpoint(checkpoint=tiny.checkpoint, folders=folders)
    made = tiny.pipeline()
    model, encoder = loaded.model, loaded.text_encoder
    names, strengths = [], [0.8, -0.5]
    for seed, strength in enumerate(strengths):
        unet = loras.pairs(made.unet, ("to_q", "to_v", "to_out", "ff.net", "proj_in"), seed)
        text = loras.pairs(made.text_encoder, ("q_proj", "out_proj", "fc1"), 10 + seed)
        text = {f"text_model.{stem}": pair for stem, pair in text.items()}
        tensors = (
            loras.kohya("lora_unet", unet, 2.0) | loras.kohya("lora_te", text, 2.0)
            if spelling == "kohya"
            else loras.peft("unet.", unet) | loras.peft("text_encoder.", text)
        )
        lora = loras.write(tmp_path / "loras" / f"{seed}.safetensors", tensors)
        reference.load_lora_weights(tmp_path / "loras", weight_name=lora, adapter_name=f"a{seed}")
        names.append(f"a{seed}")
        model, encoder = load_lora(
            model, encoder, lora=lora, strength=strength, text_strength=strength, folders=folders
        )
    reference.set_adapters(names, strengths)
    pool = Pool(folders)

    expected = reference.encode_prompt(PROMPT, "cpu", 1, do_classifier_free_guidance=False)[0]
    found = clip_encode(encoder, text=PROMPT, pool=pool).embeddings
    without = clip_encode(loaded.text_encoder, text=PROMPT, pool=pool).embeddings
    with pool.borrow(model) as changed:
        ours = seen(changed, found)
    with pool.borrow(loaded.model) as plain:
        missing = seen(plain, found)

    theirs = seen(reference.unet, expected)
    how = f"two LoRAs as {spelling} writes them"
    parity.agree("LoRA", how, found, expected, what="conditioning", by="diffusers over PEFT")
    parity.agree("LoRA", how, ours, theirs, what="first prediction", by="diffusers over PEFT")
    assert small.relative_rms(without, expected) > 1e-2
    assert small.relative_rms(missing, theirs) > 1e-2
