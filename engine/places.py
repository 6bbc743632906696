"""Places in a document: what stands there, and how people call them."""

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from typing_extensions import override

from .canonical import canonical


class Absent(Enum):
    """What stands where a document has nothing; `null` is a value."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Place:
    """The names that lead from the document to one of its parts, such as `nodes, sampler, mode`."""

    path: tuple[str, ...] = ()

    def __truediv__(self, name: str) -> "Place":
        return Place((*self.path, name))

    @property
    def graph(self) -> tuple[str, ...]:
        """The subgraphs around it, from the outside in."""
        return self.path[: self._depth][1::2]

    @property
    def inside(self) -> tuple[str, ...]:
        """The names from the innermost graph on."""
        return self.path[self._depth :]

    @property
    def node(self) -> str | None:
        """The node that it belongs to."""
        return self.inside[1] if self.inside[:1] == ("nodes",) and self.inside[1:] else None

    @property
    def name(self) -> str | None:
        """The input of a node, the named input or output, the subgraph, or the key."""
        whole_node = self.node is not None and len(self.inside) == 2
        return self.inside[-1] if self.inside and not whole_node else None

    @property
    def _depth(self) -> int:
        """How many names lead to the innermost graph."""
        depth = 0
        while self.path[depth : depth + 1] == ("subgraphs",) and len(self.path) > depth + 2:
            depth += 2
        return depth

    def of(self, document: Any) -> Any:
        """What stands there in a document."""
        for name in self.path:
            if not isinstance(document, dict) or name not in document:
                return ABSENT
            document = document[name]
        return document

    @override
    def __str__(self) -> str:
        around = "".join(f"{name}/" for name in self.graph)
        match self.inside:
            case ("nodes", node):
                return f"{around}{node}"
            case ("nodes", node, "inputs", name):
                return f"{around}{node}.{name}"
            case ("nodes", node, key):
                return f"{around}{node} {key}"
            case ("inputs" | "outputs" | "subgraphs" as table, name):
                return f"{around}{table[:-1]} {name}"
            case inside:
                return around + ".".join(inside)


def same(a: Any, b: Any) -> bool:
    """Whether two JSON values are equal as a document has them: `1`, `1.0` and `true` differ."""
    if a is ABSENT or b is ABSENT:
        return a is b
    return a is b or canonical(a) == canonical(b)
