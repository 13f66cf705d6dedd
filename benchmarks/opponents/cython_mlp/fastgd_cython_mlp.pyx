# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""A dense network trained by typed loops: the textbook step with C types and without the interpreter, and nothing else."""

import numpy as np

from libc.math cimport exp, expf, log, log1p, sqrt, sqrtf, tanh, tanhf

ctypedef fused real:
    float
    double

cdef enum:
    LINEAR, RELU, TANH, SIGMOID

cdef enum:
    SOFTMAX, LOGISTIC, SQUARED

cdef enum:
    SGD, MOMENTUM, ADAM

FUNCTIONS = {"linear": LINEAR, "relu": RELU, "tanh": TANH, "sigmoid": SIGMOID}
LOSSES = {"softmax": SOFTMAX, "sigmoid": LOGISTIC, "mse": SQUARED}
RULES = {"sgd": SGD, "momentum": MOMENTUM, "adam": ADAM}


class Network:
    """A network with its weights, slots and buffers, all in flat arrays.

    Args:
        widths: the inputs, then the units of each layer.
        activation: that of the hidden layers: linear, relu, tanh or sigmoid.
        loss: softmax or sigmoid (with its cross-entropy, from logits) or mse.
        optimizer: sgd, momentum or adam.
        batch: samples per step.
        dtype: float32 or float64.
        learning_rate, momentum, beta_1, beta_2, epsilon: the numbers of the update.
    """

    def __init__(
        self, widths, activation, loss, optimizer, batch, dtype,
        *, learning_rate, momentum=0.9, beta_1=0.9, beta_2=0.999, epsilon=1e-7,
    ):
        self.kinds = FUNCTIONS[activation], LOSSES[loss], RULES[optimizer]
        self.numbers = learning_rate, momentum, beta_1, beta_2, epsilon
        self.batch = batch
        self.widths = np.array(widths, np.intp)
        self.shapes = [shape for i, u in zip(widths, widths[1:]) for shape in ((i, u), (u,))]
        size = sum(int(np.prod(shape)) for shape in self.shapes)
        self.w, self.g, self.m, self.v = (np.zeros(size, dtype) for _ in range(4))
        self.outputs, self.deltas = (np.zeros(batch * sum(widths[1:]), dtype) for _ in range(2))
        self.updates = 0
        self.loss = 0.0

    def restart(self, weights):
        """Set the weights, and begin anew with the optimizer."""
        self.w[...] = np.concatenate([value.ravel() for value in weights])
        self.m[...] = 0
        self.v[...] = 0
        self.updates = 0

    def weights(self):
        """Return copies of the weights: kernel (inputs, units) and bias (units,) of each layer."""
        ends = np.cumsum([int(np.prod(shape)) for shape in self.shapes])
        return [part.reshape(shape).copy() for part, shape in zip(np.split(self.w, ends[:-1]), self.shapes)]

    def train(self, x, t, epochs):
        """Go through the rows of x and t, the targets as numbers (rows, outputs or 1), so many times in their order."""
        for _ in range(epochs):
            self.loss = train_epoch(
                x, t, self.w, self.g, self.m, self.v, self.outputs, self.deltas, self.widths,
                self.batch, self.updates, *self.kinds, *self.numbers,
            )
            self.updates += len(x) // self.batch


cdef inline real activate(real z, int function) noexcept nogil:
    if function == RELU:
        return z if z > 0 else 0
    if function == TANH:
        return tanhf(z) if real is float else tanh(z)
    if function == SIGMOID:
        return 1 / (1 + (expf(-z) if real is float else exp(-z)))
    return z


cdef inline real slope(real y, int function) noexcept nogil:
    # From the output, as everybody does.
    if function == RELU:
        return 1 if y > 0 else 0
    if function == TANH:
        return 1 - y * y
    if function == SIGMOID:
        return y * (1 - y)
    return 1


cdef void forward(
    const real *x, const real *w, real *y, Py_ssize_t rows, Py_ssize_t inputs, Py_ssize_t units, int function
) noexcept nogil:
    """y = f(x w + b); the bias stands behind the kernel."""
    cdef Py_ssize_t n, i, u
    cdef const real *b = w + inputs * units
    cdef const real *line
    cdef real a
    for n in range(rows):
        for u in range(units):
            y[u] = b[u]
        # The innermost loop runs along rows of w and y, which the compiler turns into vector code.
        for i in range(inputs):
            a = x[i]
            line = w + i * units
            for u in range(units):
                y[u] += a * line[u]
        for u in range(units):
            y[u] = activate(y[u], function)
        x += inputs
        y += units


