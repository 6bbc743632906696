from pathlib import Path

import pytest
import torch

from tests.nodes import parity
from tests.nodes.parity import Row
from tests.parity import page


def test_a_figure_is_noted_where_the_command_asks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(parity.VARIABLE, str(tmp_path / "rows"))
    parity.agree("SD 1.x", "euler", torch.ones(2) + 1e-6, torch.ones(2), what="nothing")
    assert '"family": "SD 1.x"' in (tmp_path / "rows").read_text()


def test_what_lies_too_far_apart_fails_and_says_what_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(parity.VARIABLE, raising=False)
    with pytest.raises(AssertionError, match=r"SD 1\.x"):
        parity.agree("SD 1.x", "euler", torch.ones(2) * 1.01, torch.ones(2))


def test_the_page_shows_the_worst_figure_of_each_comparison() -> None:
    text = page([Row("SDXL", "euler", 2e-7), Row("SDXL", "euler", 4e-6), Row("SD", "ddim", 1e-7)])
    assert text.count("| final latents |") == 2
    assert "| final latents | euler | diffusers | 4.0e-06 |" in text
    assert text.index("## SD\n") < text.index("## SDXL")
