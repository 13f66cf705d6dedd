"""What estimators share whose network is a chain of dense layers: building it from their weights, and back."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.estimators.base import NetworkEstimator
from fastgd.estimators.network import Architecture, DenseNetwork, Penalty
from fastgd.models.model import Model

Array = npt.NDArray[Any]


class DenseEstimator(NetworkEstimator):
    """An estimator whose weights are kernels and biases in attributes for users, who may change them there."""

    _network: DenseNetwork

    @abstractmethod
    def _arrays(self) -> tuple[Sequence[Array], Sequence[Array]]:
        """Return the kernels (in, out) and the biases."""

    @abstractmethod
    def _keep_arrays(self, coefs: list[Array], intercepts: list[Array]) -> None:
        """Set the attributes for users."""

    @abstractmethod
    def _penalty(self, mean_weight: float, divisor: int | None) -> Penalty:
        """Return the penalty, for batches of `divisor` rows or of several sizes."""

    def _architecture(self, sizes: tuple[int, ...], dtype: str) -> Architecture:
        """Return what the network is made of."""
        return Architecture(sizes, (), self._objective.activation, dtype)

    def _ready_model(self) -> Model:
        coefs, intercepts = self._arrays()
        network: DenseNetwork | None = self.__dict__.get("_network")
        if network is None:
            sizes = (coefs[0].shape[0], *(coef.shape[1] for coef in coefs))
            dtype = "float32" if coefs[0].dtype == np.float32 else "float64"
            network = self._network = DenseNetwork(self._architecture(sizes, dtype))
        network.load(coefs, intercepts, self.__dict__.get("_normalisations") or network.normalisation_values)
        return network.model

    def _forget_network(self) -> None:
        """Let the next fit build another network."""
        self.__dict__.pop("_network", None)
        self.__dict__.pop("_normalisations", None)

    def _store_weights(self) -> None:
        self._keep_arrays(self._network.coefs, self._network.intercepts)
        self._normalisations = self._network.normalisation_values

    def _penalise(self, mean_weight: float, rows: int, batch_size: int) -> bool:
        # Where all batches are alike one number does, which the update applies on the way.
        return self._network.penalise(self._penalty(mean_weight, batch_size if rows % batch_size == 0 else None))
