"""The catalogue that the editor's own tests read is the one that the server tells of."""

import json
from pathlib import Path

from engine.catalog import Catalog

FIXTURE = Path(__file__).parents[1] / "web/tests/catalogue.fixture.json"
UPDATE = "python -m tests.test_editor_fixture"


def text() -> str:
    beside = {"checks", "code"}
    types = {
        each["type"]: {key: value for key, value in each.items() if key not in beside}
        for each in Catalog.load("nodes").describe()
    }
    return json.dumps({"digest": "fixture", "nodes": types}, indent=1, ensure_ascii=False) + "\n"


def test_the_editors_fixture_is_of_today() -> None:
    assert FIXTURE.read_text(encoding="utf-8") == text(), f"write it again: {UPDATE}"


if __name__ == "__main__":
    FIXTURE.write_text(text(), encoding="utf-8")
