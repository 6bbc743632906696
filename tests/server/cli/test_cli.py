import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.conftest import ROOT, Darkroom


def test_a_program_reads_one_object_from_standard_output(darkroom: Darkroom, sum_file: str) -> None:
    said = darkroom.process("run", sum_file, "--json")

    assert said.status == 0
    assert set(said.json) == {"outputs", "values", "nodes"}


def test_a_broken_workflow_leaves_with_1_and_no_traceback(darkroom: Darkroom) -> None:
    said = darkroom.process("run", darkroom.write({"a": {"type": "Ad"}}))

    assert said.status == 1
    assert said.out == ""
    assert "hint: Add" in said.err
    assert "Traceback" not in said.err


def test_a_fault_inside_leaves_with_70_and_a_log(darkroom: Darkroom) -> None:
    darkroom.environment["DARKROOM_NODES"] = "tests.server.cli.faulty"

    said = darkroom.process("nodes", "--json")

    assert said.status == 70
    assert said.json["error"]["code"] == "internal"
    log = Path(said.json["error"]["hint"].partition(": ")[2])
    assert "ZeroDivisionError" in log.read_text(encoding="utf-8")
    assert "Traceback" not in said.err


def test_a_log_that_cannot_be_in_the_data_folder_is_elsewhere(darkroom: Darkroom) -> None:
    darkroom.environment["DARKROOM_NODES"] = "tests.server.cli.faulty"
    darkroom.environment["DARKROOM_DATA"] = darkroom.written(b"", "file")
    darkroom.environment["TMPDIR"] = str(darkroom.folder)

    hint = darkroom.process("nodes", "--json").json["error"]["hint"]

    assert Path(hint.partition(": ")[2]).parent == darkroom.folder


def test_a_node_package_that_is_not_there_is_named(darkroom: Darkroom) -> None:
    darkroom.environment["DARKROOM_NODES"] = "nowhere"

    said = darkroom("nodes", "--json")

    assert said.status == 1
    assert said.json["error"]["code"] == "no_nodes"


def test_a_command_that_is_not_understood_leaves_with_2(darkroom: Darkroom) -> None:
    assert darkroom.process("rum").status == 2
    assert darkroom.process("run").status == 2


def test_a_reader_that_leaves_early_sees_no_traceback(darkroom: Darkroom) -> None:
    program = darkroom.start("nodes")
    assert program.stdout is not None
    program.stdout.close()
    assert program.stderr is not None
    err = program.stderr.read()
    program.wait(timeout=30)
    program.stderr.close()

    assert "Traceback" not in err


def test_text_survives_an_ascii_terminal(darkroom: Darkroom, sum_file: str) -> None:
    darkroom.environment["PYTHONIOENCODING"] = "ascii"

    said = darkroom.process("run", sum_file, "--set", "words=日本")

    assert said.status == 0
    assert "Traceback" not in said.err


def test_the_version_is_printed(darkroom: Darkroom) -> None:
    said = darkroom.process("--version")

    assert said.status == 0
    assert said.out.startswith("darkroom ")


HEAVY = ("torch", "numpy", "PIL", "diffusers", "transformers", "safetensors")


@pytest.mark.parametrize("command", [["--help"], ["nodes"], ["models"]])
def test_asking_loads_nothing_heavy(darkroom: Darkroom, command: list[str]) -> None:
    assert loaded(darkroom, *command) == []


@pytest.mark.parametrize(
    "name", [path.stem for path in sorted((ROOT / "workflows").glob("*.json"))]
)
def test_checking_loads_no_model_and_no_torch(darkroom: Darkroom, name: str) -> None:
    assert loaded(darkroom, "check", name) in ([], ["PIL"])  # PIL, if a picture's size is asked for


def test_the_server_is_there_without_torch_and_without_what_draws_for_terminals() -> None:
    code = (
        "import json, sys\n"
        "from server.cli import commands, serving\n"
        "serving._load_log()\n"
        "import server.serve\n"
        f"print(json.dumps([name for name in {(*HEAVY, 'rich')!r} if name in sys.modules]))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(told.stdout) == []


def loaded(darkroom: Darkroom, *command: str) -> list[str]:
    """The heavy libraries that a command loads."""
    del darkroom.environment["DARKROOM_NODES"]
    code = (
        "import json, sys\n"
        "from server.cli.commands import app\n"
        f"app({[*command]!r}, standalone_mode=False)\n"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))\n"
    )
    environment = {**darkroom.environment, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        cwd=darkroom.folder,
    )

    heavy: list[str] = json.loads(done.stdout.splitlines()[-1])
    return heavy
