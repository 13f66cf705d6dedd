"""Where lines of text for users go: to the standard output, or to the log."""

from __future__ import annotations

from fastgd import config


def say(text: str) -> None:
    """Print a line, or log it if `config.disable_interactive_logging` was called."""
    if config.is_interactive_logging_enabled():
        print(text, flush=True)
        return
    # Imported late: few programs log.
    import logging

    logging.getLogger("fastgd").info("%s", text.strip("\n"))
