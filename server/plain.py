"""Values as JSON has them."""

import json
import math
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
    for one in waiting:  # which grows meanwhile
        if isinstance(one, str):
            most -= 1 + len(one) // 100
        elif isinstance(one, dict):
            most -= 1 + len(one)
            waiting += one.values()
        elif isinstance(one, (list, tuple)):
            most -= 1 + len(one)
            waiting += one
        else:
            most -= 1
        if most < 0:
            return False
    return True


def is_json(value: object) -> bool:
    """Whether JSON can carry a value, infinite numbers aside."""
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
