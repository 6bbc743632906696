"""A node package with a fault in it."""

1 / 0  # noqa: B018 - the fault
