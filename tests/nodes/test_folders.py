import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from engine.errors import InputError
from engine.keys import FileDigests
from nodes.diffusion.listing import of_lora
from nodes.diffusion.lora import open_lora
from nodes.folders import STARTER, Folders, Kind, open_folders

from .conftest import Tiny, hollow, real_shapes
from .tiny import models, taesd


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "models"
    made.mkdir()
    return made


def test_kinds_folder_comes_before_the_root_and_roots_in_their_order(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    folders = Folders((first, second), ())
    for path in (
        second / "a.safetensors",
        second / "vae" / "a.safetensors",
        first / "a.safetensors",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")

    assert folders.find("vae", "a.safetensors") == first / "a.safetensors"
    (first / "a.safetensors").unlink()
    assert folders.find("vae", "a.safetensors") == second / "vae" / "a.safetensors"
    assert folders.find("checkpoints", "a.safetensors") == second / "a.safetensors"


def test_names_may_hold_folders(root: Path) -> None:
    (root / "checkpoints" / "old").mkdir(parents=True)
    (root / "checkpoints" / "old" / "a.safetensors").write_bytes(b"")

    assert Folders((root,), ()).names("checkpoints") == ["old/a.safetensors"]
    assert Folders((root,), ()).find("checkpoints", "old/a.safetensors").is_file()


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../secret.safetensors",
        "a/../../secret.safetensors",
        "..",
        ".",
        "",
        "C:\\x",
        "C:x",
        "..\\x",
        "a\0b",
    ],
)
@pytest.mark.parametrize("kind", ["checkpoints", "images"])
def test_names_that_lead_out_are_refused(kind: Kind, name: str, root: Path) -> None:
    (root.parent / "secret.safetensors").write_bytes(b"")

    with pytest.raises(InputError, match="is outside the folders") as raised:
        Folders((root,), (root,)).find(kind, name)
    assert raised.value.code == "outside_roots"


@pytest.mark.parametrize("kind", ["checkpoints", "images"])
def test_links_that_lead_out_are_refused(kind: Kind, root: Path) -> None:
    (root.parent / "secret.safetensors").write_bytes(b"")
    (root / "link.safetensors").symlink_to(root.parent / "secret.safetensors")
    (root / "folder").symlink_to(root.parent)
    folders = Folders((root,), (root,))

    for name in ("link.safetensors", "folder/secret.safetensors"):
        with pytest.raises(InputError, match="is a link that leads out of") as raised:
            folders.find(kind, name)
        assert raised.value.code == "outside_roots"


def test_root_may_be_a_link_itself_and_links_may_stay_inside(root: Path) -> None:
    (root / "a.safetensors").write_bytes(b"")
    (root / "b.safetensors").symlink_to(root / "a.safetensors")
    (root.parent / "link").symlink_to(root)

    assert Folders((root.parent / "link",), ()).find("checkpoints", "b.safetensors").is_file()


def test_missing_file_is_answered_with_what_is_there(tiny: Tiny, folders: Folders) -> None:
    with pytest.raises(InputError) as raised:
        folders.find("checkpoints", "tinny.safetensors")

    assert raised.value.code == "missing_file"
    assert raised.value.hint == tiny.checkpoint
    assert str(raised.value).startswith(
        "no checkpoint 'tinny.safetensors'. Did you mean 'tiny.safetensors'? "
        "There are: tiny-diffusers, tiny.safetensors. Put files into "
    )


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("TINY.ckpt", "tiny.safetensors"),
        ("SD1.5/tiny2.safetensors", "tiny.safetensors"),
        ("dreamshaper_8.safetensors", None),
        ("v1-5-pruned-emaonly.safetensors", None),
    ],
)
def test_a_name_is_offered_only_if_it_is_near_apart_from_its_ending(
    name: str, near: str | None, tiny: Tiny, folders: Folders
) -> None:
    with pytest.raises(InputError) as raised:
        folders.find("checkpoints", name)
    assert raised.value.hint == near


def test_missing_file_among_nothing_says_where_files_belong(root: Path) -> None:
    with pytest.raises(
        InputError, match=r"no VAE 'x'. There is none yet. Put files into .*models/vae"
    ) as raised:
        Folders((root,), ()).find("vae", "x")
    assert raised.value.hint is None
    with pytest.raises(InputError, match="no folder: none is set up"):
        Folders((), ()).find("images", "x.png")


