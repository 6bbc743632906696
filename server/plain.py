"""Values as JSON has them."""

import json
import math
from collections.abc import Collection
from typing import Any


def finite(value: Any) -> Any:
    """The value with infinite numbers and NaN, which JSON lacks, as their names."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {name: finite(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value


def is_small(value: object, most: int = 1_000) -> bool:
    """Whether JSON holds so little that reading or writing it keeps nobody waiting."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        inner: Collection[object] = ()
        if isinstance(one, dict):
            inner = one.values()
        elif isinstance(one, (list, tuple)):
            inner = one
        most -= 1 + len(inner) + (len(one) // 100 if isinstance(one, str) else 0)
        if most < 0:
            return False
        waiting += inner
    return True


def is_json(value: object) -> bool:
    """Whether JSON can carry a value, infinite numbers aside."""
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
