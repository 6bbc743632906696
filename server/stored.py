"""What the stores hold, as JSON."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import StoreError

if TYPE_CHECKING:
    from engine.shared import Shared
    from engine.store import Store


def store_json(store: "Store", folder: Path) -> dict[str, Any]:
    """How much is stored in a folder, and in the shared store if there is one."""
    now = store.size()
    told: dict[str, Any] = {"records": now.records, "bytes": now.bytes, "budget": now.budget}
    told["folder"] = str(folder)
    if store.shared is not None:
        told["shared"] = _shared_size(store.shared)
    return told


def _shared_size(shared: "Shared") -> dict[str, Any]:
    try:
        now = shared.size()
    except StoreError as error:
        return {"place": shared.title, "reachable": False, "fault": str(error)}
    counts = {"records": now.records, "bytes": now.bytes}
    return {"place": shared.title, "reachable": True, **counts}
