"""A workload's network as a function of JAX, in training: images with channels last, as XLA has them on a CPU."""

from __future__ import annotations

from typing import Any

from fastgd.bench.networks import (
    NORM_EPSILON,
    NORM_MOMENTUM,
    Activation,
    BatchNormalization,
    Convolution,
    Dense,
    DepthwiseConvolution,
    Flatten,
    GlobalAveragePooling,
    MaxPooling,
    Sliding,
    shapes_of,
)
from fastgd.bench.workloads import Workload


def compute_logits(jax: Any, workload: Workload, weights: Any, x: Any) -> tuple[Any, list[Any]]:
    """Return what the last layer gives before its activation, and the moving averages that the batch has moved.

    Args:
        jax: the module.
        workload: the workload.
        weights: all its variables.
        x: a batch.
    """
    jnp = jax.numpy
    functions = {"relu": jax.nn.relu, "tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid, "linear": lambda x: x}
    averages: list[Any] = []
    first = 0
    for layer, shape in shapes_of(workload.inputs, workload.layers):
        count = len(layer.variables(shape))
        own = weights[first : first + count]
        first += count
        function = "linear"
        match layer:
            case Dense(_, function):
                x = x @ own[0] + own[1]
            case Convolution(activation=function):
                x = convolve(jax, layer, x, own[0])
                x = x + own[1] if layer.bias else x
            case DepthwiseConvolution():
                x = convolve(jax, layer, x, own[0].reshape(layer.window, layer.window, 1, shape[2]), shape[2])
            case MaxPooling():
                x = pool(jax, layer, x)
            case GlobalAveragePooling():
                x = x.mean((1, 2))
            case BatchNormalization():
                scale, offset, *moving = own
                mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
                x = (x - mean) * (scale * jax.lax.rsqrt(variance + NORM_EPSILON)) + offset
                averages += [
                    NORM_MOMENTUM * old + (1 - NORM_MOMENTUM) * new
                    for old, new in zip(moving, (mean, variance), strict=True)
                ]
            case Activation(function):
                pass
            case Flatten():
                x = x.reshape(len(x), -1)
            case _:
                raise TypeError(f"no function of JAX stands for {layer}")
        x = functions[function](x)
    return x, averages


def convolve(jax: Any, layer: Sliding, x: Any, kernel: Any, groups: int = 1) -> Any:
    """Return the convolution of x (n, h, w, c) by a kernel (window, window, c / groups, f)."""
    return jax.lax.conv_general_dilated(
        x,
        kernel,
        (layer.stride, layer.stride),
        layer.padding.upper(),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )


def pool(jax: Any, layer: Sliding, x: Any) -> Any:
    """Return the largest of each window."""
    if layer.stride == layer.window and layer.padding == "valid":
        # Windows that do not overlap are two axes of their own; going back through `reduce_window` is much slower.
        n, h, w, c = x.shape
        k = layer.window
        return x[:, : h // k * k, : w // k * k].reshape(n, h // k, k, w // k, k, c).max((2, 4))
    window, steps = (1, layer.window, layer.window, 1), (1, layer.stride, layer.stride, 1)
    return jax.lax.reduce_window(x, -jax.numpy.inf, jax.lax.max, window, steps, layer.padding.upper())
