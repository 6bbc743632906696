"""What holds for all tests: one thread for each process, since several test processes share the cores.

The processes that tests start find the modules compiled.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
