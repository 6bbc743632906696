import json
import shutil
from pathlib import Path

import pytest
import torch

from engine.errors import InputError
from engine.node import node_type
from nodes.diffusion import layout
from nodes.diffusion.pool import Pool
from nodes.folders import Folders
from nodes.loaders import (
    SpaceChoice,
    checkpoint_digest,
    controlnet_digest,
    load_checkpoint,
    load_controlnet,
    load_vae,
    vae_digest,
)

from .conftest import Tiny, save
from .tiny import models


def test_checkpoint_gives_recipes_of_the_same_bytes(tiny: Tiny, folders: Folders) -> None:
    loaded = load_checkpoint(checkpoint=tiny.checkpoint, folders=folders)

    assert loaded.model.weights.name == tiny.checkpoint
    assert loaded.model.weights.digest == folders.digest("checkpoints", tiny.checkpoint)
    assert loaded.model.weights == loaded.text_encoder.weights == loaded.vae.weights
    assert loaded.model.family == "sd1"
    assert loaded.model.prediction_type == "epsilon"
    assert loaded.vae.scaling_factor == 0.18215


@pytest.mark.parametrize("form", ["checkpoint", "folder"])
def test_every_tensor_is_that_of_the_diffusers_modules(
    tiny: Tiny, folders: Folders, pool: Pool, form: str
) -> None:
    loaded = load_checkpoint(checkpoint=getattr(tiny, form), folders=folders)
    made = tiny.pipeline()

    for recipe, wanted in (
        (loaded.model, made.unet),
        (loaded.text_encoder, made.text_encoder),
        (loaded.vae, made.vae),
    ):
        with pool.borrow(recipe) as module:
            found, expected = module.state_dict(), wanted.state_dict()
            assert found.keys() == expected.keys()
            assert all(found[name].equal(expected[name]) for name in expected)
            assert not module.training
            assert not any(parameter.requires_grad for parameter in module.parameters())


@pytest.mark.parametrize(
    ("marks", "wanted"),
    [
        ((), ("epsilon", False)),
        (("v_pred",), ("v_prediction", False)),
        (("v_pred", "ztsnr"), ("v_prediction", True)),
    ],
)
def test_file_that_says_so_is_sampled_from_noise_alone(
    marks: tuple[str, ...], wanted: tuple[str, bool], tiny: Tiny, tmp_path: Path
) -> None:
    whole = layout.to_checkpoint({"unet": dict(tiny.pipeline().unet.state_dict())})
    (tmp_path / "checkpoints").mkdir()
    said = {mark: torch.tensor([]) for mark in marks}
    save(tmp_path / "checkpoints" / "v.safetensors", whole | said)

    model = load_checkpoint(checkpoint="v.safetensors", folders=Folders((tmp_path,), ())).model

    assert (model.prediction_type, model.zero_snr) == wanted


def test_folder_whose_scheduler_says_so_is_sampled_from_noise_alone(
    tiny: Tiny, tmp_path: Path
) -> None:
    folder = tmp_path / "checkpoints" / "v"
    shutil.copytree(tiny.root / "checkpoints" / tiny.folder, folder)
    settings = folder / "scheduler" / "scheduler_config.json"
    said = {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True}
    settings.write_text(json.dumps(json.loads(settings.read_text()) | said))

    model = load_checkpoint(checkpoint="v", folders=Folders((tmp_path,), ())).model

    assert (model.prediction_type, model.zero_snr) == ("v_prediction", True)


def test_vae_and_controlnet_load_from_files_of_their_own(
    tiny: Tiny, folders: Folders, pool: Pool
) -> None:
    made = tiny.pipeline()
    vae = load_vae(vae=tiny.vae, folders=folders)
    controlnet = load_controlnet(controlnet=tiny.controlnet, folders=folders)

    with pool.borrow(vae) as autoencoder, pool.borrow(controlnet) as control:
        for found, wanted in ((autoencoder, made.vae), (control, made.controlnet)):
            expected = wanted.state_dict()
            assert found.state_dict().keys() == expected.keys()
            assert all(tensor.equal(expected[name]) for name, tensor in found.state_dict().items())


def test_missing_checkpoint_is_answered_with_the_nearest(folders: Folders) -> None:
    with pytest.raises(
        InputError, match=r"'tini.safetensors'.*Did you mean 'tiny.safetensors'"
    ) as raised:
        load_checkpoint(checkpoint="tini.safetensors", folders=folders)

    assert raised.value.code == "missing_file"
    assert raised.value.hint == "tiny.safetensors"


