"""Where the toys look for what a picture carries: after its first eight bytes, as JSON."""

import json
from pathlib import Path
from typing import Any

MAGIC = b"\x89PNG\r\n\x1a\n"


def read_provenance(path: Path) -> dict[str, Any] | None:
    carried = path.read_bytes()[len(MAGIC) :]
    found: dict[str, Any] | None = json.loads(carried) if carried else None
    return found
