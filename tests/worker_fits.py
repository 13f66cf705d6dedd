"""What a worker of joblib's says about its threads: a module of its own, since workers import it by name."""

from __future__ import annotations

from typing import Any

import fastgd
from fastgd.estimators.threads import inside_worker, limited_threads


def seen(n_jobs: Any = None) -> tuple[bool, int]:
    """Return whether this is a worker, and how many threads a fit has."""
    with limited_threads(n_jobs):
        return inside_worker(), fastgd.get_num_threads()
