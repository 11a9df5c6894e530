"""The command line: options in, exit code out."""

from stemctl.cli.main import main

__all__ = ["main"]
