"""What users can do wrong, tried on the program with its real nodes and the starter model.

Each fault is named with its remedy, ends with a status other than 0, shows no traceback, and loses
nothing that was done before.
"""

import json
import os
import pickle
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from tests.nodes.conftest import hollow
from tests.whole import QUICK, ROOT, STARTER, TEXT_TO_IMAGE, Darkroom, Json


@pytest.fixture
def darkroom(tmp_path: Path) -> Darkroom:
    return Darkroom(tmp_path / "data")


Edit = Callable[[Json], object]


def document() -> Json:
    found: Json = json.loads(TEXT_TO_IMAGE.read_text(encoding="utf-8"))
    return found


def set_input(node: str, name: str, value: Any) -> Edit:
    return lambda nodes: nodes[node]["inputs"].update({name: value})


BROKEN: dict[str, tuple[Edit, str, str, str | None, str | None]] = {
    "unknown node": (lambda n: n["sampler"].update(type="KSamplr"), "unknown_node", "sampler", None, "KSampler"),
    "wrong link type": (set_input("decode", "vae", {"$link": ["checkpoint", "model"]}), "wrong_link", "decode", "vae", "checkpoint.vae"),
    "missing input": (lambda n: n["sampler"]["inputs"].pop("latents"), "missing_input", "sampler", "latents", "latents.value"),
    "extra input": (set_input("sampler", "cfg", 3.0), "unknown_input", "sampler", "cfg", None),
    "misspelt input": (set_input("sampler", "guidance_scal", 3.0), "unknown_input", "sampler", "guidance_scal", "guidance_scale"),
    "out of range": (set_input("sampler", "denoise", 1.4), "out_of_range", "sampler", "denoise", "1"),
    "unknown choice": (set_input("sampler", "schedule", "karas"), "out_of_range", "sampler", "schedule", "karras"),
    "wrong value": (set_input("sampler", "steps", "20"), "wrong_type", "sampler", "steps", None),
    "no such model": (set_input("checkpoint", "checkpoint", "startr.safetensors"), "missing_file", "checkpoint", "checkpoint", "starter.safetensors"),
    "link to nothing": (set_input("decode", "latents", {"$link": ["samplr", "value"]}), "unknown_link", "decode", "latents", "sampler"),
    "no such output": (set_input("decode", "vae", {"$link": ["checkpoint", "vea"]}), "unknown_link", "decode", "vae", "vae"),
    "newer node": (lambda n: n["sampler"].update(version=99), "version", "sampler", None, None),
    "cycle": (set_input("sampler", "latents", {"$link": ["sampler", "value"]}), "cycle", "sampler", None, None),
    "odd size": (set_input("latents", "width", 129), "out_of_range", "latents", "width", "128"),
    "steps that do not fit": (set_input("sampler", "start_step", 21), "bad_value", "sampler", "start_step", "20"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_document_is_explained(darkroom: Darkroom, tmp_path: Path, name: str) -> None:
    edit, code, node, place, hint = BROKEN[name]
    changed = document()
    edit(changed["nodes"])
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(changed))
    problem = darkroom.fault("check", str(path))
    assert (problem["code"], problem["node"], problem["input"]) == (code, node, place)
    assert problem["hint"] == hint
    assert f'"{node}"' in problem["message"]
    status, answer = darkroom("run", str(path))
    assert status == 1
    assert answer["problems"] == [problem]


def test_all_that_is_wrong_is_told_at_once(darkroom: Darkroom, tmp_path: Path) -> None:
    changed = document()
    for name in ("extra input", "out of range", "wrong link type", "no such model"):
        BROKEN[name][0](changed["nodes"])
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(changed))
    status, answer = darkroom("check", str(path))
    assert status == 1
    assert len(answer["problems"]) == 4


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{", "is not JSON"),
        ('{"darkroom": 1, "nodes": {}', "save the workflow again"),
        ('{"darkroom": 1, "nodes": {"a": {"type": "Number", "version": ' + "9" * 10_000 + "}}}", "10000 digits"),
        ('{"darkroom": 1, "nodes": {"a": {"type": "Add"}, "a": {"type": "Add"}}}', "'a' stands twice"),
        ('{"darkroom": 1, "nodes": {"a": {"type": "Number", "inputs": {"value": NaN}}}}', "NaN"),
        ("[" * 100_000, "nested too deeply"),
        ('{"darkroom": 7}', "update Darkroom"),
        ('{"nodes": {}}', "not a Darkroom workflow"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_workflow(
    darkroom: Darkroom, tmp_path: Path, text: str, fault: str
) -> None:
    path = tmp_path / "broken.json"
    path.write_text(text)
    assert fault in darkroom.fault("check", str(path))["message"]


def header(entries: Json, body: int = 64) -> bytes:
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text + bytes(body)


def tensor(start: int, end: int) -> Json:
    return {"dtype": "F32", "shape": [(end - start) // 4], "data_offsets": [start, end]}


DAMAGED: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "text": lambda: b"<html>not found</html>" * 10,
    "huge header": lambda: struct.pack("<Q", 2**62) + b"{}",
    "no JSON": lambda: struct.pack("<Q", 4) + b"}}}}",
    "beyond the end": lambda: header({"a": tensor(0, 4096)}),
    "overlap": lambda: header({"a": tensor(0, 32), "b": tensor(16, 64)}),
    "negative": lambda: header({"a": tensor(-8, 64)}),
    "truncated": lambda: (STARTER / "starter.safetensors").read_bytes()[:1_000_000],
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_checkpoint_is_refused(darkroom: Darkroom, name: str) -> None:
    darkroom.put("checkpoints", "bad.safetensors").write_bytes(DAMAGED[name]())
    for command in ("check", "run"):
        problem = darkroom.fault(
            command, str(TEXT_TO_IMAGE), "--set", "checkpoint.checkpoint=bad.safetensors"
        )
        assert problem["code"] == "damaged_file"
        assert "bad.safetensors" in problem["message"]
        assert "again" in problem["message"]


def test_a_checkpoint_of_another_family_is_refused_by_name(darkroom: Darkroom) -> None:
    shapes = {"double_blocks.0.img_attn.qkv.weight": (9, 3), "final_layer.linear.weight": (3, 3)}
    hollow(darkroom.put("checkpoints", "flux.safetensors"), shapes)
    problem = darkroom.fault(
        "check", str(TEXT_TO_IMAGE), "--set", "checkpoint.checkpoint=flux.safetensors"
    )
    assert problem["code"] == "unsupported_family"
    assert "Flux" in problem["message"]


class Attack:
    """Runs a command when it is unpickled carelessly."""

    def __init__(self, command: str) -> None:
        self.command = command

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize(
    ("protocol", "code"), [(2, "unsafe_pickle"), (pickle.DEFAULT_PROTOCOL, "damaged_file")]
)
def test_a_pickle_with_code_is_refused_and_not_run(
    darkroom: Darkroom, command: str, protocol: int, code: str
) -> None:
    touched = darkroom.data / "touched"
    attack = {"state_dict": Attack(f"touch {touched}")}
    darkroom.put("checkpoints", "bad.ckpt").write_bytes(pickle.dumps(attack, protocol=protocol))
    problem = darkroom.fault(command, str(TEXT_TO_IMAGE), "--set", "checkpoint.checkpoint=bad.ckpt")
    assert problem["code"] == code
    assert "nothing of it was run" in problem["message"]
    assert ".safetensors" in problem["message"]
    assert not touched.exists()


def bomb() -> bytes:
    """A picture of 100,000 by 100,000 pixels in a hundred bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    size = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(bytes(64))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("bomb.png", bomb, "too_large"),
        ("cut.png", lambda: (STARTER / "postcard.png").read_bytes()[:900], "damaged_file"),
        ("words.png", lambda: b"words", "damaged_file"),
    ],
)
def test_a_picture_that_cannot_be_read(
    darkroom: Darkroom, name: str, data: Callable[[], bytes], code: str
) -> None:
    inputs = darkroom.data / "inputs"
    inputs.mkdir(parents=True)
    (inputs / name).write_bytes(data())
    problem = darkroom.fault(
        "run", str(ROOT / "workflows" / "image-to-image.json"), "--set", f"image={name}"
    )
    assert (problem["code"], problem["node"]) == (code, "picture")
    assert name in problem["message"]


@pytest.mark.parametrize("name", ["../../../etc/passwd", "/etc/passwd", "link.safetensors"])
def test_a_name_outside_the_folders_is_refused(darkroom: Darkroom, name: str) -> None:
    darkroom.put("checkpoints", "link.safetensors").symlink_to("/etc/passwd")
    problem = darkroom.fault("check", str(TEXT_TO_IMAGE), "--set", f"checkpoint.checkpoint={name}")
    assert problem["code"] == "outside_roots"


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "link.png"])
def test_a_picture_outside_the_folders_is_refused(darkroom: Darkroom, name: str) -> None:
    inputs = darkroom.data / "inputs"
    inputs.mkdir(parents=True)
    (inputs / "link.png").symlink_to("/etc/passwd")
    problem = darkroom.fault(
        "check", str(ROOT / "workflows" / "image-to-image.json"), "--set", f"image={name}"
    )
    assert (problem["code"], problem["node"]) == ("outside_roots", "picture")


def test_a_picture_cannot_be_saved_outside_the_output_folder(darkroom: Darkroom) -> None:
    problem = darkroom.fault("run", str(TEXT_TO_IMAGE), *QUICK, "--set", "save.name=../../escape")
    assert (problem["code"], problem["node"]) == ("outside_roots", "save")
    assert darkroom.states()["sampler"] == "stored"


def with_prompt(folder: Path, prompt: str) -> str:
    changed = document()
    changed["nodes"]["positive"]["inputs"]["text"] = prompt
    path = folder / "odd.json"
    path.write_text(json.dumps(changed))
    return str(path)


@pytest.mark.parametrize("prompt", ["", "nul \x00", "🎈🏠", "a red house " * 2000])
def test_any_text_is_a_prompt(darkroom: Darkroom, tmp_path: Path, prompt: str) -> None:
    status, answer = darkroom("run", with_prompt(tmp_path, prompt), *QUICK)
    assert status == 0
    status, again = darkroom("run", answer["outputs"]["image"][0])
    assert (status, again["outputs"]) == (0, answer["outputs"])


def test_half_a_letter_is_no_prompt(darkroom: Darkroom, tmp_path: Path) -> None:
    for command in ("check", "run"):
        problem = darkroom.fault(command, with_prompt(tmp_path, "a \ud83c house"))
        assert (problem["node"], problem["input"]) == ("positive", "text")
        assert "'\\ud83c' at place 3" in problem["message"]


@pytest.mark.parametrize(
    "setting",
    ["seed=1e400", f"seed={2**64}", "seed=" + "9" * 5000, "guidance_scale=NaN", "width=" + "[" * 500 + "]" * 500],
)  # fmt: skip
def test_numbers_without_bounds_are_refused(darkroom: Darkroom, setting: str) -> None:
    problem = darkroom.fault("check", str(TEXT_TO_IMAGE), "--set", setting)
    assert problem["node"] in {"sampler", "latents"}
    assert "give a" in problem["message"]
    assert len(problem["message"]) < 300


def test_a_picture_without_a_workflow(darkroom: Darkroom) -> None:
    problem = darkroom.fault("run", str(STARTER / "postcard.png"))
    assert "postcard.png" in problem["message"]


def test_a_picture_runs_again(darkroom: Darkroom) -> None:
    _, first = darkroom("run", str(TEXT_TO_IMAGE), *QUICK)
    (path,) = first["outputs"]["image"]
    status, again = darkroom("run", path)
    assert status == 0
    assert again["outputs"] == first["outputs"]
    assert {node["state"] for node in again["nodes"].values()} == {"stored"}


def test_the_broken_documents_start_from_a_right_one(darkroom: Darkroom) -> None:
    assert darkroom("check", str(TEXT_TO_IMAGE)) == (0, {"problems": [], "warnings": []})
