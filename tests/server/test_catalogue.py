import json
from dataclasses import replace
from pathlib import Path

import pytest

from server.catalogue import Catalogue
from tests.server.catalogues import toy_catalogue


def test_a_catalogue_is_remembered(tmp_path: Path) -> None:
    told, path = toy_catalogue(), tmp_path / "catalogue.json"
    told.remember(path)
    again = Catalogue.remembered(path)
    assert again == told
    assert again is not None
    assert "Add" in again.types


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[]",
        "null",
        "{}",
        '{"digest": "x"}',
        '{"digest": "x", "types": 7}',
        '{"digest": "x", "types": [7]}',
        '{"digest": "x", "types": [{}]}',
        '{"digest": "x", "types": [{"type": "Add"}]}',
        '{"digest": "x", "types": []}',
    ],
)
def test_what_cannot_be_read_is_not_remembered(tmp_path: Path, text: str) -> None:
    path = tmp_path / "catalogue.json"
    path.write_text(text)
    assert Catalogue.remembered(path) is None


def test_what_another_version_wrote_is_not_remembered(tmp_path: Path) -> None:
    told, path = toy_catalogue(), tmp_path / "catalogue.json"
    known = [{k: v for k, v in each.items() if k != "inputs"} for each in told.descriptions]
    path.write_text(json.dumps({"digest": told.digest, "types": known}))
    assert Catalogue.remembered(path) is None


def test_a_disk_that_takes_nothing_is_no_fault(tmp_path: Path) -> None:
    toy_catalogue().remember(tmp_path / "nowhere" / "catalogue.json")
    assert Catalogue.remembered(tmp_path / "nowhere" / "catalogue.json") is None


def test_the_files_that_a_node_names_are_found() -> None:
    told = toy_catalogue()
    descriptions = tuple(
        {**each, "inputs": {"properties": {"file": {"files": "models"}, "n": {"type": "number"}}}}
        for each in told.descriptions
        if each["type"] == "ReadFile"
    )
    catalogue = replace(told, descriptions=descriptions)
    assert catalogue.files_named("ReadFile", {"file": "a.st", "n": 3}) == ["a.st"]
    assert catalogue.files_named("ReadFile", {"file": {"$link": ["a", "b"]}}) == []
    assert catalogue.files_named("Add", {"a": "a.st"}) == []