def test_long_lists_are_cut(root: Path) -> None:
    for number in range(20):
        (root / f"{number:02}.png").write_bytes(b"")

    with pytest.raises(InputError, match=r"00.png, .*11.png and 8 more"):
        Folders((), (root,)).find("images", "zebra.jpeg")


def test_loose_files_are_listed_by_what_they_hold(tiny: Tiny, root: Path) -> None:
    for folder, name in (
        ("checkpoints", tiny.checkpoint),
        ("controlnet", tiny.controlnet),
        ("vae", tiny.vae),
    ):
        (root / name).write_bytes((tiny.root / folder / name).read_bytes())
    (root / "broken.safetensors").write_bytes(b"1234")
    (root / "old.ckpt").write_bytes(b"1234")
    (root / "notes.txt").write_bytes(b"")
    (root / ".hidden.safetensors").write_bytes(b"")
    folders = Folders((root,), ())

    assert folders.names("checkpoints") == ["broken.safetensors", "old.ckpt", tiny.checkpoint]
    assert folders.names("controlnet") == [tiny.controlnet]
    assert folders.names("vae") == [tiny.vae]


def test_pictures_are_listed_by_their_endings(root: Path) -> None:
    (root / "sub").mkdir()
    for name in ("a.png", "sub/b.JPG", "c.txt", "d.safetensors"):
        (root / name).write_bytes(b"")

    assert Folders((), (root,)).names("images") == ["a.png", "sub/b.JPG"]


def test_diffusers_folder_is_one_name(folders: Folders, tiny: Tiny) -> None:
    assert folders.names("checkpoints") == [tiny.folder, tiny.checkpoint]
    assert folders.find("checkpoints", tiny.folder).is_dir()


def test_digest_is_that_of_the_content(root: Path) -> None:
    (root / "a.png").write_bytes(b"one")
    folders = Folders((), (root,))

    assert (
        folders.digest("images", "a.png")
        == "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
    )
    before = folders.digest("images", "a.png")
    (root / "a.png").write_bytes(b"two")
    assert folders.digest("images", "a.png") != before


def test_digest_of_a_folder_covers_what_is_read_from_it(tiny: Tiny, root: Path) -> None:
    copy = root / "checkpoints" / "copy"
    shutil.copytree(tiny.root / "checkpoints" / tiny.folder, copy)
    folders = Folders((root,), (), FileDigests())
    before = folders.digest("checkpoints", "copy")

    assert Folders((tiny.root,), ()).digest("checkpoints", tiny.folder) == before
    (copy / "README.md").write_text("changed")
    assert folders.digest("checkpoints", "copy") == before
    config = copy / "unet" / "config.json"
    config.write_text(config.read_text() + " ")
    assert folders.digest("checkpoints", "copy") != before


def test_survey_says_whose_a_part_or_an_addition_is(tiny: Tiny, root: Path) -> None:
    vae = (tiny.root / "vae" / tiny.vae).read_bytes()
    for kind in ("vae", "loras", "embeddings", "upscale_models"):
        (root / kind).mkdir()
    (root / "vae" / "sdxl_vae.safetensors").write_bytes(vae)
    folder = root / "vae" / "fixed"
    shutil.copytree(tiny.root / "checkpoints" / tiny.folder / "vae", folder)
    config = json.loads((folder / "config.json").read_text()) | {"scaling_factor": 0.13025}
    (folder / "config.json").write_text(json.dumps(config))
    models.image_encoder().save_pretrained(root / "clip_vision" / "seen")
    models.depth_estimator().save_pretrained(root / "depth" / "dpt")
    to_k = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k"
    for name, width in (("one", 768), ("two", 1024), ("xl", 2048), ("own", 64)):
        pair = {f"{to_k}.lora_down.weight": [4, width], f"{to_k}.lora_up.weight": [64, 4]}
        hollow(root / "loras" / f"{name}.safetensors", pair)
    texts = "lora_te2_text_model_encoder_layers_0_self_attn_q_proj"
    pair = {f"{texts}.lora_down.weight": [4, 64], f"{texts}.lora_up.weight": [64, 4]}
    hollow(root / "loras" / "words.safetensors", pair)
    hollow(root / "embeddings" / "a.safetensors", {"<cat>": [2, 768]})
    hollow(root / "embeddings" / "b.safetensors", {"clip_l": [2, 768], "clip_g": [2, 1280]})
    hollow(root / "upscale_models" / "swinir.safetensors", {"conv_first.weight": [60, 3, 3, 3]})

    rows = {row["name"]: row for row in Folders((root,), ()).survey()}

    assert {name: row["family"] for name, row in rows.items()} == {
        "sdxl_vae.safetensors": "sdxl", "fixed": "sdxl", "seen": "", "dpt": "",
        "one.safetensors": "sd1", "two.safetensors": "sd2", "xl.safetensors": "sdxl",
        "own.safetensors": "", "words.safetensors": "sdxl",
        "a.safetensors": "sd1", "b.safetensors": "sdxl", "swinir.safetensors": "",
    }  # fmt: skip
    assert rows["fixed"]["title"] == rows["sdxl_vae.safetensors"]["title"] == "a VAE of SDXL"
    assert rows["a.safetensors"]["title"] == "a textual inversion embedding"
    assert "no upscaler that is known here" in rows["swinir.safetensors"]["fault"]


