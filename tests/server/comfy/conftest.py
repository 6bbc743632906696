from typing import Any

import pytest

from engine.catalog import Catalog

Json = dict[str, Any]


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return Catalog.load("nodes")


@pytest.fixture(scope="session")
def catalogue(catalog: Catalog) -> Json:
    """The node types as the server knows them: JSON."""
    return {name: declared.schema() for name, declared in catalog.types.items()}