def test_fingerprints_are_the_files_digests(tiny: Tiny, folders: Folders) -> None:
    assert checkpoint_digest(tiny.checkpoint, folders) == folders.digest(
        "checkpoints", tiny.checkpoint
    )
    assert vae_digest(tiny.vae, folders) == folders.digest("vae", tiny.vae)
    assert controlnet_digest(tiny.controlnet, folders) == folders.digest(
        "controlnet", tiny.controlnet
    )


def test_fingerprint_refuses_a_file_of_another_kind(tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    source = tiny.root / "controlnet" / tiny.controlnet
    (tmp_path / "checkpoints" / "control.safetensors").write_bytes(source.read_bytes())

    with pytest.raises(
        InputError, match=r"control.safetensors holds no UNet, only controlnet: choose a checkpoint"
    ):
        checkpoint_digest("control.safetensors", Folders((tmp_path,), ()))


def test_checkpoint_without_text_encoder_fails_where_it_is_used(tiny: Tiny, tmp_path: Path) -> None:
    save(tmp_path / "unet.safetensors", dict(tiny.pipeline().unet.state_dict()))
    folders = Folders((tmp_path,), ())
    loaded = load_checkpoint(checkpoint="unet.safetensors", folders=folders)
    pool = Pool(folders)

    with pool.borrow(loaded.model) as unet:
        assert unet.config["cross_attention_dim"] == 64
    with (
        pytest.raises(InputError, match="holds no text encoder, only unet") as raised,
        pool.borrow(loaded.text_encoder),
    ):
        pass
    assert raised.value.code == "missing_part"
    with (
        pytest.raises(InputError, match="holds no VAE, only unet: load one with LoadVAE"),
        pool.borrow(loaded.vae),
    ):
        pass


def test_checkpoint_of_variations_names_the_nodes_that_read_it(tmp_path: Path) -> None:
    name = models.write("variations", tmp_path)
    folders = Folders((tmp_path,), ())
    loaded = load_checkpoint(checkpoint=name, folders=folders)

    with (
        pytest.raises(InputError, match=r"load it with LoadUnCLIPCheckpoint .* VariationCond"),
        Pool(folders).borrow(loaded.text_encoder),
    ):
        pass


def test_starter_is_the_default() -> None:
    assert node_type(load_checkpoint).inputs["checkpoint"].default == "starter.safetensors"
    assert set(node_type(load_checkpoint).outputs) == {"model", "text_encoder", "vae"}


@pytest.mark.parametrize(
    ("name", "space", "wanted"),
    [
        ("plain.safetensors", "auto", 0.18215),
        ("sdxl_vae.safetensors", "auto", 0.13025),
        ("sdxl_vae.safetensors", "sd", 0.18215),
        ("plain.safetensors", "sdxl", 0.13025),
        ("plain.safetensors", "upscaler", 0.08333),
    ],
)
def test_space_of_a_vae_alone(
    name: str, space: SpaceChoice, wanted: float, tiny: Tiny, tmp_path: Path
) -> None:
    (tmp_path / "vae").mkdir()
    (tmp_path / "vae" / name).write_bytes((tiny.root / "vae" / tiny.vae).read_bytes())

    found = load_vae(vae=name, space=space, folders=Folders((tmp_path,), ()))

    assert found.scaling_factor == wanted


def test_vae_of_the_upscaler_is_known_by_its_levels(tmp_path: Path) -> None:
    save(tmp_path / "vae" / "small.safetensors", dict(models.vae("upscaler").state_dict()))

    assert (
        load_vae(vae="small.safetensors", folders=Folders((tmp_path,), ())).scaling_factor
        == 0.08333
    )


def test_a_text_encoder_of_two_is_taken_from_its_family(tmp_path: Path) -> None:
    folders = Folders((tmp_path,), ())
    base = load_checkpoint(checkpoint=models.write("sdxl", tmp_path), folders=folders)
    refiner = load_checkpoint(checkpoint=models.write("refiner", tmp_path), folders=folders)

    assert (base.text_encoder.part, base.text_encoder.skip) == ("text_encoder", 1)
    assert (refiner.text_encoder.part, refiner.text_encoder.skip) == ("text_encoder_2", 1)
