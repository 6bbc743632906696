"""Takes queued jobs to workers, and writes down what became of them."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from server.database.faults import DatabaseFault
from server.homes import LOCAL, home
from server.jobs.model import FINAL, Filter, Job, JobState, NodeRecord
from server.jobs.queue import Jobs
from server.live import Event, Hub
from server.scribe import Scribe
from server.workers.messages import Done, Happened, Run
from server.workers.pool import Pool
from server.workers.spec import NotTaken, WorkerLost, WorkerView

Json = dict[str, Any]
AHEAD = 16
"""How many jobs are looked at to find one whose models a free worker has loaded."""
PATIENCE = 8
"""How many jobs may go before the first in the queue because their models are loaded."""
MOST_ATTEMPTS = 10
"""How often a job is started at all; one that takes the whole server down each time is failed."""
log = structlog.get_logger("dispatch")


@dataclass(frozen=True)
class Policy:
    """How jobs are treated."""

    private_results: bool = False
    """Whether each user has stored results of their own."""
    cancel_grace: float = 10.0
    """Seconds that a node has to yield before its worker is replaced."""
    stop_grace: float = 10.0
    """Seconds that running jobs have to end when the server stops."""

    def namespace(self, user: str) -> str:
        """Whose stored results a user sees; empty for those that all share."""
        return user if self.private_results and user != LOCAL else ""


@dataclass
class _Running:
    """One attempt."""

    job: Job
    worker: str
    run: str
    cancelled: bool = False
    events: list[Event] = field(default_factory=list)


class Dispatcher:
    """Runs jobs in the order of the queue, each on the free worker that has most of its models.

    A job whose worker is lost runs once more; then it fails with the reason. What its nodes had
    stored is not computed again.
    """

    def __init__(
        self,
        jobs: Jobs,
        pool: Pool,
        hub: Hub,
        data: Path,
        *,
        policy: Policy,
        show: Callable[[Job], Json],
    ) -> None:
        self.jobs, self.pool, self.hub = jobs, pool, hub
        self.data, self.policy, self.show = data, policy, show
        self.running: dict[str, _Running] = {}
        self.losses: dict[str, int] = {}
        self.passed: dict[str, int] = {}
        """How many jobs went before the first in the queue."""
        self.progress: dict[str, Json] = {}
        """How far each running job is: the latest event of a node, by job."""
        self.paused = False
        self.stopping = False
        self.woken = asyncio.Event()
        self.tasks: set[asyncio.Task[None]] = set()
        self.scribe = Scribe(jobs)
        self.watched: dict[str | None, int] = {}
        """How many want previews, by job; of all jobs under None."""
        self.loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Queue again what was running when the server ended, tell the ends that it did not, begin."""
        self.paused = await self.jobs.paused()
        for job in await self.jobs.untold():
            self.tell(f"job.{job.state}", job)
        for job in await self.jobs.recover():
            log.info("queued again after a restart", job=job.id, attempt=job.attempt)
            self.tell("job.requeued", job)
        self.loop = asyncio.create_task(self._work(), name="dispatch")
        self.wake()

    async def stop(self) -> None:
        """Start no more, give running jobs their time, and queue again what does not end in it."""
        self.stopping = True
        self.scribe.hasten()
        self.wake()
        if self.loop is not None:
            await self.loop
        if self.tasks:
            await asyncio.wait(tuple(self.tasks), timeout=self.policy.stop_grace)
        left = tuple(self.running.values())
        await asyncio.gather(*(self.pool.cancel(r.run, self.policy.cancel_grace) for r in left))
        while self.tasks:
            await asyncio.wait(tuple(self.tasks))
        await self.scribe.close()

    def wake(self) -> None:
        """Look whether a job can start: one was queued, or a worker is free."""
        self.woken.set()

    async def pause(self, paused: bool) -> None:
        """Start no more jobs, or go on; those that run are not touched."""
        before, self.paused = self.paused, paused  # at once, for the loop may be about to start one
        try:
            await self.jobs.set_paused(paused)
        except DatabaseFault:
            self.paused = before
            raise
        self.hub.publish("queue.paused" if paused else "queue.resumed")
        self.wake()

    async def cancel(self, job_id: str) -> Job | None:
        """Cancel a queued or running job; None if it had ended already.

        A queued job is cancelled when this returns, a running one when its nodes yield, which is
        not waited for.
        """
        if (cancelled := await self.jobs.cancel(job_id)) is not None:
            self.losses.pop(job_id, None)
            self.tell("job.cancelled", cancelled)
            return cancelled
        run = self.running.get(job_id)
        if run is None:
            return None
        if not run.cancelled:
            run.cancelled = True
            self._soon(self.pool.cancel(run.run, self.policy.cancel_grace))
        return run.job

    def watch(self, job_id: str | None, by: int) -> None:
        """Count one more (1) or less (-1) who wants previews of a job, or of all jobs (None)."""
        count = self.watched.pop(job_id, 0) + by
        if count > 0:
            self.watched[job_id] = count
        for run in self.running.values():
            if job_id in {None, run.job.id}:
                self._soon(self.pool.watch(run.run, self._is_watched(run.job.id)))

    def tell(self, kind: str, job: Job) -> Event:
        """Publish and remember what became of a job."""
        event = self.hub.publish(kind, owner=job.owner, job=job.id, data={"job": self.show(job)})
        self.scribe.remember([event])
        return event

    # The loop

    async def _work(self) -> None:
        faulted = False
        while not self.stopping:
            await self.woken.wait()
            self.woken.clear()
            try:
                if faulted:
                    await self._recover()
                    faulted = False
                while self._may_start and (found := await self._next()) and self._may_start:
                    await self._begin(*found)
            except Exception as error:
                if isinstance(error, DatabaseFault):
                    log.warning("the queue cannot be used; trying again", reason=str(error))
                else:
                    log.exception("the queue could not be read; trying again")
                faulted = True
                await self.scribe.pause(1.0)
                self.wake()

    async def _recover(self) -> None:
        """Queue again what was claimed by a commit that was not confirmed: nobody runs it."""
        for job in (await self.jobs.find(Filter(states=("running",)), limit=1000)).jobs:
            if job.id not in self.running:
                again = await self.jobs.requeue(job.id, job.attempt)
                if again is not None:
                    self.tell("job.requeued", again)

    @property
    def _may_start(self) -> bool:
        return not (self.paused or self.stopping)

    async def _next(self) -> tuple[Job, WorkerView] | None:
        """The job to start next, with its worker.

        The first in the queue goes first, unless a job of its priority just behind it finds its
        models loaded where it would not; that happens to a job `PATIENCE` times at most.
        """
        taken = {run.worker for run in self.running.values()}
        free = [w for w in self.pool.workers if w.state == "idle" and w.id not in taken]
        if not free:
            return None
        upcoming = [j for j in await self.jobs.upcoming(AHEAD) if j.id not in self.running]
        if not upcoming:
            return None
        first = upcoming[0]
        peers = [job for job in upcoming if job.priority == first.priority]
        passed = self.passed.get(first.id, 0)
        chosen = max(
            (
                (job, worker)
                for job in peers[: 1 if passed >= PATIENCE else AHEAD]
                for worker in free
            ),
            key=lambda pair: (_warmth(*pair), -peers.index(pair[0])),
        )
        self.passed = {} if chosen[0] is first else {first.id: passed + 1}
        return chosen

    async def _begin(self, job: Job, worker: WorkerView) -> None:
        claimed = await self.jobs.claim(job.id, worker.id)
        if claimed is None:
            return  # cancelled meanwhile
        run = _Running(claimed, worker.id, f"{claimed.id}.{claimed.attempt}")
        self.running[claimed.id] = run
        self.tell("job.started", claimed)
        self._soon(self._run(run))

    async def _run(self, run: _Running) -> None:
        job = run.job
        try:
            await self._attempt(run)
        except Exception as error:
            log.exception("the job could not be run", job=job.id, attempt=job.attempt)
            await self._finish(run, "failed", error=_internal(error))
        finally:
            self.running.pop(job.id, None)
            self.progress.pop(job.id, None)
            self._flush(run)
            self.wake()

    async def _attempt(self, run: _Running) -> None:
        bound = log.bind(job=run.job.id, attempt=run.job.attempt, worker=run.worker)
        try:
            unit = await self.scribe.kept(run.job.id, lambda: self._unit(run))
            if run.cancelled:  # before its worker had heard of it
                await self._finish(run, "cancelled")
                return
            if unit is None or self.stopping:
                await self._requeue(run)
                return
            if run.job.attempt > MOST_ATTEMPTS:
                await self._finish(run, "failed", error=_hopeless(run.job))
                return
            bound.info("started")
            done = await self.pool.run(run.worker, unit, lambda what: self._happened(run, what))
        except WorkerLost as lost:
            bound.warning("worker lost", reason=str(lost), code=lost.code)
            await self._lost(run, lost)
        else:
            if done.state == "cancelled" and not run.cancelled:  # stopped along with the server
                await self._requeue(run)
                bound.info("requeued")
                return
            await self._ended(run, done)
            bound.info("ended", state=done.state)

    async def _unit(self, run: _Running) -> Run:
        job = run.job
        own = home(self.data, job.owner)
        return Run(
            run=run.run,
            document=await self.jobs.document(job.id) or {},
            owner=job.owner,
            inputs=str(own.inputs),
            outputs=str(own.outputs),
            previews=str(own.previews),
            namespace=self.policy.namespace(job.owner),
            watched=self._is_watched(job.id),
        )

    def _is_watched(self, job_id: str) -> bool:
        return job_id in self.watched or None in self.watched

    # What a worker tells

    def _happened(self, run: _Running, what: Happened) -> None:
        job = run.job
        event = self.hub.publish(
            what.type, owner=job.owner, job=job.id, data=what.data, blob=what.blob
        )
        if event.passing:
            self.progress[job.id] = what.data
            return
        run.events.append(event)
        if len(run.events) >= 100:
            self._flush(run)

    async def _ended(self, run: _Running, done: Done) -> None:
        nodes = [NodeRecord(**node) for node in done.nodes]
        await self._finish(run, done.state, outputs=done.outputs, error=done.error, nodes=nodes)

    async def _lost(self, run: _Running, lost: WorkerLost) -> None:
        job = run.job
        if run.cancelled:
            await self._finish(run, "cancelled")
            return
        if self.stopping or isinstance(lost, NotTaken):  # no fault of the job
            await self._requeue(run)
            return
        losses = self.losses[job.id] = self.losses.get(job.id, 0) + 1
        if losses == 1 and job.attempt < MOST_ATTEMPTS:
            await self._requeue(run)
            return
        error = {
            "kind": "worker_lost",
            "code": f"worker_{lost.code}",
            "detail": f"{lost}; the job was started {job.attempt} times and is not tried again",
        }
        await self._finish(run, "failed", error=error)

    async def _requeue(self, run: _Running) -> None:
        job, cancelled = run.job, None
        again = await self.scribe.kept(job.id, lambda: self.jobs.requeue(job.id, job.attempt))
        if run.cancelled:  # while it was on its way back
            cancelled = await self.scribe.kept(job.id, lambda: self.jobs.cancel(job.id))
        self.running.pop(job.id, None)
        if again is not None:
            self.tell("job.requeued", again)
        if cancelled is not None:
            self.tell("job.cancelled", cancelled)

    async def _finish(
        self,
        run: _Running,
        state: JobState,
        *,
        outputs: Json | None = None,
        error: Json | None = None,
        nodes: Sequence[NodeRecord] = (),
    ) -> None:
        self._flush(run)
        job = run.job
        finished = await self.scribe.kept(
            job.id,
            lambda: self.jobs.finish(
                job.id, job.attempt, state, outputs=outputs or {}, error=error, nodes=nodes
            ),
        )
        self.losses.pop(job.id, None)
        self.running.pop(job.id, None)
        if finished is None:  # or it was written down although its commit was not confirmed
            finished = await self.scribe.kept(job.id, lambda: self._as_finished(job))
        if finished is not None:
            self.tell(f"job.{finished.state}", finished)

    async def _as_finished(self, job: Job) -> Job | None:
        """What the database has of an attempt, if that is its end."""
        now = await self.jobs.get(job.id)
        return now if now and now.attempt == job.attempt and now.state in FINAL else None

    def _flush(self, run: _Running) -> None:
        events, run.events = run.events, []
        self.scribe.remember(events)

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


def _warmth(job: Job, worker: WorkerView) -> int:
    return len(set(job.wants) & set(worker.warm))


def _hopeless(job: Job) -> Json:
    return {
        "kind": "worker_lost",
        "code": "too_many_attempts",
        "detail": f"the job was started {job.attempt - 1} times, and each time the worker or the"
        " server ended before it: it is not tried again",
    }


def _internal(error: Exception) -> Json:
    reason = "".join(c if c.isprintable() else "?" for c in str(error)[:300])
    return {
        "kind": "internal",
        "code": "internal",
        "detail": f"{type(error).__name__}: {reason}; the server's log has more",
    }
