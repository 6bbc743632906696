"""The documents say what is so."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.catalog import Catalog
from engine.check import check
from engine.types import accepts
from engine.workflow import Workflow
from nodes.reference import reference
from tests.serving import free_port

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_shipped_workflow_is_listed() -> None:
    text = (ROOT / "docs" / "workflows.md").read_text(encoding="utf-8")
    assert [w.stem for w in (ROOT / "workflows").glob("*.json") if f"`{w.stem}`" not in text] == []


def test_the_python_example_makes_a_valid_workflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = blocks(ROOT / "docs" / "workflows.md", "python")
    exec(compile(code, "docs/workflows.md", "exec"), {})  # noqa: S102 - our own example
    catalog = Catalog.load("nodes")
    runtime = catalog.runtime(data=tmp_path, device="cpu")
    assert check(Workflow.read(tmp_path / "house.json"), catalog, runtime) == []


def test_the_example_node_is_a_node() -> None:
    import torch

    from engine.node import node_type
    from nodes import facts
    from nodes.values import Image

    space: dict[str, object] = {"__name__": "example"}
    for code in blocks(ROOT / "docs" / "writing-nodes.md", "python"):
        exec(compile(code, "docs/writing-nodes.md", "exec"), space)  # noqa: S102 - our own example
    brighten, halve = space["brighten"], space["halve_image"]
    assert callable(brighten)
    assert float(brighten(Image(torch.full((1, 3, 2, 2), 0.25)), amount=2.0).pixels.max()) == 0.5
    assert callable(halve)
    declared = node_type(halve)
    assert declared.infer is not None
    odd = Image(torch.zeros(2, 3, 5, 7))
    assert declared.infer(image=facts.of(odd)) == facts.of(halve(odd)) == facts.PixelFacts(2, 2, 3)


def test_the_reference_of_the_nodes_is_up_to_date() -> None:
    made = reference(Catalog.load("nodes"))
    page = ROOT / "docs" / "node-reference.md"
    assert page.read_text(encoding="utf-8") == made, (
        "run: python -m nodes.reference > docs/node-reference.md"
    )


def test_the_page_of_tasks_names_nodes_and_workflows_that_are_there() -> None:
    catalog, page = Catalog.load("nodes"), ROOT / "docs" / "nodes.md"
    text = page.read_text(encoding="utf-8")
    for line in "".join(blocks(page, "links")).splitlines():
        (source, output), (target, name) = (end.split(".") for end in line.split(" → "))
        given = catalog[source].outputs[output]
        assert accepts(catalog[target].inputs[name].hint, given, {}), line
    words = set(re.findall(r"\b(?:[A-Z]+[a-z0-9]+){2,}[A-Z]*\b", re.sub(r"\]\([^)]*\)", "", text)))
    known = {"InstructPix2Pix", "ControlNet", "ComfyUI", "LoRAs", "ControlNets"}
    assert words - known - set(catalog) == set()
    shipped = {w.relative_to(ROOT / "workflows").with_suffix("").as_posix() for w in (ROOT / "workflows").rglob("*.json")}  # fmt: skip
    named = set(re.findall(r"`([a-z]+(?:/[a-z0-9-]+|-[a-z-]+))`", text))
    assert named - shipped == set()
    assert {name for name in shipped if name.startswith("families/")} - named == set()


def test_every_node_has_a_summary_a_category_and_a_schema() -> None:
    for declared in Catalog.load("nodes").values():
        schema = declared.schema()
        assert schema["summary"].endswith("."), declared.name
        assert schema["category"], declared.name
        assert schema["inputs"]["type"] == "object"


@dataclass
class Shell:
    """A bash in an empty folder, with `darkroom` on its path, that notes what servers answer."""

    folder: Path

    def __post_init__(self) -> None:
        real, bash = shutil.which("curl"), shutil.which("bash")
        if real is None or bash is None or shutil.which("jq") is None:
            pytest.skip("curl or jq is not installed here (Debian: apt install curl jq)")
        self.bash = bash
        self.ports = {"8188": str(free_port()), "9000": str(free_port())}
        noting = f'exec {real} --write-out "%{{stderr}}STATUS %{{http_code}}\\n" "$@"'
        self._program("curl", noting)
        self._program("python", f'exec {sys.executable} "$@"')
        self._program("darkroom", f'exec {sys.executable} -m server "$@"')

    def save(self, name: str, code: str) -> None:
        """Save a file of the page beside where its script runs."""
        (self.folder / name).write_text(self._elsewhere(code), encoding="utf-8")

    def _elsewhere(self, text: str) -> str:
        for named, free in self.ports.items():
            text = text.replace(named, free)
        return text

    def _program(self, name: str, line: str) -> None:
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
        path.chmod(0o755)

    def run(self, script: str) -> tuple[str, list[str]]:
        """What a script prints, and the statuses of errors among its answers."""
        script = script.replace("serve --no-browser", "serve --no-browser --port 8188")
        script = f"trap 'kill $(jobs -p)' EXIT\n{self._elsewhere(script)}"
        environment = {
            **os.environ,
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "DARKROOM_DATA": str(self.folder / "data"),
        }
        with (self.folder / "log").open("w+") as log:
            shell = subprocess.Popen(
                [self.bash, "-eu", "-o", "pipefail", "-c", script],
                cwd=self.folder,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
            try:
                printed, _ = shell.communicate(timeout=120)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(shell.pid, signal.SIGKILL)
            log.seek(0)
            told = log.read()
        assert shell.returncode == 0, f"{printed}\n{told}"
        statuses = re.findall(r"^STATUS (\d+)$", told, re.MULTILINE)
        return printed, [each for each in statuses if not "200" <= each < "400"]


@pytest.mark.slow
def test_the_readmes_lines_for_the_server_make_a_picture(tmp_path: Path) -> None:
    (script,) = blocks(ROOT / "README.md", "sh")
    printed, errors = Shell(tmp_path).run(script.replace(".venv/bin/darkroom", "darkroom"))
    assert errors == []
    assert (tmp_path / "house.png").read_bytes().startswith(b"\x89PNG")
    assert "job.succeeded" in printed


@pytest.mark.slow
def test_the_walk_through_the_server_works_as_printed(tmp_path: Path) -> None:
    page = ROOT / "docs" / "server.md"
    shell = Shell(tmp_path)
    for code in blocks(page, "python"):
        shell.save(code.partition("\n")[0].removeprefix("# "), code)
    script = "".join(blocks(page, "sh"))
    printed, errors = shell.run(script)
    assert errors == re.findall(r"  # (\d{3})$", script, re.MULTILINE)
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "beginning.part").stat().st_size == 1024
    assert (tmp_path / "thumbnail.jpg").read_bytes().startswith(b"\xff\xd8")
    assert 'KSampler "sampler": steps is 0; give a whole number from 1 to 1000' in printed
    assert "a preview of" in printed
    assert '"title": "The workflow cannot run"' in printed
    assert re.search(r"^job.succeeded [0-9a-f-]{36}$", printed, re.MULTILINE)
    assert len(list((tmp_path / "pictures").glob("*.png"))) == 1


def test_the_webhook_example_knows_the_servers_signature() -> None:
    from server.api.webhooks import signature

    space: dict[str, object] = {"__name__": "hook"}
    code = next(code for code in blocks(ROOT / "docs" / "server.md", "python") if "hmac" in code)
    exec(compile(code, "docs/server.md", "exec"), space)  # noqa: S102 - our own example
    is_genuine = space["is_genuine"]
    assert callable(is_genuine)
    now = int(time.time())
    good = signature("secret", b"body", now)
    assert is_genuine("secret", b"body", good)
    assert not is_genuine("secret", b"Body", good)
    assert not is_genuine("other", b"body", good)
    assert not is_genuine("secret", b"body", signature("secret", b"body", now - 1000))
    assert not is_genuine("secret", b"body", "nonsense")
