"""The layer that normalises each channel over the batch."""

from __future__ import annotations

from typing import Any

from fastgd import initializers, ops
from fastgd.layers.affine import AffineNormalization
from fastgd.ops.builder import Tensor
from fastgd.ops.parameters import Variable
from fastgd.utils.checks import check_real
from fastgd.utils.errors import invalid


class BatchNormalization(AffineNormalization):
    """`y = gamma (x - mean) / sqrt(variance + epsilon) + beta`, per channel.

    In training mean and biased variance are those of the batch, and each update moves
    `moving = moving momentum + batch (1 - momentum)`; otherwise the moving averages take their place. So they do in a
    layer with `trainable=False`, which then leaves them alone; a model takes notice of that when it is compiled.
    Only `fit` and `train_on_batch` move the averages; calling the layer on an array with `training=True` does not.

    Args:
        axis: the axis of the channels, any but the batch.
        momentum: the share of its value that a moving average keeps, from 0 to 1.
        epsilon: added to the variance.
        center: whether there is a beta.
        scale: whether there is a gamma.
        beta_initializer: the initial beta, of shape (channels,).
        gamma_initializer: the initial gamma.
        moving_mean_initializer: the initial moving mean.
        moving_variance_initializer: the initial moving variance.
        beta_regularizer: the penalty on beta: a name, a config, a Regularizer or a function.
        gamma_regularizer: the same for gamma.
        beta_constraint: what beta goes through after each update: a name, a config, a Constraint or a function.
        gamma_constraint: the same for gamma.
        renorm: False; batch renormalisation is not available.
        synchronized: False; there is no training in several processes whose batches could be seen as one.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, ...) gives y of the same shape.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> fastgd.layers.BatchNormalization()

    Source:
        Ioffe, Szegedy, Batch normalization: Accelerating deep network training by reducing internal covariate shift,
        ICML 2015.
    """

    moving_mean: Variable
    moving_variance: Variable

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        if renorm:
            raise invalid("`renorm` must be False: batch renormalisation is not available.", renorm=renorm)
        if synchronized:
            raise invalid("`synchronized` must be False: a model is trained in one process.", synchronized=synchronized)
        rules = beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint
        super().__init__(axis, epsilon, center, scale, beta_initializer, gamma_initializer, *rules, **kwargs)
        self.momentum = check_real("momentum", momentum, 0.0, 1.0)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)

    def build(self, input_shape: Any) -> None:
        """Make gamma, beta and the moving averages."""
        shape = self.channels(input_shape)
        self.add_affine(shape)
        self.moving_mean = self.add_weight(shape, self.moving_mean_initializer, trainable=False, name="moving_mean")
        self.moving_variance = self.add_weight(
            shape, self.moving_variance_initializer, trainable=False, name="moving_variance"
        )
        super().build(input_shape)

    @property
    def moving_weights(self) -> list[Variable]:
        """The moving averages, none while the layer is frozen."""
        return [self.moving_mean, self.moving_variance] if self.trainable and self.built else []

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Emit the step."""
        moves = training and inputs.builder.moves(self.moving_mean, self.trainable)
        return ops.batch_normalization(
            inputs,
            self.moving_mean,
            self.moving_variance,
            self.axis,
            self.beta,
            self.gamma,
            self.epsilon,
            self.momentum if moves else None,
        )

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        config = {**super().get_config(), "momentum": self.momentum}
        return config | self.initializer_config("moving_mean", "moving_variance")
