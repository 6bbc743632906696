"""Who may do what: users, tokens, sessions, and the checks in front of every request."""

from .principal import (
    ALL,
    LOCAL_PRINCIPAL,
    PRINCIPAL,
    Principal,
    Scope,
    needs,
    open_to_all,
    require,
)
from .refused import Refused

__all__ = [
    "ALL",
    "LOCAL_PRINCIPAL",
    "PRINCIPAL",
    "Principal",
    "Refused",
    "Scope",
    "needs",
    "open_to_all",
    "require",
]