def test_a_loras_maker_may_tell_its_family(tmp_path: Path) -> None:
    held = {"lora_unet_conv_in.lora_down.weight": torch.zeros(2, 4, 3, 3),
            "lora_unet_conv_in.lora_up.weight": torch.zeros(8, 2, 1, 1)}  # fmt: skip
    for said, wanted in (("sdxl_base_v1-0", "sdxl"), ("sd_v1", "sd1"), ("flux1", "")):
        save_file(held, tmp_path / "a.safetensors", {"ss_base_model_version": said})
        assert of_lora(open_lora(tmp_path / "a.safetensors")) == wanted


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("variations", "a checkpoint of SD image variations"),
        ("lcm", "a latent consistency (LCM) checkpoint of SD 1.x"),
    ],
)
def test_what_needs_nodes_of_its_own_is_called_by_its_name(
    kind: models.Kind, title: str, root: Path
) -> None:
    models.write(kind, root)

    (row,) = Folders((root,), ()).survey()

    assert (row["title"], row["family"], row["fault"]) == (title, "sd1", "")


def test_survey_says_where_a_faulty_folder_is(tiny: Tiny, root: Path) -> None:
    folder = root / "checkpoints" / "old"
    shutil.copytree(tiny.root / "checkpoints" / tiny.folder, folder)
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))

    (row,) = Folders((root,), ()).survey()

    assert (row["path"], row["bytes"]) == (str(folder), 0)
    assert "old/unet holds no .safetensors file" in row["fault"]


def test_survey_says_what_everything_is(tiny: Tiny, root: Path) -> None:
    (root / "checkpoints").mkdir()
    (root / "checkpoints" / "good.safetensors").write_bytes(
        (tiny.root / "checkpoints" / tiny.checkpoint).read_bytes()
    )
    (root / "checkpoints" / "broken.safetensors").write_bytes(b"1234")
    (root / "checkpoints" / "old.ckpt").write_bytes(b"1234")
    hollow(root / "xl.safetensors", real_shapes("sdxl_base_or_turbo"))
    hollow(root / "flux.safetensors", {"double_blocks.0.img_attn.proj.weight": [8, 8]})

    rows = {row["name"]: row for row in Folders((root, tiny.root), ()).survey()}

    assert rows["good.safetensors"] == {
        "name": "good.safetensors",
        "kind": "checkpoints",
        "path": str(root / "checkpoints" / "good.safetensors"),
        "bytes": (root / "checkpoints" / "good.safetensors").stat().st_size,
        "title": "an SD 1.x checkpoint",
        "family": "sd1",
        "fault": "",
    }
    assert (
        rows[tiny.folder]["family"]
        == rows[tiny.controlnet]["family"]
        == rows[tiny.vae]["family"]
        == "sd1"
    )
    assert rows[tiny.folder]["bytes"] > rows[tiny.vae]["bytes"]
    assert rows[tiny.controlnet]["kind"] == "controlnet"
    assert rows["broken.safetensors"]["fault"].startswith(
        "broken.safetensors cannot be read: it has 4 bytes"
    )
    assert rows["xl.safetensors"]["title"] == "an SDXL base checkpoint"
    assert (rows["xl.safetensors"]["family"], rows["xl.safetensors"]["fault"]) == ("sdxl", "")
    assert "this version runs SD 1.x" in rows["flux.safetensors"]["fault"]
    assert (rows["old.ckpt"]["family"], rows["old.ckpt"]["fault"]) == ("", "")


