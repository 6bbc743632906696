"""Pictures made again from what they tell, with the starter model."""

import json
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
from safetensors.torch import load_file, save_file

from nodes.provenance import read_provenance, save_options

from .whole import QUICK, STARTER, TEXT_TO_IMAGE, Darkroom, Json

FORMATS: dict[str, Json] = {
    "png": {"kind": "png"},
    "webp": {"kind": "webp", "quality": 80},
    "jpeg": {"kind": "jpeg"},
}


@pytest.fixture(scope="module")
def darkroom(tmp_path_factory: pytest.TempPathFactory) -> Darkroom:
    return Darkroom(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def chance(darkroom: Darkroom) -> dict[str, list[Path]]:
    """Two pictures in each format, of a seed that nobody chose."""
    document = json.loads(TEXT_TO_IMAGE.read_text(encoding="utf-8"))
    nodes = document["nodes"]
    nodes["chance"] = {"type": "RandomSeed", "version": 1, "inputs": {}}
    nodes["sampler"]["inputs"]["seed"] = {"$link": ["chance", "value"]}
    save = nodes.pop("save")
    del document["inputs"]["seed"]
    document["outputs"] = {}
    for kind, to in FORMATS.items():
        nodes[kind] = {**save, "inputs": {**save["inputs"], "name": kind, "to": to}}
        document["outputs"][kind] = {"node": kind, "output": "value"}
    path = darkroom.data / "chance.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    status, answer = darkroom("run", str(path), *QUICK, "--set", "batch_size=2")
    assert status == 0, answer
    return {kind: [Path(file) for file in files] for kind, files in answer["outputs"].items()}


def one(darkroom: Darkroom, *settings: str) -> Path:
    status, answer = darkroom("run", str(TEXT_TO_IMAGE), *QUICK, *settings)
    assert status == 0, answer
    return Path(answer["outputs"]["image"][0])


def retold(path: Path, copy: Path, change: Any) -> Path:
    """The same picture, telling something else."""
    told = read_provenance(path)
    assert told is not None
    change(told)
    with PIL.Image.open(path) as image:
        image.save(copy, "PNG", **save_options("PNG", told))
    return copy


@pytest.mark.parametrize("kind", FORMATS)
def test_a_picture_of_a_batch_is_made_again_from_its_own_seed(
    darkroom: Darkroom, chance: dict[str, list[Path]], kind: str, tmp_path: Path
) -> None:
    status, answer = darkroom("reproduce", str(chance[kind][1]), "--output", str(tmp_path))

    assert status == 0, answer
    assert answer["identical"]
    assert (answer["index"], answer["count"], answer["node"]) == (1, 2, kind)
    assert answer["drift"] == answer["notes"] == []
    assert Path(answer["made"]).parent == tmp_path
    assert {path.suffix for path in tmp_path.iterdir()} == {f".{kind}"}


def test_a_picture_tells_everything_behind_it(chance: dict[str, list[Path]]) -> None:
    told = read_provenance(chance["png"][0])
    assert told is not None

    assert told["inputs"]["sampler"]["seed"] == told["given"]["chance"]["$dict"][0][1]
    (file,) = told["files"]
    assert file["name"] == "starter.safetensors"
    assert file["size"] == (STARTER / "starter.safetensors").stat().st_size
    assert told["types"].keys() >= {"KSampler", "RandomSeed", "SaveImage"}
    assert told["machine"].keys() >= {"python", "platform", "device", "threads"}
    assert told["costs"]["sampler"]["seconds"] > 0
    assert len(json.dumps(told)) - len(json.dumps(told["workflow"])) < 5000


def test_a_changed_library_is_named(
    darkroom: Darkroom, chance: dict[str, list[Path]], tmp_path: Path
) -> None:
    def age(told: Json) -> None:
        told["profile"]["torch"] = "2.0.1"

    path = retold(chance["png"][0], tmp_path / "aged.png", age)
    status, answer = darkroom("reproduce", str(path))

    assert status == 0
    (drift,) = answer["drift"]
    assert drift["text"].startswith("torch was 2.0.1, it is ")


def test_a_replaced_checkpoint_is_named_and_the_difference_told(darkroom: Darkroom) -> None:
    mine = darkroom.put("checkpoints", "mine.safetensors")
    weights = load_file(STARTER / "starter.safetensors")
    name = next(each for each in weights if each.endswith("conv_in.weight"))
    weights[name] = weights[name] * 1.1
    save_file(weights, mine)
    picture = one(darkroom, "--set", "checkpoint.checkpoint=mine.safetensors")
    first = next(each for each in weights if "input_blocks.0" in each and each.endswith("weight"))
    weights[first] = weights[first] * 1.5
    save_file(weights, mine)

    status, answer = darkroom("reproduce", str(picture))

    assert status == 1
    assert not answer["identical"]
    (drift,) = answer["drift"]
    assert (drift["what"], drift["name"]) == ("file", "mine.safetensors")
    assert (drift["node"], drift["input"]) == ("checkpoint", "checkpoint")
    assert 0 < answer["difference"]["share"] <= 1
    assert answer["difference"]["psnr"] > 0


def test_a_renamed_checkpoint_is_found_by_its_content(darkroom: Darkroom) -> None:
    gone = darkroom.put("checkpoints", "gone.safetensors")
    gone.write_bytes((STARTER / "starter.safetensors").read_bytes())
    picture = one(darkroom, "--set", "checkpoint.checkpoint=gone.safetensors")
    gone.unlink()

    status, answer = darkroom("reproduce", str(picture))

    assert status == 0
    assert answer["identical"]
    (note,) = answer["notes"]
    assert "starter.safetensors has the content it had, and is taken" in note


def test_what_cannot_be_made_again_says_why(
    darkroom: Darkroom, chance: dict[str, list[Path]], tmp_path: Path
) -> None:
    def lose(told: Json) -> None:
        told["files"][0] |= {"name": "lost.safetensors", "sha256": "0" * 64}

    def rename(told: Json) -> None:
        told["workflow"]["nodes"]["sampler"]["type"] = "KSimpler"

    def shrink(told: Json) -> None:
        told["index"] = 7

    def damage(told: Json) -> None:
        del told["node"]

    faults = {
        lose: "missing_file",
        rename: "unknown_node",
        shrink: "other_batch",
        damage: "damaged_file",
    }
    for change, code in faults.items():
        path = retold(chance["png"][0], tmp_path / f"{code}.png", change)
        status, answer = darkroom("reproduce", str(path))
        assert (status, answer["error"]["code"]) == (3, code)
    assert "lost.safetensors is not there" in darkroom(
        "reproduce", str(tmp_path / "missing_file.png")
    )[1]["error"]["message"]  # fmt: skip


def test_a_picture_that_tells_nothing_cannot_be_made_again(
    darkroom: Darkroom, tmp_path: Path
) -> None:
    path = tmp_path / "plain.png"
    PIL.Image.new("RGB", (4, 4)).save(path)

    for name, code in ((path, "no_provenance"), (tmp_path / "away.png", "file")):
        status, answer = darkroom("reproduce", str(name))
        assert (status, answer["error"]["code"]) == (3, code)


def test_an_older_picture_is_made_again_as_far_as_it_tells(
    darkroom: Darkroom, chance: dict[str, list[Path]], tmp_path: Path
) -> None:
    def age(told: Json) -> None:
        for name in told.keys() - {"workflow", "node", "key", "inputs", "profile"}:
            del told[name]

    path = retold(chance["png"][0], tmp_path / "old.png", age)
    status, answer = darkroom("reproduce", str(path))

    assert (status, answer["identical"]) == (0, True)
    assert "version 1" in answer["notes"][0]
