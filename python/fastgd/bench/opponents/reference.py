"""The NumPy interpreter of fastgd: the same plan, one NumPy expression per line of mathematics."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgd.bench.opponents import native


class Adapter(native.Adapter):
    """The reference; its threads are those of NumPy's BLAS."""

    configuration = "the same plan on fastgd's NumPy interpreter"
    backend = "numpy"

    def _limit_threads(self) -> None:
        # The BLAS has read its limit from the environment when NumPy was imported.
        pass

    def facts(self) -> dict[str, str]:
        """Return which BLAS NumPy was built with."""
        config: Any = np.show_config(mode="dicts")
        blas = config.get("Build Dependencies", {}).get("blas", {})
        return {"blas": f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()}
