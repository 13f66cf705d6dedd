"""The command line: `fastgd train`, `fastgd predict`, `fastgd info`, `fastgd bench`, `fastgd --version`."""

from fastgd.cli.app import main

__all__ = ["main"]
