"""Nodes that read pictures."""

from engine.node import node
from tests.toys.runtime import Shelf


@node("Look", category="pictures", volatile=True)
def look(shelf: Shelf, *, image: str) -> str:
    """What a picture's file holds."""
    return shelf.find(image).read_text(encoding="utf-8")
