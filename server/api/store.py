"""Stored results: how much there is, and letting go of some."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from server.access import Principal
from server.places import Places
from server.service import Service

from .desk import ask, where
from .operation import operation


class Budget(BaseModel):
    """How much may stay."""

    model_config = ConfigDict(extra="forbid")

    to: Annotated[int, Field(ge=0, lt=2**63)] | None = Field(
        default=None,
        description="Bytes that may stay, least recently used out first; none: all go.",
    )


@with_config(use_attribute_docstrings=True)
class StoreView(TypedDict, total=False):
    """What is stored."""

    records: int
    bytes: int
    budget: int
    folder: str
    """Within the data folder."""
    freed: int
    """Bytes that were let go of."""
    shared: dict[str, Any]
    """The store that several machines share, if there is one."""


@operation("GET", "/api/v1/store", scope="read", problems=("worker_lost",))
async def read_store(service: Service, principal: Principal) -> StoreView:
    """Tell how many results are stored, and how large they are."""
    told: Any = (await ask(service, "store", **_whose(service, principal))).value
    return _view(service, told)


@operation("POST", "/api/v1/store/prune", scope="admin", problems=("worker_lost",))
async def prune_store(service: Service, principal: Principal, body: Budget) -> StoreView:
    """Let go of stored results; what is needed again is computed again."""
    told: Any = (await ask(service, "prune", to=body.to, **_whose(service, principal))).value
    return _view(service, told)


def _whose(service: Service, principal: Principal) -> dict[str, str]:
    return {"namespace": where(service, principal)["namespace"]}


def _view(service: Service, told: dict[str, Any]) -> StoreView:
    known = {name: told[name] for name in StoreView.__annotations__ if name in told}
    view: Any = Places(service.settings.data).hidden(known)
    shown: StoreView = view
    return shown
