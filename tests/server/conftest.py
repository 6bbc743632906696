import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from server.cli.commands import app
from tests.server.databases import database, database_url, jobs, postgres

__all__ = ["database", "database_url", "jobs", "postgres"]

ROOT = Path(__file__).parent.parent.parent
Json = dict[str, Any]


@dataclass(frozen=True)
class Said:
    """What a call of the program gave."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        (line,) = self.out.splitlines()
        return json.loads(line)


@dataclass
class Darkroom:
    """The program over the toy nodes, with its data in a folder of the test."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str) -> Said:
        result = CliRunner().invoke(app, arguments, env=self.environment, catch_exceptions=False)
        return Said(result.exit_code, result.stdout, result.stderr)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "server", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env={**os.environ, **self.environment, "PYTHONPATH": str(ROOT)},
        )

    def process(self, *arguments: str) -> Said:
        started = self.start(*arguments)
        out, err = started.communicate(timeout=60)
        return Said(started.returncode, out, err)

    def write(self, nodes: Mapping[str, Any], name: str = "work.json", **rest: Any) -> str:
        path = self.folder / name
        path.write_text(json.dumps({"darkroom": 1, "nodes": nodes, **rest}), encoding="utf-8")
        return str(path)

    def written(self, content: bytes, name: str) -> str:
        path = self.folder / name
        path.write_bytes(content)
        return str(path)


@pytest.fixture
def darkroom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Darkroom:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DARKROOM_SERVER", raising=False)
    return Darkroom(
        tmp_path, {"DARKROOM_DATA": str(tmp_path / "data"), "DARKROOM_NODES": "tests.toys"}
    )


@pytest.fixture
def sum_file(darkroom: Darkroom) -> str:
    return darkroom.write(
        {
            "add": {"type": "Add", "inputs": {"a": 1.0, "b": 2.0}},
            "slow": {"type": "Slow", "inputs": {"number": {"$link": ["add", "value"]}}},
            "dye": {"type": "Dye"},
            "describe": {"type": "Describe", "inputs": {"cloth": {"$link": ["dye", "value"]}}},
            "write": {"type": "Write", "inputs": {"text": {"$link": ["describe", "value"]}}},
        },
        inputs={
            "first": {"node": "add", "input": "a"},
            "words": {"node": "describe", "input": "words"},
            "count": {"node": "describe", "input": "count"},
        },
        outputs={
            "sum": {"node": "slow", "output": "value"},
            "cloth": {"node": "dye", "output": "value"},
            "file": {"node": "write", "output": "value"},
        },
    )
