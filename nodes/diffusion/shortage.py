"""A device short of memory: what failed for it is tried again, after one remedy more each time."""

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
Remedy = Callable[[], bool]
"""Does what it can, and says whether that may have helped. It may be asked more than once."""
_OUT_OF_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is short, of whatever device."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or any(text in str(error).lower() for text in _OUT_OF_MEMORY)
    )


def relieved(work: Callable[[], T], remedies: Iterable[Remedy], failure: str) -> T:
    """What `work` gives, after as many of the remedies as it takes, in their order.

    Args:
        work: May run out of memory.
        remedies: Each is asked again and again for as long as it helps.
        failure: What to say when none is left.

    Raises:
        MemoryError: Nothing helped.
    """
    left = list(remedies)
    while True:
        try:
            return work()
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            cause = str(error).partition("\n")[0]
        # Outside the handler: its traceback would keep alive what was too much.
        while left and not left[0]():
            left.pop(0)
        if not left:
            raise MemoryError(f"{failure} ({cause})" if cause else failure)
