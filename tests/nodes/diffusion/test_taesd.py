from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.errors import InputError
from nodes.diffusion.checkpoints import inspect, kinds, open_weights
from nodes.diffusion.pool import Pool
from nodes.folders import Folders
from nodes.loaders import load_vae
from nodes.vae import vae_decode, vae_encode
from nodes.values import Image, Latents
from tests.nodes import small
from tests.nodes.conftest import save
from tests.nodes.tiny import taesd

Writer = Callable[[Path, Any], str]
FORMS: tuple[Writer, ...] = (
    taesd.halves,
    taesd.whole,
    taesd.folder,
    taesd.diffusers_file,
    lambda folder, made: taesd.whole(folder, made, prefix="taesd_"),
)
LATENTS = Latents(small.noise(1, (1, 4, 4, 4)))
PICTURE = Image(torch.rand((1, 3, 32, 32), generator=torch.Generator().manual_seed(1)))


@pytest.mark.parametrize("form", FORMS)
def test_headers_tell_it_and_every_tensor_has_diffusers_name(form: Writer, tmp_path: Path) -> None:
    made = taesd.module()
    path = tmp_path / form(tmp_path, made)

    assert inspect(path).title == "a TAESD"
    assert kinds(path) == {"vae"}
    parts = open_weights(path)
    assert parts.title == "a TAESD for SD 1.x and 2.x"
    assert parts.scaling_factor == 0.18215
    shapes = {name: source.shape for name, source in parts.part("vae").tensors.items()}
    assert shapes == {name: tuple(tensor.shape) for name, tensor in made.state_dict().items()}


@pytest.mark.parametrize("name", ["taesdxl", "TAESD-XL"])
def test_the_name_tells_sdxl(name: str, tmp_path: Path) -> None:
    path = tmp_path / taesd.halves(tmp_path, taesd.module(), name)
    folder = tmp_path / taesd.folder(tmp_path, taesd.module(), name)
    for each in (path, folder):
        parts = open_weights(each)
        assert (parts.title, parts.scaling_factor) == ("a TAESD for SDXL", 0.13025)


def test_a_pipeline_may_have_one_as_its_vae(tmp_path: Path) -> None:
    import diffusers

    from tests.nodes.conftest import UNET, randomised

    unet: Any = diffusers.UNet2DConditionModel
    up = ("UpBlock2D", "CrossAttnUpBlock2D")
    randomised(unet(**UNET, up_block_types=up), 1).save_pretrained(tmp_path / "unet")
    made = taesd.module()
    made.save_pretrained(tmp_path / "vae")
    (tmp_path / "model_index.json").write_text("{}")

    parts = open_weights(tmp_path)

    assert parts.scaling_factor == 0.18215
    assert parts.part("vae").tensors.keys() == made.state_dict().keys()
    assert parts.part("vae").config["halves"] == ("encoder", "decoder")


def test_latents_of_other_models_are_refused(tmp_path: Path) -> None:
    name = taesd.halves(tmp_path, taesd.module(channels=16), "taesd3")
    for each in (name, name.replace("decoder", "encoder")):
        with pytest.raises(InputError, match="is a TAESD with 16 latent channels") as caught:
            open_weights(tmp_path / each)
        assert caught.value.code == "unsupported_family"


def test_other_activations_are_refused(tmp_path: Path) -> None:
    name = taesd.folder(tmp_path, taesd.module())
    config = tmp_path / name / "config.json"
    config.write_text(config.read_text().replace('"relu"', '"silu"'))
    with pytest.raises(InputError, match="a TAESD whose act_fn is 'silu'"):
        open_weights(tmp_path / name)


def test_another_number_of_blocks_is_refused(tmp_path: Path) -> None:
    tensors = taesd.original("decoder", taesd.module())
    del tensors["18.conv.2.weight"]
    save(tmp_path / "taesd.safetensors", tensors)
    vae = load_vae(vae="taesd.safetensors", folders=(folders := Folders((tmp_path,), ())))
    with pytest.raises(InputError, match=r"the vae lacks decoder\.layers\.17\.conv\.2\.weight"):
        vae_decode(vae, LATENTS, pool=Pool(folders))


def test_one_half_works_alone_and_the_other_joins_it_once_it_is_there(tmp_path: Path) -> None:
    home = tmp_path / "vae_approx"
    name = taesd.halves(home, taesd.module())
    away = (home / "taesd_encoder.safetensors").rename(tmp_path / "away")
    folders = Folders((tmp_path,), ())
    pool = Pool(folders)

    alone = load_vae(vae=name, folders=folders)
    assert vae_decode(alone, LATENTS, pool=pool).pixels.shape == (1, 3, 32, 32)
    with pytest.raises(InputError, match=r"put taesd_encoder\.safetensors beside it") as caught:
        vae_encode(alone, PICTURE, pool=pool)
    assert (caught.value.code, caught.value.input) == ("missing_part", "vae")

    away.rename(home / "taesd_encoder.safetensors")
    both = load_vae(vae=name, folders=folders)
    assert both.weights.digest != alone.weights.digest
    assert vae_encode(both, PICTURE, pool=pool).samples.shape == (1, 4, 4, 4)


def test_a_damaged_other_half_is_named(tmp_path: Path) -> None:
    name = taesd.halves(tmp_path, taesd.module())
    (tmp_path / "taesd_encoder.safetensors").write_bytes(b"no")
    with pytest.raises(InputError, match=r"taesd_encoder\.safetensors"):
        open_weights(tmp_path / name)


def test_comfyuis_name_for_both_halves_loads_them(tmp_path: Path) -> None:
    taesd.pickled_halves(tmp_path / "vae_approx", taesd.module())
    folders = Folders((tmp_path,), ())
    vae = load_vae(vae="taesd", folders=folders)
    assert vae_encode(vae, PICTURE, pool=Pool(folders)).samples.shape == (1, 4, 4, 4)
