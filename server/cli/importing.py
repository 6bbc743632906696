"""ComfyUI's files as workflows, and workflows as ComfyUI's files."""

import json
import sys
from pathlib import Path

from engine.errors import GraphError, Problem
from engine.files import write_whole
from engine.workflow import Workflow
from server.comfy.exporter import export_workflow
from server.comfy.importer import import_file
from server.comfy.report import Report
from server.session import Session

from .answer import Answer, Json
from .console import say

INCOMPLETE = 1
"""The exit status if something has no counterpart."""
_LOSSES = {"missing": "missing", "near": "differs", "note": "note"}


def import_(file: Path, session: Session, output: Path | None) -> Answer:
    """Make a workflow of a ComfyUI file, into `output` or onto standard output.

    Raises:
        GraphError: There is no ComfyUI graph in it.
        OSError: A file cannot be read or written.
    """
    made = import_file(file, _catalogue(session))
    answer: Json = {"ids": {theirs: list(ours) for theirs, ours in made.ids.items()}}
    return _answer(made.workflow.text(), made.document, made.report, output, answer)


def export(workflow: Workflow, session: Session, output: Path | None) -> Answer:
    """Make a ComfyUI prompt of a workflow, into `output` or onto standard output.

    Raises:
        OSError: The file cannot be written.
    """
    made = export_workflow(workflow, _catalogue(session))
    text = json.dumps(made.prompt, indent=2, ensure_ascii=False) + "\n"
    return _answer(text, made.prompt, made.report, output, {"ids": made.ids})


def _answer(text: str, document: Json, report: Report, output: Path | None, more: Json) -> Answer:
    if output is not None:
        write_whole(output, _bytes(text), durable=True)

    def show() -> None:
        for finding in report.findings:
            say(f"{_LOSSES[finding.loss]}: {finding.sentence}", sys.stderr)
        if output is None:
            sys.stdout.write(text)
        elif report.complete:
            say(f"wrote {output}")
        else:
            missing = sum(finding.loss == "missing" for finding in report.findings)
            count = "1 thing in it has" if missing == 1 else f"{missing} things in it have"
            say(f"wrote {output}; {count} no counterpart yet")

    answer: Json = {"path": None if output is None else str(output), "report": report.to_json()}
    return Answer(
        answer | more | {"document": document}, show, 0 if report.complete else INCOMPLETE
    )


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        sign = ascii(error.object[error.start])
        message = f"a text in it holds half a character, {sign}: write the whole one"
        raise GraphError([Problem("document", message)]) from error


def _catalogue(session: Session) -> dict[str, Json]:
    return {name: declared.schema() for name, declared in session.catalog.types.items()}
