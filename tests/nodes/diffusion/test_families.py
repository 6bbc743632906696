from pathlib import Path

import pytest

from engine.errors import InputError
from nodes.diffusion.checkpoints import inspect, open_weights
from nodes.diffusion.families import FAMILIES, SD1, Recognised, recognise
from tests.nodes.conftest import hollow, real_shapes

PUBLISHED = {
    "sd15": ("an SD 1.x checkpoint", "sd1"),
    "sd15_inpaint": ("an SD 1.x inpainting checkpoint", "sd1"),
    "sd15_ip2p": ("an InstructPix2Pix checkpoint of SD 1.x", "sd1"),
    "controlnet11_sd15": ("a ControlNet for SD 1.x", "sd1"),
    "sd2_base_or_v": ("an SD 2.x checkpoint", "sd2"),
    "sd2_depth": ("an SD 2.x depth checkpoint", "sd2"),
    "sd2_inpaint": ("an SD 2.x inpainting checkpoint", "sd2"),
    "sd21_unclip_h": ("an unCLIP-H checkpoint of SD 2.1", "sd2"),
    "sd21_unclip_l": ("an unCLIP-L checkpoint of SD 2.1", "sd2"),
    "sdxl_base_or_turbo": ("an SDXL base checkpoint", "sdxl"),
    "sdxl_inpaint": ("an SDXL inpainting checkpoint", "sdxl"),
    "sdxl_refiner": ("an SDXL refiner checkpoint", "refiner"),
    "x4_upscaler": ("an SD 2.x upscaler checkpoint", "upscaler"),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_files_are_recognised(name: str, tmp_path: Path) -> None:
    path = hollow(tmp_path / f"{name}.safetensors", real_shapes(name))

    found = open_weights(path)

    assert (found.title, found.family.name) == PUBLISHED[name]
    assert inspect(path).title == found.title


def test_a_file_of_another_kind_is_refused_and_the_tensor_that_tells_is_named(
    tmp_path: Path,
) -> None:
    path = hollow(tmp_path / "flux.safetensors", {"double_blocks.0.img_attn.proj.weight": [8, 8]})

    with pytest.raises(
        InputError,
        match=r"flux.safetensors is a Flux model \(it holds 'double_blocks.0.img_attn.proj.weight'\);"
        r" this version runs SD 1.x, SD 2.x",
    ) as raised:
        open_weights(path)
    assert raised.value.code == "unsupported_family"


def test_a_unet_of_no_family_names_the_tensors_that_tell(tmp_path: Path) -> None:
    shapes = dict(real_shapes("sd15"))
    first = next(name for name in shapes if name.endswith("input_blocks.0.0.weight"))
    shapes[first] = [320, 11, 3, 3]
    path = hollow(tmp_path / "odd.safetensors", shapes)

    with pytest.raises(
        InputError,
        match=r"odd.safetensors is a UNet of an unknown family: .*input_blocks.0.0.weight is"
        r" \[320, 11, 3, 3\].*attn2.to_k.weight is .*; this version runs SD 1.x",
    ):
        open_weights(path)


@pytest.mark.parametrize("name", ["sdxl_base_or_turbo", "sdxl_refiner", "sd21_unclip_h"])
def test_widths_do_not_matter(name: str) -> None:
    shapes = {
        key: tuple(max(1, size // 5) if size > 16 else size for size in shape)
        for key, shape in real_shapes(name).items()
    }

    found = recognise(shapes).family

    assert found is not None
    assert found.name == PUBLISHED[name][1]


@pytest.mark.parametrize(
    ("tensor", "shape", "title"),
    [
        ("double_blocks.0.img_attn.proj.weight", (8, 8), "a Flux model"),
        ("model.diffusion_model.joint_blocks.0.x_block.attn.qkv.weight", (8, 8), "an SD3 model"),
        ("lora_unet_down_blocks_0.lora_down.weight", (4, 8), "a LoRA"),
        ("emb_params", (2, 768), "a textual inversion embedding"),
        ("decoder.conv_in.weight", (512, 16, 3, 3), "a VAE with 16 latent channels"),
        (
            "conv_in.weight",
            (32, 6, 3, 3),
            "a UNet of an unknown family: conv_in.weight is [32, 6, 3, 3], and no attn2.to_k.weight reads a text",
        ),
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

    assert recognise(shapes) == Recognised("a ControlNet for SD 2.x", FAMILIES["sd2"])


@pytest.mark.parametrize("attention", ["down_blocks.2.attentions.0.", "mid_block.attentions.0."])
def test_controlnets_of_sdxl_are_recognised_large_or_small(attention: str) -> None:
    shapes = {
        "conv_in.weight": (320, 4, 3, 3),
        "controlnet_down_blocks.0.weight": (320, 320, 1, 1),
        "add_embedding.linear_1.weight": (1280, 2816),
        "down_blocks.2.resnets.0.norm1.weight": (1280,),
        f"{attention}norm.weight": (1280,),
        f"{attention}proj_in.weight": (1280, 1280),
    }

    assert recognise(shapes) == Recognised("a ControlNet for SDXL", FAMILIES["sdxl"])


def test_constants_of_sd1() -> None:
    assert FAMILIES["sd1"] is SD1
    assert (SD1.beta_start, SD1.beta_end, SD1.train_steps) == (0.00085, 0.012, 1000)
    assert (SD1.scaling_factor, SD1.prediction_type) == (0.18215, "epsilon")
