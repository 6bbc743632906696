"""`python -m server` is `darkroom`."""

from .cli import main

main()
