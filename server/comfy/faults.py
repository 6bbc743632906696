"""Problems of a prompt in ComfyUI's words: the body of a refusal."""

from collections.abc import Iterable, Mapping
from typing import Any

from engine.errors import Problem

from .graph import Json
from .importer import Imported
from .posted import Posted, RefusedError, output_nodes
from .report import Finding
from .table import TABLE

_FAILED = ("prompt_outputs_failed_validation", "Prompt outputs failed validation")
_KINDS: Mapping[str, tuple[str, str]] = {
    "missing_input": ("required_input_missing", "Required input is missing"),
    "unsupported_value": ("value_not_in_list", "Value not in list"),
    "missing_file": ("value_not_in_list", "Value not in list"),
    "bad_value": ("invalid_input_type", "Failed to convert an input value"),
    "wrong_type": ("invalid_input_type", "Failed to convert an input value"),
    "wrong_link": ("return_type_mismatch", "Return type mismatch between linked nodes"),
    "dead_link": ("bad_linked_input", "Bad linked input"),
    "missing_output": ("bad_linked_input", "Bad linked input"),
    "unknown_link": ("bad_linked_input", "Bad linked input"),
    "unknown_output": ("bad_linked_input", "Bad linked input"),
    "cycle": ("dependency_cycle", "Dependency cycle detected"),
}
_OTHER = ("custom_validation_failed", "Custom validation failed for node")
_LOW = ("value_smaller_than_min", "Value smaller than min")
_HIGH = ("value_bigger_than_max", "Value bigger than max")


def check_types(posted: Posted, imported: Imported) -> None:
    """See that there is something to run, and that all its node types are known.

    Raises:
        RefusedError: With the first type that is not, or since nothing delivers a file.
    """
    for finding in imported.report.findings:
        if finding.code == "no_node":
            message = f"Cannot execute because node #{finding.node} has no class_type."
            raise RefusedError("invalid_prompt", message, f"Node ID '#{finding.node}'")
        if finding.code == "unknown_type":
            message = f"Node '{finding.type}' not found: Darkroom has no such node"
            more = {"node_id": finding.node, "class_type": finding.type}
            raise RefusedError("missing_node_type", message, f"Node ID '#{finding.node}'", **more)
    if not output_nodes(posted.prompt):
        raise RefusedError("prompt_no_outputs", "Prompt has no outputs")


def refusal(posted: Posted, imported: Imported, problems: Iterable[Problem] = ()) -> RefusedError:
    """The refusal for what an import could not carry over, and for problems of the document."""
    errors: dict[str, list[Json]] = {}
    for finding in imported.report.findings:
        if finding.loss == "missing" and finding.node is not None:
            errors.setdefault(finding.node, []).append(_of_finding(finding, posted.prompt))
    said = [error["details"] for listed in errors.values() for error in listed]
    theirs = {our: node for node, ours in imported.ids.items() for our in ours}
    for problem in problems:
        place = imported.places.get((problem.node or "", problem.input or ""))
        node = place[0] if place else theirs.get(problem.node or "")
        name = place[1] if place else problem.input
        said.append(problem.message)
        listed = errors.setdefault(node, []) if node is not None else []
        if not any(name and error["extra_info"].get("input_name") == name for error in listed):
            listed.append(_of_problem(problem, posted.prompt, node, name))
    readers = _readers(posted.prompt)
    nodes = {
        node: {
            "errors": listed,
            "dependent_outputs": readers.get(node, []),
            "class_type": _type(posted.prompt, node),
        }
        for node, listed in errors.items()
    }
    kind, message = _FAILED
    return RefusedError(kind, message, "\n".join(said), node_errors=nodes)


def _of_finding(finding: Finding, prompt: Mapping[str, Any]) -> Json:
    kind, message = _KINDS.get(finding.code, _OTHER)
    details = f"{finding.input}: {finding.message}" if finding.input else finding.message
    return _error(kind, message, details, prompt, (finding.node, finding.input))


def _of_problem(
    problem: Problem, prompt: Mapping[str, Any], node: str | None, name: str | None
) -> Json:
    kind, message = _KINDS.get(problem.code, _OTHER)
    if problem.code == "out_of_range":
        kind, message = _bound(prompt, node, name)
    return _error(kind, message, problem.message, prompt, (node, name))


def _error(
    kind: str,
    message: str,
    details: str,
    prompt: Mapping[str, Any],
    place: tuple[str | None, str | None],
) -> Json:
    node, name = place
    extra: Json = {}
    if name:
        extra = {"input_name": name, "received_value": _given(prompt, node, name)}
    return {"type": kind, "message": message, "details": details, "extra_info": extra}


def _bound(prompt: Mapping[str, Any], node: str | None, name: str | None) -> tuple[str, str]:
    entry = TABLE.get(_type(prompt, node))
    declared = entry.input(name) if entry and name else None
    least = declared.options.get("min") if declared else None
    value = _given(prompt, node, name or "")
    both = isinstance(value, (int, float)) and isinstance(least, (int, float))
    return _LOW if both and value < least else _HIGH


def _given(prompt: Mapping[str, Any], node: str | None, name: str) -> Any:
    item = prompt.get(node or "")
    inputs = item.get("inputs") if isinstance(item, dict) else None
    return inputs.get(name) if isinstance(inputs, dict) else None


def _type(prompt: Mapping[str, Any], node: str | None) -> str:
    item = prompt.get(node or "")
    return str(item.get("class_type", "")).strip() if isinstance(item, dict) else ""


def _readers(prompt: Mapping[str, Any]) -> Mapping[str, list[str]]:
    """For each node the output nodes that need it; one walk from each output, not from each node."""
    readers: dict[str, list[str]] = {}
    for output in sorted(output_nodes(prompt)):
        found, todo = {output}, [output]
        while todo:
            node = todo.pop()
            readers.setdefault(node, []).append(output)
            item = prompt.get(node)
            inputs = item.get("inputs") if isinstance(item, dict) else None
            for value in inputs.values() if isinstance(inputs, dict) else ():
                if isinstance(value, list) and len(value) == 2 and str(value[0]) not in found:
                    found.add(str(value[0]))
                    todo.append(str(value[0]))
    return readers