cdef double differentiate(
    const real *z, const real *t, real *dz, Py_ssize_t rows, Py_ssize_t units, Py_ssize_t targets, int loss
) noexcept nogil:
    """Return the mean loss of logits or numbers z; dz becomes its gradient."""
    cdef Py_ssize_t n, u, label
    cdef real largest, total, value
    cdef double result = 0
    for n in range(rows):
        if loss == SOFTMAX:
            label = <Py_ssize_t>t[0]
            largest = z[0]
            for u in range(1, units):
                if z[u] > largest:
                    largest = z[u]
            total = 0
            for u in range(units):
                dz[u] = expf(z[u] - largest) if real is float else exp(z[u] - largest)
                total += dz[u]
            result -= log(dz[label] / total)
            for u in range(units):
                dz[u] = dz[u] / (total * rows)
            dz[label] -= <real>1 / rows
        else:
            for u in range(units):
                value = z[u]
                if loss == LOGISTIC:
                    result += ((value if value > 0 else 0) - value * t[u] + log1p(exp(-abs(value)))) / units
                    dz[u] = (activate(value, SIGMOID) - t[u]) / (rows * units)
                else:
                    result += (value - t[u]) * (value - t[u]) / units
                    dz[u] = 2 * (value - t[u]) / (rows * units)
        z += units
        dz += units
        t += targets
    return result / rows


cdef void backward_weights(
    const real *x, const real *dy, real *dw, Py_ssize_t rows, Py_ssize_t inputs, Py_ssize_t units
) noexcept nogil:
    """dw = x^T dy, and behind it db = the sum of dy over the batch."""
    cdef Py_ssize_t n, i, u
    cdef real *db = dw + inputs * units
    cdef real *line
    cdef real a
    for u in range((inputs + 1) * units):
        dw[u] = 0
    for n in range(rows):
        for u in range(units):
            db[u] += dy[u]
        for i in range(inputs):
            a = x[i]
            line = dw + i * units
            for u in range(units):
                line[u] += a * dy[u]
        x += inputs
        dy += units


cdef void backward_inputs(
    const real *dy, const real *w, const real *y, real *dx, Py_ssize_t rows, Py_ssize_t inputs, Py_ssize_t units,
    int function,
) noexcept nogil:
    """dx = (dy w^T) f'(y), with y the output of the layer below."""
    cdef Py_ssize_t n, i, u
    cdef const real *line
    cdef real total
    for n in range(rows):
        for i in range(inputs):
            total = 0
            line = w + i * units
            for u in range(units):
                total += dy[u] * line[u]
            dx[i] = total * slope(y[i], function)
        dy += units
        y += inputs
        dx += inputs


cdef void update(
    real *w, const real *g, real *m, real *v, Py_ssize_t size, int rule, real rate, real momentum, real rest_1,
    real rest_2, real epsilon,
) noexcept nogil:
    """Sgd: w -= rate g. Momentum: m = momentum m - rate g; w += m. Adam: m and v, then w -= rate m / (sqrt(v) + e)."""
    cdef Py_ssize_t i
    if rule == SGD:
        for i in range(size):
            w[i] -= rate * g[i]
    elif rule == MOMENTUM:
        for i in range(size):
            m[i] = momentum * m[i] - rate * g[i]
            w[i] += m[i]
    else:
        for i in range(size):
            m[i] += (g[i] - m[i]) * rest_1
            v[i] += (g[i] * g[i] - v[i]) * rest_2
            w[i] -= rate * m[i] / ((sqrtf(v[i]) if real is float else sqrt(v[i])) + epsilon)


def train_epoch(
    real[:, ::1] x, real[:, ::1] t, real[::1] w, real[::1] g, real[::1] m, real[::1] v, real[::1] outputs,
    real[::1] deltas, Py_ssize_t[::1] widths, Py_ssize_t batch, Py_ssize_t updates, int function, int loss, int rule,
    double learning_rate, double momentum, double beta_1, double beta_2, double epsilon,
):
    """Go through all whole batches once; return the mean of their losses."""
    cdef Py_ssize_t steps = x.shape[0] // batch, layers = widths.shape[0] - 1
    cdef Py_ssize_t step, k, weights, units, below
    cdef const real *h
    cdef double total = 0, rate
    with nogil:
        for step in range(steps):
            h = &x[step * batch, 0]
            weights = units = 0
            for k in range(layers):
                forward(
                    h, &w[weights], &outputs[units], batch, widths[k], widths[k + 1],
                    function if k < layers - 1 else LINEAR,
                )
                h = &outputs[units]
                if k < layers - 1:
                    weights += (widths[k] + 1) * widths[k + 1]
                    units += batch * widths[k + 1]
            total += differentiate(h, &t[step * batch, 0], &deltas[units], batch, widths[layers], t.shape[1], loss)
            for k in range(layers - 1, -1, -1):
                below = units - batch * widths[k] if k else 0
                h = &outputs[below] if k else &x[step * batch, 0]
                backward_weights(h, &deltas[units], &g[weights], batch, widths[k], widths[k + 1])
                if k:
                    backward_inputs(
                        &deltas[units], &w[weights], h, &deltas[below], batch, widths[k], widths[k + 1], function
                    )
                    weights -= (widths[k - 1] + 1) * widths[k]
                    units = below
            updates += 1
            rate = learning_rate
            if rule == ADAM:
                rate *= sqrt(1 - beta_2**updates) / (1 - beta_1**updates)
            update(
                &w[0], &g[0], &m[0], &v[0], w.shape[0], rule, <real>rate, <real>momentum, <real>(1 - beta_1),
                <real>(1 - beta_2), <real>epsilon,
            )
    return total / steps
