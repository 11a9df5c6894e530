"""`python -m stemctl` is the same as `stemctl`."""

from stemctl.cli import start

start()
