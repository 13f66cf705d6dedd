"""The command line: `fastgd train`, `fastgd info`, `fastgd --version`."""

from fastgd.cli.app import main

__all__ = ["main"]
