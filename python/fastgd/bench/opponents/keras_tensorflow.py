"""Keras on TensorFlow: `fit` on a data set of batches in memory."""

from __future__ import annotations

import importlib
from typing import Any

from fastgd.bench.opponents.base import Array
from fastgd.bench.opponents.keras_common import KerasOpponent


class Adapter(KerasOpponent):
    """Keras on TensorFlow."""

    configuration = "Sequential.fit, a whole epoch per execution, tf.data of batches in memory, no XLA"
    # Slower with XLA on a CPU, and with fit's own cutting of arrays into batches.
    jit_compile = False

    @staticmethod
    def environment(threads: int) -> dict[str, str]:
        """Choose the backend and limit its threads."""
        return {
            "KERAS_BACKEND": "tensorflow",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "TF_NUM_INTRAOP_THREADS": str(threads),
            "TF_NUM_INTEROP_THREADS": str(threads),
            # The pool of compiled functions follows this one.
            "NPROC": str(threads),
        }

    def __init__(self, threads: int) -> None:
        tensorflow: Any = importlib.import_module("tensorflow")
        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(threads)
        super().__init__(threads)

    def _prepare_data(self, x: Array, y: Array) -> dict[str, Any]:
        tensorflow: Any = importlib.import_module("tensorflow")
        batch = self._problem.workload.batch
        stacked = tuple(array.reshape(-1, batch, *array.shape[1:]) for array in (x, y))
        return {"x": tensorflow.data.Dataset.from_tensor_slices(stacked)}

    def facts(self) -> dict[str, str]:
        """Return how TensorFlow was built."""
        tensorflow: Any = importlib.import_module("tensorflow")
        return {name: str(value) for name, value in tensorflow.sysconfig.get_build_info().items()}
