"""A job that came by ComfyUI's API, made for the tests."""

from dataclasses import replace
from typing import Any

from server.comfy.posted import Origin
from server.jobs.model import Job

from .graphs import TEXT_TO_IMAGE

Json = dict[str, Any]
ORIGIN = Origin(
    TEXT_TO_IMAGE,
    {"client_id": "me"},
    ("9",),
    {"checkpoint": "4", "start": "3", "sampler": "3", "decode": "8", "save": "9"},
)
FILES: Json = {
    "9": {
        "files": [
            {"path": "house/a_00001.png", "media_type": "image/png", "size": 1, "digest": "d"},
            {"path": "b.png", "media_type": "image/png", "size": 1, "digest": "d", "preview": True},
        ]
    }
}
ENDED = Job(
    id="mine", number=4, owner="local", name="", state="succeeded", priority=0, rank=4.0, created=1.0, started=2.0,
    finished=3.5, outputs=FILES,
)  # fmt: skip
PROBLEM = {"code": "bad_value", "message": "latents are odd", "node": "start", "input": None}
FAILED = replace(ENDED, state="failed", outputs={}, error={"problems": [PROBLEM]})
CANCELLED = replace(ENDED, state="cancelled", outputs={})
