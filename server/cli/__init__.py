"""The `darkroom` program: the frame around its commands."""

import gc
import os
import sys


def main() -> None:
    """Run the command line; leave with its exit status and never with a traceback.

    0: done. 1: the workflow or the run has problems. 2: the command was not understood.
    70: a fault in Darkroom itself. 130: stopped by Ctrl-C.
    """
    try:
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
        gc.disable()  # imports make little garbage, and to look for it takes 15 ms
        from .commands import app

        gc.enable()
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


if __name__ == "__main__":
    main()
