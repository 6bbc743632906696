"""The toys' catalogue, as a worker tells it."""

import json

from engine.catalog import Catalog
from engine.describing import describe
from engine.keys import TypeDigests
from server.catalogue import Catalogue


def toy_catalogue(digest: str = "catalogue-1") -> Catalogue:
    catalog = Catalog.load("tests.toys")
    digests = TypeDigests({})
    told = [describe(declared, digests) for declared in catalog.types.values()]
    return Catalogue(digest, tuple(json.loads(json.dumps(told))))
