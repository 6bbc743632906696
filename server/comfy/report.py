"""What an import or an export could not carry over."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
Loss = Literal["missing", "near", "note"]
"""`missing`: there is no counterpart; `near`: the result differs a little; `note`: nothing is lost."""


@dataclass(frozen=True)
class Finding:
    """One thing that has no exact counterpart. `node` is an id in the file that was read."""

    loss: Loss
    code: str
    message: str
    node: str | None = None
    type: str | None = None
    input: str | None = None

    @property
    def sentence(self) -> str:
        """The message with its address in front."""
        where = "" if self.node is None else f'{self.type or "node"} "{self.node}"'
        where += f", {self.input}" if self.input else ""
        return f"{where}: {self.message}" if where else self.message

    def to_json(self) -> Json:
        """For programs."""
        return {
            "loss": self.loss,
            "code": self.code,
            "message": self.message,
            "node": self.node,
            "type": self.type,
            "input": self.input,
        }


@dataclass
class Report:
    """What was found on the way, in the order of the file."""

    findings: list[Finding] = field(default_factory=list)
    nodes: int = 0
    """How many nodes the file has, without notes and reroutes."""

    def add(
        self,
        loss: Loss,
        code: str,
        message: str,
        node: str | None = None,
        *,
        type: str | None = None,  # noqa: A002 - the field's own word
        input: str | None = None,
    ) -> None:
        """Record a finding, once."""
        finding = Finding(loss, code, message, node, type, input)
        if finding not in self.findings:
            self.findings.append(finding)

    @property
    def complete(self) -> bool:
        """Whether everything has a counterpart, be it a near one."""
        return not any(finding.loss == "missing" for finding in self.findings)

    @property
    def exact(self) -> bool:
        """Whether the result is the same."""
        return all(finding.loss == "note" for finding in self.findings)

    @property
    def missing_types(self) -> Counter[str]:
        """The node types that have no counterpart, and how often each is used."""
        return Counter(
            finding.type or ""
            for finding in self.findings
            if finding.code in {"unknown_type", "unsupported_values"}
        )

    def to_json(self) -> Json:
        """For programs."""
        return {
            "complete": self.complete,
            "exact": self.exact,
            "nodes": self.nodes,
            "missing_types": dict(self.missing_types.most_common()),
            "findings": [finding.to_json() for finding in self.findings],
        }