def test_data_folder_stands_before_the_starter(tmp_path: Path) -> None:
    folders = open_folders(tmp_path, (tmp_path / "near",))

    assert folders.models == (tmp_path / "models", STARTER)
    assert folders.images == (tmp_path / "inputs", tmp_path / "near", STARTER)
    assert STARTER.parts[-2:] == ("workflows", "starter")


def test_what_was_opened_is_remembered_while_it_is_unchanged(tiny: Tiny, root: Path) -> None:
    from shutil import copyfile

    path = root / "checkpoints" / "a.safetensors"
    path.parent.mkdir()
    copyfile(tiny.root / "checkpoints" / tiny.checkpoint, path)
    folders = Folders((root,), ())
    first = folders.open("checkpoints", "a.safetensors")
    assert folders.open("checkpoints", "a.safetensors") is first
    copyfile(STARTER / "starter.safetensors", path)
    second = folders.open("checkpoints", "a.safetensors")
    assert second.part("unet").count != first.part("unet").count


def test_a_pickle_is_remembered_without_its_numbers(tiny: Tiny, root: Path) -> None:
    import torch

    state = dict(tiny.pipeline().unet.state_dict())
    torch.save(state, root / "a.ckpt")
    part = Folders((root,), ()).open("checkpoints", "a.ckpt").part("unet")
    assert {str(getattr(source, "tensor").device) for source in part.tensors.values()} == {"meta"}  # noqa: B009 - of one kind of source
    assert part.sizes is not None
    assert part.sizes["cross_attention_dim"] == 64


def test_a_file_is_found_by_its_content(root: Path) -> None:
    folder = root / "vae"
    folder.mkdir()
    (folder / "a.safetensors").write_bytes(b"content")
    (folder / "b.safetensors").write_bytes(b"another")
    (folder / "c.safetensors").write_bytes(b"longer than those")
    folders = Folders((root,), ())
    sha256, size = folders.describe("vae", "b.safetensors")

    assert size == 7
    assert folders.search("vae", sha256, size) == "b.safetensors"
    assert folders.search("vae", sha256, None) == "b.safetensors"
    assert folders.search("vae", sha256, 8) is None
    assert folders.search("vae", "0" * 64, size) is None
    assert folders.search("music", sha256, size) is None
    with pytest.raises(InputError, match="there are no 'music' here"):
        folders.describe("music", "b.safetensors")
    assert folders.place("vae", "b.safetensors") == folder / "b.safetensors"
    with pytest.raises(InputError, match="there are no 'music' here"):
        folders.place("music", "b.safetensors")


def test_what_cannot_be_read_is_not_found_by_its_content(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = Folders((root,), ())
    monkeypatch.setattr(Folders, "names", lambda *_: ["gone.safetensors"])

    assert folders.search("vae", "0" * 64, None) is None


def test_another_file_may_stand_in_for_a_name(root: Path) -> None:
    (root / "vae").mkdir()
    (root / "vae" / "new.safetensors").write_bytes(b"")
    folders = Folders((root,), ())
    folders.stand_in("vae", "old.safetensors", "new.safetensors")

    assert folders.find("vae", "old.safetensors").name == "new.safetensors"
    with pytest.raises(InputError, match="no checkpoint"):
        folders.find("checkpoints", "old.safetensors")


def test_tiny_vaes_are_vaes_that_lie_where_comfyui_has_them(root: Path) -> None:
    taesd.halves(root / "vae_approx", taesd.module())
    taesd.folder(root / "vae_approx", taesd.module(), "taesdxl")
    folders = Folders((root,), ())

    assert folders.names("vae") == [
        "taesd_decoder.safetensors",
        "taesd_encoder.safetensors",
        "taesdxl",
    ]
    assert folders.names("checkpoints") == []
    assert folders.find("vae", "taesd") == root / "vae_approx" / "taesd_decoder.safetensors"
    assert folders.find("vae", "taesdxl") == root / "vae_approx" / "taesdxl"
    assert [row["title"] for row in folders.survey()] == [
        "a TAESD for SD 1.x and 2.x",
        "a TAESD for SD 1.x and 2.x",
        "a TAESD for SDXL",
    ]
