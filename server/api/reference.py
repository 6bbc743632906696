"""The reference of the API, as docs/api.md, from its OpenAPI document."""

from collections.abc import Iterator
from typing import Any

from .event_kinds import EVENTS
from .operation import Json
from .problems import KINDS

_HEAD = """# The HTTP API

This page is made from the OpenAPI 3.1 document that a server gives under `/api/v1/openapi.json`; `/api/v1/docs`
shows that as a page where each operation can be tried. There every saved workflow has an operation of its own, with
its inputs by name. Bodies are JSON unless said otherwise. A problem is answered as
`application/problem+json` (RFC 9457) with every fault that was found.

## Before you begin

**Who asks.** A server without users takes every request from its own machine. Otherwise send
`Authorization: Bearer TOKEN`, or the cookie of a login. Each operation names the scope that it needs.

**Once, for sure.** A job is durable once its submission is answered. If the answer is lost, ask again with the
same `Idempotency-Key`: the first job is the answer. The same key with another body is a problem.

**Waiting.** `?wait=30` answers when the job has ended, after 30 seconds at the latest. Longer jobs are followed by
their events.

**Events.** `/api/v1/events` and `/api/v1/jobs/{job}/events` are server-sent events, `/api/v1/socket` tells the same
over a websocket. Ids of events grow, also over a restart. A client that comes again with `Last-Event-ID` (or
`?after=`) gets what it missed, without gap or repetition; only progress within nodes is not repeated. One that reads
too slowly is let go (the event `lagging`, or the close code 4008) and should come again. Previews are sent on a
websocket that asked for them, as binary messages: four bytes with the length of the event's JSON (big-endian), that
JSON, and a JPEG.

**Saving.** A workflow's `ETag` is its revision. Saving over one needs `If-Match` with the revision that was read, or
`*`; if somebody was faster, the answer is 412. Every version stays under `/api/v1/workflows/{name}/versions`.

**Webhooks.** A job's `webhook` gets a POST with `{"event", "delivery", "job"}` when the job has ended, again and
again over two hours until it answers 2xx. `Darkroom-Signature: t=TIME,v1=HEX` is the HMAC-SHA256 of
`TIME.BODY` under the server's `webhook_secret`; refuse what is not signed so, or is older than five minutes, and
remember `delivery` if hearing twice would hurt. `server.api.webhooks.is_signed` does the check. Redirects are not
followed, and addresses in private networks are only reached if `webhook_hosts` lists them.

"""

_CODES = """The `type` of a problem is one of these kinds, with its title and its usual status. `code` is the kind's or a more
specific one of its family, and those within `problems` are: of `invalid_workflow`, what is wrong with a node or an
input (`unknown_node`, `unknown_input`, `missing_input`, `out_of_range`, `wrong_type`, `missing_file`, `cycle`, …); of
`node_failed`, what a node met (`out_of_memory`, `disk_full`, `permission`, …); of `invalid_request`, what is wrong with
a field (`missing`, `unknown_field`, `bad_value`, `unknown_input`, `given_twice`); of `worker_lost`, how the worker ended
(`worker_died`, `worker_hung`, `worker_memory`, `worker_stopped`, `too_many_attempts`); of `unavailable`, why not now
(`stopping`, …). More codes may come in later versions, so treat one that you do not know as its kind. A job's `error`
is the same document, with the status that such a problem usually has."""


_EVENTS = """An event is `{"id", "type", "job", "time", "data"}`; `job` is null for what is no job's. `?type=` takes the part
before the dot, too. More types may come in later versions, so pass over one that you do not know."""


def reference(document: Json) -> str:
    """The page."""
    lines = [*_operations(document), "## Kinds of events", "", _EVENTS, ""]
    lines += ["| type | when | `data` |", "|---|---|---|"]
    lines += [f"| `{name}` | {kind.when} | {kind.data} |" for name, kind in EVENTS.items()]
    lines += ["", "## Problems", "", _CODES, ""]
    lines += ["| status | code | what it means |", "|---|---|---|"]
    for code, kind in KINDS.items():
        lines.append(f"| {kind.status} | `{code}` | {_sentence(kind.title)} {kind.text} |")
    return _HEAD + "\n".join(lines) + "\n"


def _sentence(title: str) -> str:
    return title if title.endswith("?") else f"{title}."


def _operations(document: Json) -> Iterator[str]:
    for tag in document["tags"]:
        yield f"## {tag['name'].capitalize()}"
        yield ""
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if operation["tags"] == [tag["name"]]:
                    yield from _operation(document, method, path, operation)


def _operation(document: Json, method: str, path: str, operation: Json) -> Iterator[str]:
    security = operation["security"]
    scope = f"scope `{next(iter(security[0].values()))[0]}`" if security else "open to everybody"
    yield f"### `{method.upper()} {path}`"
    yield ""
    yield f"{operation['summary']} ({scope})"
    yield ""
    if "description" in operation:
        yield operation["description"]
        yield ""
    rows = [
        f"| `{each['name']}` | {each['in']}, {_kind(each['schema'])} | {each.get('description', '')} |"
        for each in operation.get("parameters", ())
    ]
    schema = _schema(operation.get("requestBody", {}))
    if schema is not None:
        for name, field in _follow(document, schema).get("properties", {}).items():
            rows.append(f"| `{name}` | body, {_kind(field)} | {field.get('description', '')} |")
    if rows:
        yield from ("| | | |", "|---|---|---|", *rows, "")
    raw = [m for m in operation.get("requestBody", {}).get("content", {}) if "json" not in m]
    if raw:
        yield f"Body: {' or '.join(f'`{media}`' for media in raw)}."
        yield ""
    for status, answer in operation["responses"].items():
        if "$ref" not in answer:
            shown = _schema(answer)
            kind = "" if shown is None else f" `{_kind(shown)}`"
            yield f"- {status}:{kind} {answer['description']}"
    yield f"- problems: {', '.join(f'`{code}`' for code in operation['x-problems'])}"
    yield ""


def _schema(part: Json) -> Json | None:
    found: Json | None = part.get("content", {}).get("application/json", {}).get("schema")
    return found


def _follow(document: Json, schema: Json) -> Json:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Json = document["components"]["schemas"][name] if name else schema
    return found


def _kind(schema: Any) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return " or ".join(dict.fromkeys(_kind(each) for each in choices))
    if "enum" in schema:
        return " or ".join(f"`{each}`" for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    limits = [
        f"{word} {schema[key]}"
        for key, word in (("minimum", "from"), ("maximum", "to"))
        if key in schema
    ]
    return " ".join([str(schema.get("type", "any")), *limits])


if __name__ == "__main__":
    import sys

    from .border import OPERATIONS
    from .description import Described

    sys.stdout.write(reference(Described(OPERATIONS).plain))
