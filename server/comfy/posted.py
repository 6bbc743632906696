"""What `POST /prompt` was sent, and what of it is remembered with the job."""

import math
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    def read(cls, body: object, most: int | None = None) -> "Posted":
        """What the body asks for.

        Args:
            body: The JSON that was sent.
            most: How many nodes a prompt may have; any number if left out.

        Raises:
            RefusedError: There is no prompt in it, or it is too large.
        """
        told = body if isinstance(body, dict) else {}
        prompt = told.get("prompt")
        if not isinstance(prompt, dict):
            raise RefusedError("no_prompt", "No prompt provided", "No prompt provided")
        if most is not None and len(prompt) > most:
            message = f"The prompt has {len(prompt)} nodes; at most {most} are taken"
            raise RefusedError("invalid_prompt", message, "send it in parts, or raise `max_nodes`")
        given, targets = told.get("prompt_id"), told.get("partial_execution_targets")
        number, client = told.get("number"), told.get("client_id")
        extra = told.get("extra_data")
        return cls(
            prompt=prompt,
            prompt_id=str(given) if given else str(uuid.uuid4()),
            client_id=client if isinstance(client, str) else None,
            number=number if _is_number(number) else None,
            front=bool(told.get("front")),
            extra=extra if isinstance(extra, dict) else {},
            targets=tuple(map(str, targets)) if isinstance(targets, list) else None,
        )

    def wanted(self) -> list[str]:
        """The output nodes that are to run."""
        found = output_nodes(self.prompt)
        return found if self.targets is None else [each for each in found if each in self.targets]

    def reduced_to(self, outputs: Iterable[str]) -> "Posted":
        """The same with only those nodes of the prompt that these outputs need."""
        needed: set[str] = set()
        waiting = list(outputs)
        while waiting:
            node = waiting.pop()
            item = self.prompt.get(node)
            if node in needed or not isinstance(item, dict):
                continue
            needed.add(node)
            inputs = item.get("inputs")
            values = inputs.values() if isinstance(inputs, dict) else ()
            waiting += [str(v[0]) for v in values if isinstance(v, list) and len(v) == 2]
        return replace(self, prompt={n: i for n, i in self.prompt.items() if n in needed})


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


_SECRET = frozenset({"auth_token_comfy_org", "api_key_comfy_org"})
"""Keys to another service, which nobody here needs, and nobody is to read in the history."""


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
    number: float | None = None
    """Its place in the queue, if the sender chose one."""
    front: bool = False

    @classmethod
    def of(
        cls, posted: Posted, imported: Imported, outputs: Sequence[str] | None = None
    ) -> "Origin":
        """What a posted prompt is to be remembered by.

        Args:
            posted: The prompt.
            imported: What became of it.
            outputs: The output nodes that run; all that were asked for if left out.
        """
        ids = {our: theirs for theirs, ours in imported.ids.items() for our in ours}
        extra = {name: value for name, value in posted.extra.items() if name not in _SECRET}
        if posted.client_id is not None:
            extra["client_id"] = posted.client_id
        wanted = posted.wanted() if outputs is None else outputs
        return cls(posted.prompt, extra, tuple(wanted), ids, posted.number, posted.front)

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> "Origin | None":
        """What a job remembers; None if it came by another way."""
        own = told.get("comfyui")
        if not isinstance(own, dict):
            return None
        place = own.get("number"), bool(own.get("front"))
        return cls(own["prompt"], own["extra"], tuple(own["outputs"]), own["ids"], *place)

    def to_json(self) -> Json:
        """For `NewJob.origin`."""
        own: Json = {"prompt": self.prompt, "extra": self.extra}
        own |= {"outputs": list(self.outputs), "ids": dict(self.ids)}
        place = {"number": self.number} if self.number is not None else {}
        return {"comfyui": own | place | ({"front": True} if self.front else {})}

    def place(self, number: int) -> float:
        """Where ComfyUI would sort the job of this number: the lowest runs first."""
        if self.number is not None:
            return self.number
        return -number if self.front else number

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
