"""What `POST /prompt` was sent, and what of it is remembered with the job."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .graph import Json
from .importer import Imported
from .table import TABLE


class RefusedError(ValueError):
    """What was posted cannot be run; `answer` is ComfyUI's body for status 400."""

    def __init__(self, kind: str, message: str, details: str = "", **more: Any) -> None:
        super().__init__(message)
        nodes = more.pop("node_errors", {})
        self.answer: Json = {
            "error": {"type": kind, "message": message, "details": details, "extra_info": more},
            "node_errors": nodes,
        }


@dataclass(frozen=True)
class Posted:
    """A prompt with what its sender wants of it."""

    prompt: Json
    prompt_id: str
    client_id: str | None = None
    number: float | None = None
    front: bool = False
    extra: Json = field(default_factory=dict)
    targets: tuple[str, ...] | None = None
    """The output nodes to run; None for all."""

    @classmethod
    def read(cls, body: object) -> "Posted":
        """What the body asks for.

        Raises:
            RefusedError: There is no prompt in it.
        """
        told = body if isinstance(body, dict) else {}
        prompt = told.get("prompt")
        if not isinstance(prompt, dict):
            raise RefusedError("no_prompt", "No prompt provided", "No prompt provided")
        given, targets = told.get("prompt_id"), told.get("partial_execution_targets")
        number, client = told.get("number"), told.get("client_id")
        extra = told.get("extra_data")
        return cls(
            prompt=prompt,
            prompt_id=str(given) if given else str(uuid.uuid4()),
            client_id=client if isinstance(client, str) else None,
            number=number if isinstance(number, (int, float)) else None,
            front=bool(told.get("front")),
            extra=extra if isinstance(extra, dict) else {},
            targets=tuple(map(str, targets)) if isinstance(targets, list) else None,
        )


def output_nodes(prompt: Mapping[str, Any]) -> list[str]:
    """The nodes of a prompt that deliver files."""
    found = []
    for node_id, item in prompt.items():
        kind = item.get("class_type") if isinstance(item, dict) else None
        entry = TABLE.get(kind.strip()) if isinstance(kind, str) else None
        if entry is not None and entry.is_output:
            found.append(node_id)
    return found


@dataclass(frozen=True)
class Origin:
    """What a job that came by ComfyUI's API remembers, to tell of itself in ComfyUI's words."""

    prompt: Json
    extra: Json
    outputs: tuple[str, ...]
    ids: Mapping[str, str]
    """For each of our nodes the ComfyUI node that it stands for."""

    @classmethod
    def of(cls, posted: Posted, imported: Imported) -> "Origin":
        """What a posted prompt is to be remembered by."""
        ids = {our: theirs for theirs, ours in imported.ids.items() for our in ours}
        extra = dict(posted.extra)
        if posted.client_id is not None:
            extra["client_id"] = posted.client_id
        wanted = output_nodes(posted.prompt) if posted.targets is None else posted.targets
        return cls(posted.prompt, extra, tuple(wanted), ids)

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> "Origin | None":
        """What a job remembers; None if it came by another way."""
        own = told.get("comfyui")
        if not isinstance(own, dict):
            return None
        return cls(own["prompt"], own["extra"], tuple(own["outputs"]), own["ids"])

    def to_json(self) -> Json:
        """For `NewJob.origin`."""
        own = {"prompt": self.prompt, "extra": self.extra}
        return {"comfyui": own | {"outputs": list(self.outputs), "ids": dict(self.ids)}}

    def node(self, ours: str) -> str | None:
        """The ComfyUI node that one of ours stands for; laps and subgraphs count as their node."""
        while ours not in self.ids:
            ours, slash, _ = ours.rpartition("/")
            if not slash:
                return None
        return self.ids[ours]

    def type(self, node: str | None) -> str:
        """The type of a node of the prompt."""
        item = self.prompt.get(node or "")
        return str(item.get("class_type", "")) if isinstance(item, dict) else ""

    @property
    def client(self) -> str | None:
        """Who sent it, and hears of it."""
        client = self.extra.get("client_id")
        return client if isinstance(client, str) else None
