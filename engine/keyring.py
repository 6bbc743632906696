"""The keys of a graph's nodes, as far as they are known before and while it runs."""

from collections.abc import Iterable, Mapping
from typing import Literal

from .canonical import canonical, digest
from .codecs import Codecs, content_digest
from .keys import TypeDigests
from .program import LATE, Call

Settles = Literal["content", "values", "keys"]
"""What makes an unknown key known: the bytes that the node gives (it runs each time), the values of
its inputs (they name a file), or only the keys behind its links."""


class Keyring:
    """Keys by node. What follows a volatile node gets its key once that node has run."""

    def __init__(self, calls: Iterable[Call], digests: TypeDigests) -> None:
        self.digests = digests
        self.known: dict[str, str] = {}
        self.settles: dict[str, Settles] = {}
        """The nodes whose keys are not known beforehand."""
        self.calls: dict[str, Call] = {}
        self._lacking: dict[str, int] = {}
        self._followers: dict[str, list[str]] = {}
        for call in calls:
            self.add(call)

    def add(self, call: Call) -> None:
        """Take in a node behind those that it links to."""
        self.calls[call.id] = call
        unknown = {link.node for link in (*call.eager, *call.lazy) if link.node not in self.known}
        if call.type.volatile or any(link.node in unknown for link in call.lazy):
            self.settles[call.id] = "content"
        elif call.fingerprint is LATE:
            self.settles[call.id] = "values"
        elif unknown:
            self.settles[call.id] = "keys"
            self._lacking[call.id] = len(unknown)
            for node in unknown:
                self._followers.setdefault(node, []).append(call.id)
        else:
            self.known[call.id] = call.key(self.digests.of(call.type), self.known)

    def awaited(self, call: Call) -> list[str]:
        """The nodes that have to be done before the key of `call`, which is not known, is."""
        if self.settles[call.id] == "values":
            return list(dict.fromkeys(link.node for link in call.eager))
        found: dict[str, None] = {}
        pending = [call.id]
        seen: set[str] = set()
        while pending:
            node = pending.pop()
            if node in self.known or node in seen:
                continue
            seen.add(node)
            if self.settles[node] == "keys":
                pending.extend(link.node for link in self.calls[node].eager)
            else:
                found[node] = None
        return list(found)

    def settle_by_content(self, node: str, codecs: Codecs, outputs: Mapping[str, object]) -> None:
        """Give a node that has run the key of what it gave: equal bytes, equal key.

        Raises:
            StoreError: A value is of a class that no codec knows.
        """
        self.settle(node, digest(f"content {content_digest(codecs, dict(outputs))}"))

    def settle_by_values(self, call: Call, fingerprint: object) -> None:
        """Give a node its key once it is known which file it reads."""
        mark = canonical(fingerprint)
        self.settle(call.id, call.key(self.digests.of(call.type), self.known, mark))

    def settle(self, node: str, key: str) -> None:
        """Make a key known, and with it those of the nodes that lacked only this one."""
        pending = [(node, key)]
        while pending:
            node, key = pending.pop()
            self.known[node] = key
            for follower in self._followers.pop(node, ()):
                self._lacking[follower] -= 1
                if self._lacking[follower] == 0:
                    call = self.calls[follower]
                    pending.append((follower, call.key(self.digests.of(call.type), self.known)))
