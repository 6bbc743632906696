import csv
import errno
import io
import json
import math
import os
from pathlib import Path
from typing import Any

import pytest

from engine.artifacts import Artifact, Delivery
from engine.errors import InputError
from engine.grid import Axis, Grid
from engine.node import node_type
from nodes.output import Csv, Json, Markdown, TableFormat, save_table
from nodes.tables import csv_text, joined, within

SEEDS = Axis("seed", (1, 2))
PROMPTS = Axis("prompt", ('a "red" house', "a house,\nat night"))
VALUES = Grid((PROMPTS, SEEDS), (0.5, 1, math.nan, None))


@pytest.fixture
def delivery(tmp_path: Path) -> Delivery:
    return Delivery(tmp_path / "outputs", tmp_path / "previews")


def saved(delivery: Delivery, values: Any, to: TableFormat, **options: Any) -> str:
    artifact = save_table(Grid.of(values), to=to, delivery=delivery, **options)
    return Path(artifact.path).read_bytes().decode()


def artifact(path: Path) -> Artifact:
    return Artifact(str(path), "image/png", "", 0)


def test_a_csv_has_a_row_for_each_cell_and_a_column_for_each_axis(delivery: Delivery) -> None:
    text = saved(delivery, VALUES, Csv())

    assert list(csv.reader(io.StringIO(text))) == [
        ["prompt", "seed", "value"],
        ['a "red" house', "1", "0.5"],
        ['a "red" house', "2", "1"],
        ["a house,\nat night", "1", "NaN"],
        ["a house,\nat night", "2", ""],
    ]


@pytest.mark.parametrize(("separator", "mark"), [("comma", ","), ("semicolon", ";"), ("tab", "\t")])
def test_the_separator_can_be_chosen(delivery: Delivery, separator: Any, mark: str) -> None:
    text = saved(delivery, [7.5], Csv(separator=separator), header="ßcore")

    assert text == f"item{mark}ßcore\n0{mark}7.5\n"


def test_json_is_a_list_of_rows_and_has_null_for_what_it_lacks(delivery: Delivery) -> None:
    cells = ([math.inf, True], {"x": -math.inf}, "漢字", 3)

    rows = json.loads(saved(delivery, Grid((PROMPTS, SEEDS), cells), Json()))

    assert [row["value"] for row in rows] == [[None, True], {"x": None}, "漢字", 3]
    assert rows[2] == {"prompt": "a house,\nat night", "seed": 1, "value": "漢字"}


def test_markdown_is_a_table_whatever_the_texts_hold(delivery: Delivery) -> None:
    text = saved(delivery, Grid((Axis("a|b", ("*x*\ny", "z")),), (1.5, 2)), Markdown())

    assert text == "| a\\|b | value |\n| --- | ---: |\n| \\*x\\*<br>y | 1.5 |\n| z | 2 |\n"


def test_files_are_named_from_where_the_table_lies(delivery: Delivery) -> None:
    inside, outside = delivery.folder / "cats" / "tabby_00001.png", Path("/elsewhere/x.png")
    values = Grid((SEEDS,), ([artifact(inside)], [artifact(inside), artifact(outside)]))

    text = saved(delivery, values, Csv(), name="tables/of cats")
    rows = json.loads(saved(delivery, values, Json(), header="file"))

    assert text.splitlines()[1] == "1,../cats/tabby_00001.png"
    assert text.splitlines()[2] == '2,"[""../cats/tabby_00001.png"", ""/elsewhere/x.png""]"'
    assert rows[0] == {"seed": 1, "file": ["cats/tabby_00001.png"]}


def test_columns_of_fewer_axes_are_repeated(delivery: Delivery) -> None:
    columns = {"by seed": Grid((SEEDS,), ("x", "y")), "note": "z"}

    text = saved(delivery, VALUES, Json(), columns=columns)

    assert [(row["by seed"], row["note"]) for row in json.loads(text)] == [
        ("x", "z"), ("y", "z"), ("x", "z"), ("y", "z"),
    ]  # fmt: skip


def test_a_column_may_have_more_axes_than_the_values() -> None:
    turned = Grid((SEEDS, PROMPTS), ("a", "b", "c", "d"))

    table = joined({"v": Grid((PROMPTS,), (1, 2)), "w": turned}, str)

    assert table.names == ("seed", "prompt", "v", "w")
    assert [row[2:] for row in table.rows] == [(1, "a"), (2, "b"), (1, "c"), (2, "d")]


def test_a_single_value_is_a_table_of_one_row(delivery: Delivery) -> None:
    assert saved(delivery, "cat", Csv()) == "value\ncat\n"


def test_columns_of_another_sweep_are_refused(delivery: Delivery) -> None:
    other = Grid((Axis("seed", (1, 2, 3)),), (1, 2, 3))

    with pytest.raises(InputError, match=r"'loss' varies by seed in 3 labels.*'value' does not"):
        save_table(VALUES, columns={"loss": other}, delivery=delivery)


def test_names_that_stand_twice_are_refused(delivery: Delivery) -> None:
    with pytest.raises(InputError, match="two columns are named 'seed'"):
        save_table(VALUES, header="seed", delivery=delivery)


def test_what_no_table_can_show_is_refused(delivery: Delivery) -> None:
    with pytest.raises(InputError, match="'value' holds a value of type object"):
        save_table(Grid.of([object()]), delivery=delivery)


def test_text_that_is_no_unicode_is_saved_all_the_same(delivery: Delivery) -> None:
    assert saved(delivery, "\ud800", Csv()) == "value\n?\n"


def test_paths_outside_the_outputs_stay_whole(tmp_path: Path) -> None:
    place = within(tmp_path / "a", tmp_path / "a" / "b")

    assert place(str(tmp_path / "a" / "x.png")) == "../x.png"
    assert place(str(tmp_path / "y.png")) == str(tmp_path / "y.png")


def test_an_empty_table_has_its_names(delivery: Delivery) -> None:
    assert csv_text(joined({"value": Grid((Axis("seed", ()),), ())}, str), ",") == "seed,value\n"


def test_a_table_that_cannot_be_saved_is_told(
    delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OSError, match=r"the table was not saved .*free space"):
        save_table(VALUES, delivery=delivery)


def test_it_is_an_output_node_that_takes_any_table() -> None:
    declared = node_type(save_table)

    assert declared.delivers
    assert declared.schema()["inputs"]["properties"]["values"]["link"] == "Grid[anything]"
