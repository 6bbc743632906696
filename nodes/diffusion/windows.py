"""Windows: in which of a run's steps something acts that is given from one fraction of them to another."""


def of_control(start: float, end: float, steps: int) -> tuple[bool, ...]:
    """For each step whether a ControlNet acts: step i of N if i / N >= start and (i + 1) / N <= end."""
    return tuple(step / steps >= start and (step + 1) / steps <= end for step in range(steps))


def of_prompt(start: float, end: float, steps: int) -> tuple[bool, ...]:
    """For each step whether a prompt counts: step i of N if start <= i / N < end.

    So of two ranges that follow each other one has each step.
    """
    return tuple(start <= step / steps < end for step in range(steps))
