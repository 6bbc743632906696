"""A process that writes records until it is killed: `python -m tests.writing LOCAL SHARED NAME`.

Each record names its writer twice, in its JSON and in its tensors, so that a mixed one is seen.
"""

import hashlib
import random
import sys
from pathlib import Path

from engine.disk import Disk
from engine.place import Folder
from engine.shared import Shared
from engine.store import Store
from tests.engine.test_store import CODECS, HERE, Array

KEYS = [hashlib.sha256(bytes([number])).hexdigest() for number in range(24)]


def opened(local: Path, shared: Path) -> Store:
    """A machine's store."""
    return Store(local, CODECS, shared=Shared(Disk(Folder(shared), CODECS, 0)))


def write(store: Store, key: str, writer: int) -> None:
    """Put what a writer makes for a key."""
    outputs = {"writer": writer, "numbers": Array(*[writer] * 5000)}
    store.put(key, outputs, "Add", 1.0, keep=True)


def found(store: Store, key: str) -> int | None:
    """Who wrote what the store has for a key; none if it has nothing."""
    record = store.get(key, HERE)
    if record is None:
        return None
    writer: int = record.outputs["writer"]
    assert record.outputs["numbers"] == Array(*[writer] * 5000)
    return writer


def main() -> None:
    """Write each key again and again, saying so after each round."""
    local, shared, writer = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    while True:
        store = opened(local, shared)
        store.begin(lambda message: print("warned", message, flush=True))
        for key in random.sample(KEYS, len(KEYS)):
            found(store, key)
            write(store, key, writer)
        store.flush()
        print("round", flush=True)


if __name__ == "__main__":
    main()
