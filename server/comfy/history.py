"""Jobs in ComfyUI's words: history entries, queue entries, output files, failures."""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from server.jobs.model import Job

from .graph import Json
from .posted import Origin

_KEYS = {"image": "images", "video": "video", "audio": "audio"}


def queue_entry(job: Job, origin: Origin) -> list[Any]:
    """A job in `/queue`: number, id, prompt, extra data, output nodes."""
    extra = dict(origin.extra) | {"create_time": _milliseconds(job.created)}
    return [origin.place(job.number), job.id, origin.prompt, extra, list(origin.outputs)]


def history_entry(job: Job, origin: Origin, cached: Iterable[str] = ()) -> Json:
    """A job that has ended, in `/history`.

    Args:
        job: In a final state.
        origin: What it came from.
        cached: The ComfyUI nodes whose results were stored.
    """
    outputs = node_outputs(job.outputs)
    return {
        "prompt": queue_entry(job, origin),
        "outputs": outputs,
        "status": {
            "status_str": "success" if job.state == "succeeded" else "error",
            "completed": job.state == "succeeded",
            "messages": _messages(job, origin, list(cached)),
        },
        "meta": {
            node: {
                "node_id": node,
                "display_node": node,
                "parent_node": None,
                "real_node_id": node,
            }
            for node in outputs
        },
    }


def node_outputs(outputs: Mapping[str, Any]) -> Json:
    """What output nodes gave, by the node; a job names its outputs by them."""
    found: Json = {}
    for node, output in outputs.items():
        for part in (output, *output.get("cells", ())):
            for file in part.get("files", ()):
                kind = str(file.get("media_type", "")).partition("/")[0]
                told = found.setdefault(node, {}).setdefault(_KEYS.get(kind, "files"), [])
                told.append(_file(file))
    return found


def failure(job: Job, origin: Origin, executed: Iterable[str] = ()) -> Json:
    """Why a job failed, as `execution_error` tells it."""
    error = job.error or {}
    problems = error.get("problems") or [{}]
    node = next((origin.node(p["node"]) for p in problems if p.get("node")), None)
    message = str(problems[0].get("message") or error.get("detail") or "the job failed")
    return {
        "prompt_id": job.id,
        "node_id": node,
        "node_type": origin.type(node),
        "executed": list(executed),
        "exception_message": message,
        "exception_type": str(problems[0].get("code") or error.get("code") or "node_failed"),
        "traceback": [f"{message}\n"],
        "current_inputs": {},
        "current_outputs": [],
        "timestamp": _milliseconds(job.finished),
    }


def interruption(job: Job, origin: Origin, node: str | None, executed: Iterable[str] = ()) -> Json:
    """That a job was stopped, as `execution_interrupted` tells it."""
    return {
        "prompt_id": job.id,
        "node_id": node,
        "node_type": origin.type(node),
        "executed": list(executed),
        "timestamp": _milliseconds(job.finished),
    }


def _messages(job: Job, origin: Origin, cached: list[str]) -> list[list[Any]]:
    told: Json = {"prompt_id": job.id}
    started = told | {"timestamp": _milliseconds(job.started or job.created)}
    messages: list[list[Any]] = [
        ["execution_start", started],
        ["execution_cached", {"nodes": cached, **started}],
    ]
    if job.state == "succeeded":
        ended = told | {"timestamp": _milliseconds(job.finished)}
        messages.append(["execution_success", ended])
    elif job.state == "failed":
        messages.append(["execution_error", failure(job, origin)])
    else:
        messages.append(["execution_interrupted", interruption(job, origin, None)])
    return messages


def _file(file: Mapping[str, Any]) -> Json:
    path = PurePosixPath(str(file["path"]))
    folder = path.parent.as_posix()
    return {
        "filename": path.name,
        "subfolder": "" if folder == "." else folder,
        "type": "temp" if file.get("preview") else "output",
    }


def _milliseconds(time: float | None) -> int:
    return int((time or 0.0) * 1000)
