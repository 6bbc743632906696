from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.nodes import parity
from tests.nodes.parity import RECORD, Row, check, known
from tests.parity import PAGE, ROOT, page, tests, text

ONE = Row("SD 1.x", "euler", 1e-7, test="a")


def test_a_figure_is_noted_and_what_lies_too_far_apart_fails() -> None:
    parity.agree("SD 1.x", "euler", torch.ones(2) + 1e-6, torch.ones(2), what="nothing")
    with pytest.raises(AssertionError, match=r"SD 1\.x"):
        parity.agree("SD 1.x", "euler", torch.ones(2) * 1.01, torch.ones(2))
    with pytest.raises(AssertionError, match="picture"):
        parity.look_alike("SD 1.x", "euler", torch.tensor([0, 0.995]), torch.tensor([0.0, 1.0]))
    assert [row.what for row in parity.taken()] == ["nothing", "final latents", "picture"]


def test_rows_that_come_or_go_are_noticed_and_other_figures_are_not() -> None:
    check("a", [replace(ONE, figure=9e-6, test="")], [ONE])
    with pytest.raises(AssertionError, match=r"it lacks .*ddim"):
        check("a", [ONE, replace(ONE, sampler="ddim")], [ONE])
    with pytest.raises(AssertionError, match=r"and has .*euler"):
        check("a", [], [ONE])
    check("b", [], [ONE])


def test_tests_write_their_rows_where_the_command_asks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(parity.VARIABLE, str(tmp_path / "rows"))
    parity.record(ONE)
    parity.finish("some test")
    assert '"test": "some test"' in (tmp_path / "rows").read_text()
    assert not parity.taken()


def test_the_page_shows_the_worst_figure_of_each_comparison() -> None:
    made = page([Row("SDXL", "euler", 2e-7), Row("SDXL", "euler", 4e-6), Row("SD", "ddim", 1e-7)])
    assert made.count("| final latents |") == 2
    assert "| final latents | euler | diffusers | 4.0e-06 |" in made
    assert made.index("## SD\n") < made.index("## SDXL")


def test_the_page_is_what_the_record_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(known())
    assert RECORD.read_text(encoding="utf-8") == text(known())


def test_no_row_lies_over_its_limit() -> None:
    assert not [row for row in known() if not row.figure < row.tolerance]


def test_every_row_of_the_page_has_its_test(request: pytest.FixtureRequest) -> None:
    found: set[str] = set()
    for path in tests():
        module = pytest.Module.from_parent(request.session, path=path)
        found |= {item.nodeid for item in request.session.genitems(module)}
    assert {row.test for row in known()} <= found
    assert all((ROOT / test.split("::")[0]).is_file() for test in found)
