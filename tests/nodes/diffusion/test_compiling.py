import shutil

import pytest

from nodes.diffusion import compiling
from nodes.diffusion.pool import Pool
from nodes.folders import Folders
from nodes.loaders import load_checkpoint
from tests.nodes.conftest import Tiny

# torch's compiler still imports what torch itself has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def _is_compiled(tiny: Tiny, folders: Folders, *, asked: bool) -> bool:
    checkpoint = load_checkpoint(checkpoint=tiny.checkpoint, folders=folders)
    with Pool(folders, compiles=asked).borrow(checkpoint.model) as unet:
        return unet._compiled_call_impl is not None


def test_models_are_compiled_only_if_that_is_asked_for(tiny: Tiny, folders: Folders) -> None:
    assert not _is_compiled(tiny, folders, asked=False)
    assert _is_compiled(tiny, folders, asked=True) == (compiling.compiler("cpu") is not None)


def test_without_a_compiler_models_run_as_they_are(
    tiny: Tiny,
    folders: Folders,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)

    assert not _is_compiled(tiny, folders, asked=True)
    assert "not compiled, for a C++ compiler (g++ or clang++) is not installed" in caplog.text
