from pathlib import Path

import pytest

from engine.errors import InputError
from nodes.diffusion.checkpoints import inspect, open_weights
from nodes.diffusion.families import FAMILIES, SD1, recognise
from tests.nodes.conftest import hollow, real_shapes

TITLES = {
    "sd2_base_or_v": "an SD 2.x checkpoint",
    "sd2_depth": "an SD 2.x depth checkpoint",
    "sd2_inpaint": "an SD 2.x inpainting checkpoint",
    "sd21_unclip_h": "an unCLIP-H checkpoint of SD 2.1",
    "sd21_unclip_l": "an unCLIP-L checkpoint of SD 2.1",
    "sdxl_base_or_turbo": "an SDXL base checkpoint",
    "sdxl_inpaint": "an SDXL inpainting checkpoint",
    "sdxl_refiner": "an SDXL refiner checkpoint",
    "x4_upscaler": "an SD 2.x upscaler checkpoint",
}


@pytest.mark.parametrize("name", TITLES)
def test_other_families_are_refused_by_name(name: str, tmp_path: Path) -> None:
    path = hollow(tmp_path / f"{name}.safetensors", real_shapes(name))

    assert inspect(path).title == TITLES[name]
    with pytest.raises(
        InputError, match=f"{name}.safetensors is {TITLES[name]}; this version runs SD 1.x"
    ) as raised:
        open_weights(path)
    assert raised.value.code == "unsupported_family"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("sd15", "an SD 1.x checkpoint"),
        ("sd15_inpaint", "an SD 1.x inpainting checkpoint"),
        ("sd15_ip2p", "an InstructPix2Pix checkpoint of SD 1.x"),
        ("controlnet11_sd15", "a ControlNet for SD 1.x"),
    ],
)
def test_own_family_is_recognised(name: str, title: str, tmp_path: Path) -> None:
    found = open_weights(hollow(tmp_path / "model.safetensors", real_shapes(name)))

    assert found.family is SD1
    assert found.title == title


@pytest.mark.parametrize(
    ("tensor", "shape", "title"),
    [
        ("double_blocks.0.img_attn.proj.weight", (8, 8), "a Flux model"),
        ("model.diffusion_model.joint_blocks.0.x_block.attn.qkv.weight", (8, 8), "an SD3 model"),
        ("lora_unet_down_blocks_0.lora_down.weight", (4, 8), "a LoRA"),
        ("emb_params", (2, 768), "a textual inversion embedding"),
        ("decoder.conv_in.weight", (512, 16, 3, 3), "a VAE with 16 latent channels"),
        ("conv_in.weight", (32, 6, 3, 3), "a UNet with 6 input channels, of an unknown family"),
        ("weight", (8,), "of an unknown kind"),
    ],
)
def test_what_is_no_checkpoint_is_called_by_its_name(
    tensor: str, shape: tuple[int, ...], title: str
) -> None:
    found = recognise({tensor: shape})

    assert found.title == title
    assert found.family is None


def test_controlnets_of_other_families_are_called_controlnets() -> None:
    shapes = {
        "control_model.input_blocks.0.0.weight": (320, 4, 3, 3),
        "control_model.zero_convs.0.0.weight": (320, 320, 1, 1),
        "control_model.input_blocks.1.1.proj_in.weight": (320, 320),
    }

    assert recognise(shapes).title == "an SD 2.x ControlNet"


def test_constants_of_sd1() -> None:
    assert FAMILIES["sd1"] is SD1
    assert (SD1.beta_start, SD1.beta_end, SD1.train_steps) == (0.00085, 0.012, 1000)
    assert (SD1.scaling_factor, SD1.prediction_type) == (0.18215, "epsilon")
