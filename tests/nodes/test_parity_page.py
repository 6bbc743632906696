from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import torch

from nodes.widgets import SamplerName
from tests.nodes import parity
from tests.nodes.parity import RECORD, Row, check, known
from tests.parity import PAGE, ROOT, measuring, page, text

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
    for path in measuring():
        module = pytest.Module.from_parent(request.session, path=path)
        found |= {item.nodeid for item in request.session.genitems(module)}
    assert {row.test for row in known()} <= found
    assert all((ROOT / test.split("::")[0]).is_file() for test in found)


FAMILIES = [
    *("SD 1.x", "SD 1.x inpainting", "InstructPix2Pix", "SD image variations", "LCM"),
    *("SD 2.x", "SD 2.x inpainting", "SD 2.x depth", "SD 2.1 unCLIP", "SD-Turbo", "x4 upscaler"),
    *("SDXL", "SDXL inpainting", "SDXL refiner", "SDXL-Turbo"),
]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_compared_in_all_four_ways(family: str) -> None:
    found = {row.what for row in known() if row.family == family}
    assert {"first UNet input", "conditioning", "final latents", "picture"} <= found


def test_karlo_is_compared_to_its_pictures() -> None:
    found = {row.what for row in known() if row.family == "Karlo"}
    assert {"first UNet input", "conditioning", "picture"} <= found


@pytest.mark.parametrize("sampler", get_args(SamplerName))
def test_every_sampler_has_its_final_latents_compared(sampler: SamplerName) -> None:
    ends = [row for row in known() if row.what == "final latents"]
    assert any(f"{sampler} / " in row.sampler for row in ends)


def test_every_detail_of_the_profiles_has_a_row_for_each_that_sets_it() -> None:
    rows = [row for row in known() if row.family == "Details of the profiles"]
    for number in range(1, 11):
        assert any(row.sampler.startswith(f"{number}. ") for row in rows), number
