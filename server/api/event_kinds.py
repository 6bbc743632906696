"""The kinds of events that a server tells, for its description."""

from typing import NamedTuple


class EventKind(NamedTuple):
    """One kind."""

    when: str
    data: str
    """What its `data` holds."""


_NODE = "`node`, where it stands in the document (`GRAPH/NODE` within subgraphs), `type`"
EVENTS = {
    "job.queued": EventKind("A job was accepted, or is run again as a new one.", "`job`"),
    "job.started": EventKind("A worker has taken it.", "`job`"),
    "job.requeued": EventKind("It waits again: its worker, or the server, ended.", "`job`"),
    "job.moved": EventKind("It has another place or priority in the queue.", "`job`"),
    "job.succeeded": EventKind("It has ended well.", "`job`, with its outputs"),
    "job.failed": EventKind("It has ended with a problem.", "`job`, with its `error`"),
    "job.cancelled": EventKind("It was cancelled.", "`job`"),
    "job.deleted": EventKind("It is forgotten, by somebody or by its age.", "`job` as it was"),
    "node.started": EventKind("A node is about to compute.", _NODE),
    "node.progressed": EventKind(
        "It has come further; only the latest is told, and none again.", f"{_NODE}, `done`, `total`"
    ),
    "node.finished": EventKind(
        "Its result is there.", f"{_NODE}, `state` (`ran`, `stored`, `skipped`), `seconds`, `bytes`"
    ),
    "node.failed": EventKind("It has failed, and its job will.", f"{_NODE}, `problem`"),
    "warned": EventKind(
        "Something is amiss that stops nothing, such as a VAE that overflowed and went on in float32.",
        "`message`, and `node` or null",
    ),
    "outputs.changed": EventKind("A picture was starred, or deleted.", "nothing"),
    "queue.paused": EventKind("No job is started any more.", "nothing"),
    "queue.resumed": EventKind("Jobs are started again.", "nothing"),
    "workers.changed": EventKind("A worker came, went, or is free.", "nothing"),
    "catalogue.changed": EventKind("There are other node types.", "`digest`"),
    "lagging": EventKind("This client reads too slowly, and the stream ends.", "nothing"),
}
