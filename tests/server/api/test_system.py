import asyncio
from typing import Any

from server.access import Principal
from tests.server.api.conftest import Bench, Caller, Client
from tests.server.api.test_jobs import submit

Json = dict[str, Any]


async def worker_seen(client: Client, caller: Caller, user: str, *scopes: Any) -> Json:
    caller.principal = Principal(user, frozenset({"read", *scopes}))
    told = await (await client.get("/api/v1/workers")).json()
    assert (await (await client.get("/api/v1/system")).json())["workers"] == told["workers"]
    worker: Json = told["workers"][0]
    return worker


async def test_a_workers_job_and_faults_are_shown_to_whom_they_concern(
    client: Client, caller: Caller, bench: Bench, graph: Json
) -> None:
    bench.reason = "cannot read /srv/models"
    caller.principal = Principal("ada", frozenset({"read", "run"}))
    job = await submit(client, graph)
    await asyncio.wait_for(bench.began.wait(), 5)
    adas = await worker_seen(client, caller, "ada")
    assert (adas["run"], adas["reason"]) == (f"{job['id']}.1", "")
    eves = await worker_seen(client, caller, "eve")
    assert (eves["state"], eves["run"], eves["reason"]) == ("busy", None, "")
    all_of_it = await worker_seen(client, caller, "root", "admin")
    assert (all_of_it["run"], all_of_it["reason"]) == (f"{job['id']}.1", bench.reason)
