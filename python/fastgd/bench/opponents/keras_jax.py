"""Keras on JAX: `fit` on arrays in memory."""

from __future__ import annotations

from fastgd.bench.opponents import jax_scan
from fastgd.bench.opponents.keras_common import KerasOpponent


class Adapter(KerasOpponent):
    """Keras on JAX."""

    configuration = "Sequential.fit, a whole epoch per execution, arrays in memory"

    @staticmethod
    def environment(threads: int) -> dict[str, str]:
        """Choose the backend and limit its threads."""
        return {"KERAS_BACKEND": "jax", **jax_scan.Adapter.environment(threads)}
