from datetime import UTC, datetime

import pytest

from server.cli.awaiting import awaited
from server.client.models import Health, Queue, Snapshot

READY = Health(status="ok", version="1", workers=1)


@pytest.mark.parametrize(
    ("position", "queue", "health", "said"),
    [
        (3, Queue(paused=False), READY, "queued, 2 before it"),
        (1, Queue(paused=False), READY, "queued: it is the next to start"),
        (3, Queue(paused=True), READY, "queued: the queue is paused"),
        (
            1,
            Queue(paused=False),
            Health(status="starting", version="1"),
            "queued: no worker is ready yet",
        ),
        (
            1,
            Queue(paused=True),
            Health(
                status="degraded", version="1", fault="no worker can be started: no such device"
            ),
            "queued: no worker can be started: no such device",
        ),
    ],
)
def test_what_keeps_a_job_is_said(position: int, queue: Queue, health: Health, said: str) -> None:
    job = Snapshot(id="a", state="queued", created=datetime.now(UTC), position=position)

    assert awaited(job, queue, health) == said
