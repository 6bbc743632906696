"""Files written whole: readers find the old content or the new, never a part."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_whole(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Put `data` in the place of the file, if there is one.

    Args:
        path: The file; its folder exists.
        data: What it shall hold.
        durable: Wait until the disk has it, so that a loss of power cannot take it back.

    Raises:
        OSError: The disk is full or the folder is not writable. The old file is as it was.
    """
    with written_beside(path.parent, data, durable=durable) as temporary:
        temporary.replace(path)


@contextmanager
def written_beside(folder: Path, data: bytes, *, durable: bool) -> Iterator[Path]:
    """A temporary file in the folder that holds `data`; it is gone afterwards, unless moved."""
    handle, name = tempfile.mkstemp(prefix=".writing-", dir=folder)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.chmod(0o644)  # mkstemp's file is its owner's alone
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
