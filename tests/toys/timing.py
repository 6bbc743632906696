"""Nodes by which benchmarks read the time."""

import time

from engine.node import Progress, node, silent


@node("Clock", category="time", volatile=True)
def clock(*, ticks: int = 10, progress: Progress = silent) -> float:
    """Tell the time every 20 ms, in microseconds since 1970, as progress."""
    for _ in range(ticks):
        now = int(time.time() * 1e6)
        progress(now, now + 1)
        time.sleep(0.02)
    return time.time()


@node("Busy", category="time", volatile=True)
def busy(*, steps: int = 10, progress: Progress = silent) -> float:
    """Compute for 10 ms of the processor's time before each progress."""
    total = 0.0
    for step in range(steps):
        until = time.thread_time() + 0.01
        while time.thread_time() < until:
            total += 1.0
        progress(step + 1, steps)
    return total
