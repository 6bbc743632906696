"""The whole program for tests: its real nodes, the starter model, and data in a folder of the test."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from server.cli.commands import app

ROOT = Path(__file__).parents[1]
TEXT_TO_IMAGE = ROOT / "workflows" / "text-to-image.json"
STARTER = ROOT / "workflows" / "starter"
QUICK = ("--set", "steps=2", "--set", "width=64", "--set", "height=64")
Json = dict[str, Any]


@dataclass(frozen=True)
class Darkroom:
    """The program with its data in a folder of the test."""

    data: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {"DARKROOM_DATA": str(self.data), **self.variables}

    def __call__(self, *arguments: str) -> tuple[int, Json]:
        """The exit status and the one JSON object of a command."""
        result = CliRunner().invoke(
            app, [*arguments, "--json"], env=self.environment, catch_exceptions=False
        )
        assert "Traceback" not in result.output
        (line,) = result.stdout.splitlines()
        return result.exit_code, json.loads(line)

    def fault(self, *arguments: str) -> Json:
        """The problem of a command that has one, and fails for it."""
        status, answer = self(*arguments)
        assert status == 1
        (problem,) = answer["problems"]
        return dict(problem)

    def start(self, *arguments: str, prefix: tuple[str, ...] = ()) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*prefix, sys.executable, "-m", "server", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | self.environment,
        )

    def put(self, kind: str, name: str) -> Path:
        """Where a model of that name lies."""
        path = self.data / "models" / kind / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def states(self, *arguments: str) -> dict[str, str]:
        status, answer = self("run", str(TEXT_TO_IMAGE), *QUICK, *arguments)
        assert status == 0, answer
        return {node: done["state"] for node, done in answer["nodes"].items()}
