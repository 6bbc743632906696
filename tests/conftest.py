"""What holds for all tests: one thread for each process, since several test processes share the cores."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
