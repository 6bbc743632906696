"""An opened Darkroom: what the commands work with, each part made when first asked for."""

import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.catalog import Catalog
from engine.errors import InputError
from engine.runtime import Runtime

from .settings import Settings, open_place

if TYPE_CHECKING:
    from engine.journal import Journal
    from engine.shared import Shared
    from engine.store import Store


class Session:
    """The catalog of nodes, the runtime of this machine, and the store in the data folder."""

    def __init__(
        self,
        settings: Settings,
        *,
        device: str | None = None,
        output: Path | None = None,
        workflow_folder: Path | None = None,
        warn: Callable[[str], None] | None = None,
        computing: Mapping[str, object] | None = None,
    ) -> None:
        self.settings = settings
        self.device = device
        self.computing = settings.computing if computing is None else computing
        self.output = output
        self.workflow_folder = workflow_folder
        self.warn = warn or _to_stderr

    @cached_property
    def catalog(self) -> Catalog:
        """The node types of the node package and of what plugs in.

        Raises:
            InputError: There is no such package.
        """
        try:
            return Catalog.load(self.settings.nodes)
        except ModuleNotFoundError as error:
            if error.name != self.settings.nodes:
                raise
            message = f"there is no node package {error.name!r}: DARKROOM_NODES names it"
            raise InputError(message, code="no_nodes") from error

    @cached_property
    def runtime(self) -> Runtime:
        """What this machine lends to a run."""
        return self.catalog.runtime(
            data=self.settings.data,
            device=self.device,
            output=self.output,
            near=() if self.workflow_folder is None else (self.workflow_folder,),
            **self.computing,
        )

    @cached_property
    def store(self) -> "Store":
        """The results of earlier runs.

        Raises:
            InputError: DARKROOM_SHARED_STORE names no place.
        """
        from engine.store import Store

        store = Store(
            self.settings.store,
            self.runtime.codecs,
            disk_bytes=self.settings.store_size,
            shared=self._shared(),
        )
        store.begin(self.warn)
        return store

    @property
    def shared(self) -> "Shared":
        """The results that several machines share.

        Raises:
            InputError: There is no shared store, or DARKROOM_SHARED_STORE names no place.
        """
        if self.store.shared is None:
            message = "there is no shared store: name a folder or a URL by DARKROOM_SHARED_STORE"
            raise InputError(message, code="no_shared_store")
        return self.store.shared

    def _shared(self) -> "Shared | None":
        from engine.disk import Disk
        from engine.shared import Shared

        named = self.settings.shared_store
        if not named:
            return None
        return Shared(Disk(open_place(named), self.runtime.codecs, budget=sys.maxsize))

    @cached_property
    def journal(self) -> "Journal":
        """What earlier runs made, of what, and what it cost."""
        from engine.journal import Journal

        return Journal(self.settings.data / "journal.db")

    def survey(self) -> list[dict[str, Any]]:
        """The model files that the node package finds, each as JSON.

        Raises:
            InputError: The node package keeps none.
        """
        for service in self.runtime.services.values():
            survey = getattr(service, "survey", None)
            if callable(survey):
                return list(survey())
        message = f"the node package {self.settings.nodes!r} keeps no models"
        raise InputError(message, code="no_models")


def _to_stderr(message: str) -> None:
    sys.stderr.write(f"warning: {message}\n")
