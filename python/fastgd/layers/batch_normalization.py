"""The layer that normalises each channel over the batch."""

from __future__ import annotations

from typing import Any

from fastgd import initializers, ops
from fastgd.config import epsilon
from fastgd.layers.affine import AffineNormalization
from fastgd.ops.axes import normal_axis
from fastgd.ops.builder import Tensor
from fastgd.ops.parameters import Variable
from fastgd.utils.checks import check_real
from fastgd.utils.errors import invalid


class BatchNormalization(AffineNormalization):
    """`y = gamma (x - mean) / sqrt(variance + epsilon) + beta`, per channel.

    In training mean and biased variance are those of the batch, and each update moves
    `moving = moving momentum + batch (1 - momentum)`; otherwise the moving averages take their place. So they do in a
    layer with `trainable=False`, which then leaves them alone; a model takes notice of that when it is compiled.
    With a mask (batch, ...), which lacks only the last axis of x, these are the moments of what counts.
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

    supports_masking = True
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

    def call(self, inputs: Tensor, training: bool = False, mask: Tensor | None = None) -> Tensor:
        """Emit the step, or several if not all inputs count.

        Raises:
            ValueError: if the mask has another number of axes than x without the last.
        """
        if mask is not None and len(mask.dims) != len(inputs.dims) - 1:
            raise invalid("`mask` must lack one axis of the inputs.", mask=mask.shape, inputs=inputs.shape)
        moves = training and inputs.builder.moves(self.moving_mean, self.trainable)
        if mask is not None and moves:
            return self._of_what_counts(inputs, ops.expand_dims(mask, -1))
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

    def _of_what_counts(self, x: Tensor, counts: Tensor) -> Tensor:
        """Emit the normalisation by the moments of the elements of x that count in training, all others included.

        Two numbers at one deviation from the mean have the moments that the moving averages are to follow, so that the
        step which moves these does so. What it makes of -1 and 1 tells whether the plan is trained or evaluated.
        """
        place = normal_axis("batch_normalization", self.axis, len(x.dims))
        axes = tuple(k for k in range(len(x.dims)) if k != place)
        number = ops.sum(ops.broadcast_to(counts, x.shape), axes, keepdims=True) + epsilon()
        mean = ops.sum(ops.where(counts, x, 0.0), axes, keepdims=True) / number
        variance = ops.sum(ops.square(ops.where(counts, x - mean, 0.0)), axes, keepdims=True) / number
        spread = ops.sqrt(variance)
        pair = ops.reshape(ops.stack([mean - spread, mean + spread]), (2, x.dims[place]))
        averages = self.moving_mean, self.moving_variance
        moved = ops.batch_normalization(ops.stop_gradient(pair), *averages, epsilon=1.0, momentum=self.momentum)
        shape = tuple(d if k == place else 1 for k, d in enumerate(x.dims))
        trains = self._trains(x)
        mean, variance = (
            ops.where(trains, own, ops.reshape(x.builder.read(moving), shape))
            for own, moving in zip((mean, variance), averages, strict=True)
        )
        # What the averages take is no part of y, but a step runs only where its output is used.
        y: Tensor = (x - mean) * ops.rsqrt(variance + self.epsilon) + 0.0 * ops.sum(moved)
        y = y if self.gamma is None else y * ops.reshape(x.builder.read(self.gamma), shape)
        return y if self.beta is None else y + ops.reshape(x.builder.read(self.beta), shape)

    def _trains(self, x: Tensor) -> Any:
        """Emit a tensor (1,) that is 1 while the plan trains and 0 while it is evaluated."""
        builder = x.builder
        mean, variance = (Variable([value], "constant", builder.dtype, trainable=False) for value in (0.0, 1.0))
        pair = ops.stack([builder.constant(-1.0, (1,)), builder.constant(3.0, (1,))])
        # With momentum 1 nothing moves; the moments of the pair bring the 3 to 1, averages of 0 and 1 leave it.
        return ops.less(ops.batch_normalization(pair, mean, variance, momentum=1.0)[1], 2.0)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        config = {**super().get_config(), "momentum": self.momentum}
        return config | self.initializer_config("moving_mean", "moving_variance")
