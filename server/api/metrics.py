"""Figures for Prometheus."""

import time
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from server.jobs.model import ENDS
from server.live import Event
from server.service import Service

from .following import Wish
from .operation import Answer, operation

_RUN_SECONDS = (0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


class _Present(Collector):
    """What is read off when somebody asks."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.counts: dict[str, int] = {}

    @override
    def collect(self) -> Iterable[Metric]:
        service = self.service
        jobs = GaugeMetricFamily("darkroom_jobs", "Jobs by their state.", labels=["state"])
        for state, count in self.counts.items():
            jobs.add_metric([state], count)
        yield jobs
        yield _gauge("darkroom_queue_length", "Jobs that wait.", self.counts.get("queued", 0))
        yield _gauge("darkroom_queue_paused", "1: no job is started.", service.dispatcher.paused)
        watching = sum(isinstance(each.wants, Wish) for each in service.hub.subscriptions)
        yield _gauge("darkroom_watchers", "Open streams of events.", watching)
        memory = GaugeMetricFamily(
            "darkroom_worker_rss_bytes", "Memory of each worker.", labels=["worker", "device"]
        )
        busy = GaugeMetricFamily("darkroom_workers", "Workers by their state.", labels=["state"])
        states = dict.fromkeys(("starting", "idle", "busy", "lost"), 0)
        for worker in service.pool.workers:
            memory.add_metric([worker.id, worker.device], worker.rss)
            states[worker.state] += 1
        for state, count in states.items():
            busy.add_metric([state], count)
        yield memory
        yield busy


class Figures:
    """Counts requests and the ends of jobs; each server has its own."""

    def __init__(self, service: Service) -> None:
        self.registry = CollectorRegistry()
        self.present = _Present(service)
        self.registry.register(self.present)
        self.requests = Counter(
            "darkroom_http_requests", "Requests.", ["method", "route", "status"],
            registry=self.registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "darkroom_http_request_seconds", "Time to answer.", ["method", "route"],
            registry=self.registry,
        )  # fmt: skip
        self.ended = Counter(
            "darkroom_jobs_ended", "Jobs that have ended.", ["state"], registry=self.registry
        )
        self.ran = Histogram(
            "darkroom_job_seconds", "Time from a job's start to its end.", ["state"],
            buckets=_RUN_SECONDS, registry=self.registry,
        )  # fmt: skip
        self.lag = Histogram(
            "darkroom_event_lag_seconds", "Time from an event to its being sent to a watcher.",
            buckets=(0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5), registry=self.registry,
        )  # fmt: skip
        service.hub.subscribe(self._heard)

    @web.middleware
    async def count(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        """Count a request by the status that it was answered with."""
        began, status = time.perf_counter(), 500
        try:
            response = await handler(request)
            status = response.status
        except web.HTTPException as error:  # a redirection
            status = error.status
            raise
        else:
            return response
        finally:
            resource = request.match_info.route.resource
            route = "none" if resource is None else resource.canonical
            self.requests.labels(request.method, route, status).inc()
            self.seconds.labels(request.method, route).observe(time.perf_counter() - began)

    def sent(self, event: Event) -> None:
        """An event goes out to a watcher."""
        self.lag.observe(max(0.0, time.time() - event.time))

    def _heard(self, event: Event) -> bool:
        """Look at an event without taking it."""
        state = ENDS.get(event.type)
        if state is not None:
            self.ended.labels(state).inc()
            seconds = event.data.get("job", {}).get("seconds")
            if isinstance(seconds, (int, float)):
                self.ran.labels(state).observe(seconds)
        return False


@operation(
    "GET",
    "/api/v1/metrics",
    scope="read",
    answers={200: Answer("Figures in Prometheus' text form.", media=("text/plain",))},
)
async def read_metrics(service: Service, figures: Figures) -> web.Response:
    """Read figures of the jobs, the queue, the workers and the requests."""
    counts = await service.jobs.counts()
    figures.present.counts = {state: int(count) for state, count in counts.items()}
    return web.Response(body=generate_latest(figures.registry), headers={"Content-Type": _TEXT})


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=float(value))
