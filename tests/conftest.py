"""What holds for all tests and the processes that they start."""

import os
import signal

# Several test processes share the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Compiling every module anew takes each process 0.15 s.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# A shell hands down to what runs in its background that Ctrl-C is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
