"""Modules of PyTorch as models: the same outputs for random weights, weights back, and clear refusals."""

from __future__ import annotations

import copy
import gc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tolerances

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812

from fastgd.interop.torch import from_torch, to_torch  # noqa: E402

BATCH = 3
# The longest chain of sums in the modules below, generously.
CLOSE = tolerances.chained("float64", *[64] * 12)


class Residual(nn.Module):
    """Functions and methods on images, a branch, a weight of its own and a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.depthwise, self.shortcut = nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.Conv2d(8, 8, 1, bias=False)
        self.groups, self.slopes = nn.GroupNorm(2, 8), nn.PReLU(8)
        self.up = nn.ConvTranspose2d(8, 4, 3, stride=2, padding=1, output_padding=1)
        self.head, self.last = nn.Linear(8 * 4 * 4, 7), nn.LayerNorm(7)
        self.scale = nn.Parameter(torch.randn(7))
        self.register_buffer("shift", torch.randn(7))

    def forward(self, x: Any) -> Any:
        x = F.relu(self.norm(self.first(x)))
        y = self.slopes(self.groups(self.depthwise(x))) + self.shortcut(x)
        y = F.max_pool2d(y, 3, 2, padding=1)
        y = torch.cat([y, -y * 2.0], 1)[:, :8]
        z = self.up(y).mean(dim=(2, 3))
        y = y.view(x.size(0), -1)
        y = self.head(torch.tanh(y)) * self.scale + self.shift
        y = self.last(F.leaky_relu(y, 0.2))
        return y * z.sum(1, keepdim=True) + F.gelu(y)


class Attention(nn.Module):
    """Matrix products, axes in other orders, sizes computed with, and one layer called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.project, self.norm = nn.Linear(6, 6), nn.RMSNorm(6)
        self.weight = nn.Parameter(torch.randn(5, 6))

    def forward(self, x: Any) -> Any:
        batch, steps, width = x.shape
        q, k = self.project(x), self.project(self.norm(x))
        scores = torch.matmul(q, k.transpose(1, 2)) / width**0.5
        mixed = torch.bmm(F.softmax(scores, dim=-1), x).permute(0, 2, 1).reshape(batch, steps * width)
        mixed = mixed.unsqueeze(1).squeeze(1).view(batch, width, steps)
        return F.linear(mixed.transpose(1, 2), self.weight).clamp(min=-1.0, max=2.0).abs().amax(2)


class SqueezeExcite(nn.Module):
    """Weights of the channels of an image from the image, by a flattened one of one pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.pool, self.gates = (
            nn.AdaptiveAvgPool2d(1),
            nn.Sequential(nn.Conv2d(4, 2, 1), nn.SiLU(), nn.Conv2d(2, 4, 1)),
        )

    def forward(self, x: Any) -> Any:
        return x * torch.sigmoid(self.gates(self.pool(x))) - 0.5


class Flattened(nn.Module):
    """A flattened image that more than a product takes, and its shape again."""

    def __init__(self) -> None:
        super().__init__()
        self.head, self.norm = nn.Linear(24, 24), nn.BatchNorm1d(24)

    def forward(self, x: Any) -> Any:
        y = torch.flatten(F.avg_pool2d(x, 2), 1)
        return F.pad((self.norm(self.head(y)) + y).view(-1, 24).view(y.size(0), 2, 3, 4), (1, 0, 0, 2))


class Sequences(nn.Module):
    """Recurrent layers, one and several, one way and both, and what is taken of their outputs and states."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(4, 3, num_layers=2, batch_first=True, dropout=0.3)
        self.both = nn.GRU(3, 2, batch_first=True, bidirectional=True)
        self.plain = nn.RNN(4, 3, nonlinearity="relu", batch_first=True, bias=False)

    def forward(self, x: Any) -> Any:
        y, (h, c) = self.lstm(x)
        z, states = self.both(y)
        w, last = self.plain(z)
        return torch.cat([h[-1], c[0], states[0], states[-1], last.squeeze(0), w[:, 1], z.mean(1)], dim=1)


class Heads(nn.Module):
    """Attention to itself and to another sequence, with masks, with and without biases, in one tensor and in three."""

    def __init__(self) -> None:
        super().__init__()
        self.causal = nn.MultiheadAttention(6, 3, batch_first=True, dropout=0.3)
        self.sparse = nn.MultiheadAttention(6, 2, bias=False, batch_first=True)
        self.cross = nn.MultiheadAttention(6, 1, kdim=4, vdim=5, batch_first=True)
        self.register_buffer("later", torch.ones(5, 5, dtype=torch.bool).triu(1))
        # No buffer, and neither causal nor symmetric.
        self.hidden = torch.zeros(5, 5).index_put_(
            (torch.tensor([0, 1, 1, 4]), torch.arange(4)), torch.tensor(-torch.inf)
        )

    def forward(self, x: Any, y: Any) -> Any:
        z, _ = self.causal(x, x, x, attn_mask=self.later, is_causal=True)
        z = self.sparse(x, z, x * z, need_weights=False, attn_mask=self.hidden)[0]
        # The same layer once more, without a mask.
        return self.cross(z + self.sparse(z, z, z)[0], y[:, :, :4], y)[0]


class Decoder(nn.Module):
    """An encoder, a decoder, and their norms."""

    def __init__(self) -> None:
        super().__init__()
        sizes = {"d_model": 4, "nhead": 2, "dim_feedforward": 6, "batch_first": True}
        encoder = nn.TransformerEncoderLayer(**sizes, activation="gelu", bias=False, layer_norm_eps=1e-3)
        self.encoder = nn.TransformerEncoder(encoder, 1, enable_nested_tensor=False)
        self.decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(**sizes, norm_first=True), 2, nn.LayerNorm(4))
        self.register_buffer("later", torch.ones(3, 3, dtype=torch.bool).triu(1))

    def forward(self, x: Any, y: Any) -> Any:
        return self.decoder(y, self.encoder(x), tgt_mask=self.later, tgt_is_causal=True)


def encoder(**options: Any) -> Any:
    """Return two blocks of a small encoder."""
    block = nn.TransformerEncoderLayer(6, 3, 5, batch_first=True, **options)
    return nn.TransformerEncoder(block, 2, nn.LayerNorm(6), enable_nested_tensor=False)


class TwoInputs(nn.Module):
    """Two arguments, and two outputs by names."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Linear(4, 3)

    def forward(self, x: Any, y: Any) -> dict[str, Any]:
        return {"sum": self.a(x) + y, "quotient": y / (x[:, :3] ** 2 + 1.0)}


ACTIVATIONS = (
    nn.ReLU(), nn.ReLU6(), nn.LeakyReLU(0.05), nn.ELU(0.7), nn.SELU(), nn.CELU(0.6), nn.GELU(), nn.GELU("tanh"),
    nn.SiLU(), nn.Mish(), nn.Sigmoid(), nn.Tanh(), nn.Softplus(), nn.LogSigmoid(), nn.Softsign(),
    nn.Hardtanh(-0.4, 0.8), nn.Hardsigmoid(), nn.Hardswish(), nn.Tanhshrink(), nn.Softshrink(0.3), nn.Hardshrink(0.2),
    nn.Threshold(0.1, -0.5), nn.PReLU(), nn.Softmax(dim=1), nn.LogSoftmax(dim=-1), nn.Softmin(dim=1), nn.GLU(dim=1),
    nn.Identity(),
)  # fmt: skip


def modules() -> Iterator[tuple[str, Any, Any]]:
    """Yield names, modules and the shapes of their inputs."""
    for activation in ACTIVATIONS:
        yield f"{activation}", nn.Sequential(nn.Conv2d(2, 4, 2), activation, nn.Linear(3, 2)), (2, 3, 4)
    flat = nn.Sequential(
        nn.Conv2d(2, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 4, 3, padding=1, stride=2), nn.BatchNorm2d(4),
        nn.Flatten(), nn.Dropout(0.2), nn.Linear(36, 5), nn.Softmax(1),
    )  # fmt: skip
    yield "flattened into a product", flat, (2, 12, 15)
    yield "one layer", nn.Linear(4, 3), (4,)
    yield "sequences", nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(15, 2)), (5, 4)
    one = nn.Sequential(
        nn.Conv1d(3, 4, 3, dilation=2, padding=2, groups=1), nn.AvgPool1d(3, 2, 1), nn.ZeroPad1d((1, 2)),
        nn.ConvTranspose1d(4, 2, 4, stride=3, dilation=2, padding=2), nn.InstanceNorm1d(2, affine=True),
        nn.AdaptiveMaxPool1d(1), nn.Flatten(),
    )  # fmt: skip
    yield "one axis", one, (3, 9)
    three = nn.Sequential(
        nn.Conv3d(2, 4, 2, bias=False), nn.MaxPool3d(2, ceil_mode=True), nn.Dropout3d(),
        nn.AvgPool3d((1, 1, 2)), nn.Upsample(scale_factor=2), nn.Unflatten(1, (2, 2)),
    )  # fmt: skip
    yield "three axes", three, (2, 4, 4, 5)
    more = nn.Sequential(
        nn.Conv2d(4, 8, 3, padding="same", groups=2), nn.ConstantPad2d((1, 0, 2, 1), 0.7), nn.Softmax2d(),
        nn.Upsample(scale_factor=2, mode="bilinear"), nn.PixelShuffle(2), nn.MaxPool2d(3, 2, 1, ceil_mode=True),
        nn.AdaptiveAvgPool2d((5, 1)), nn.LayerNorm([2, 5, 1]), nn.Flatten(2),
    )  # fmt: skip
    yield "two axes", more, (4, 4, 6)
    yield "Residual", Residual(), (3, 8, 8)
    yield "Attention", Attention(), (5, 6)
    yield "SqueezeExcite", SqueezeExcite(), (4, 3, 5)
    yield "Flattened", Flattened(), (2, 6, 8)
    yield "Sequences", Sequences(), (5, 4)
    yield "TwoInputs", TwoInputs(), [(4,), (3,)]
    yield "Heads", Heads(), [(5, 6), (7, 5)]
    yield "Decoder", Decoder(), [(5, 4), (3, 4)]
    yield "encoder", encoder(), (5, 6)
    yield "encoder, norms first", encoder(norm_first=True, activation=nn.Softplus(), dropout=0.0), (5, 6)
    block = nn.TransformerEncoderLayer(6, 2, 5, batch_first=True, activation=F.gelu)
    yield "block behind a convolution", nn.Sequential(nn.Conv1d(2, 4, 2), nn.ReLU(), block, nn.Flatten()), (2, 7)


def test_rows_of_tables() -> None:
    module = randomise(nn.Sequential(nn.Embedding(7, 4), nn.LSTM(4, 3, batch_first=True, bias=False), Outputs()))
    x = np.random.default_rng(0).integers(0, 7, (BATCH, 5))
    with torch.no_grad():
        want = module(torch.from_numpy(x)).numpy()
    model = from_torch(module, (5,))
    tolerances.assert_close(model.predict(x, verbose=0), want, CLOSE)
    assert to_torch(model) is module
    with pytest.raises(ValueError, match="`padding_idx` of '0'"):
        from_torch(nn.Sequential(nn.Embedding(7, 4, padding_idx=0)), (5,))


class Outputs(nn.Module):
    """The mean over the steps of the outputs of a recurrent module."""

    def forward(self, x: Any) -> Any:
        return x[0].mean(1)


def randomise(module: Any, seed: int = 0) -> Any:
    """Return a module in float64 with random weights; variances are positive."""
    module = module.double()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in module.parameters():
            tensor.copy_(torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype) * 0.4)
        for tensor in module.buffers():
            if tensor.is_floating_point():
                tensor.copy_(torch.rand(tensor.shape, generator=generator, dtype=tensor.dtype) + 0.5)
    return module


@pytest.mark.parametrize(("name", "module", "shape"), [*modules()], ids=lambda v: v if isinstance(v, str) else "")
def test_a_model_computes_what_the_module_does(name: str, module: Any, shape: Any) -> None:
    module = randomise(module).eval()
    rng = np.random.default_rng(1)
    several = isinstance(shape, list)
    arrays = [rng.normal(size=(BATCH, *s)) for s in (shape if several else [shape])]
    with torch.no_grad():
        want = module(*map(torch.from_numpy, arrays))
    before = copy.deepcopy(module.state_dict())
    model = from_torch(module, shape)
    got = model.predict(arrays if several else arrays[0], verbose=0)
    if isinstance(want, dict):
        assert list(got) == list(want)
        got, want = [got[k] for k in want], list(want.values())
    else:
        got, want = [got], [want]
    for ours, theirs in zip(got, want, strict=True):
        tolerances.assert_close(ours, theirs.numpy(), CLOSE, what=name)
    # The weights go back as they were, into another module like this one too.
    other = randomise(copy.deepcopy(module), seed=5)
    assert to_torch(model, other) is other
    assert to_torch(model) is module
    for state in (module.state_dict(), other.state_dict()):
        for key in before:
            # Of two biases that are added only the sum is known.
            if before[key].is_floating_point() and "lstm.bias" not in key:
                assert torch.equal(before[key], state[key]), key
    with torch.no_grad():
        again = other(*map(torch.from_numpy, arrays))
    for here, there in zip(again.values() if isinstance(again, dict) else [again], want, strict=True):
        tolerances.assert_close(here.numpy(), there.numpy(), CLOSE, what=name)
    assert not module.training


def test_channels_last_takes_and_gives_images_with_the_channels_last() -> None:
    module = randomise(nn.Sequential(nn.Conv2d(3, 2, 3, padding=1), nn.ReLU())).eval()
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    with torch.no_grad():
        want = module(torch.from_numpy(x)).numpy()
    model = from_torch(module, (3, 4, 5), "channels_last")
    assert (model.input_shape, model.output_shape) == ((None, 4, 5, 3), (None, 4, 5, 2))
    assert len(model.layers) == 2
    got = model.predict(x.transpose(0, 2, 3, 1), verbose=0)
    tolerances.assert_close(got.transpose(0, 3, 1, 2), want, CLOSE)


def test_frozen_parameters_stay_frozen() -> None:
    module = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    module[0].weight.requires_grad_(False)
    assert [w.shape for w in from_torch(module, (4,)).trainable_weights] == [(3,), (3, 2), (2,)]


class Hooked(nn.Module):
    """A module whose `forward` is given."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.inner, self.function = nn.Linear(4, 4), function

    def forward(self, x: Any) -> Any:
        return self.function(self, x)


def test_what_has_no_counterpart_is_refused_by_its_name() -> None:
    def refused(message: str, module: Any, shape: Any = (4,)) -> None:
        with pytest.raises((ValueError, TypeError), match=message):
            from_torch(module, shape)

    refused("`module` must be a torch.nn.Module", "net")
    refused(
        r"The module '0' is a LSTMCell.*Supported: .*Linear.*Received: 0=LSTMCell", nn.Sequential(nn.LSTMCell(4, 3))
    )
    refused("`forward` calls 'fft_fft'.*Supported: .*softmax", Hooked(lambda self, x: torch.fft.fft(x)))
    refused("`batch_first` of '0'", nn.Sequential(nn.LSTM(4, 3)), (5, 4))
    refused("cannot be traced", Hooked(lambda self, x: x if x.sum() > 0 else -x))
    refused("`padding_mode` of '0'", nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect")), (1, 4, 4))
    refused("`momentum` of '0'", nn.Sequential(nn.BatchNorm1d(4, momentum=None)))
    refused("`dim` of 'mean'", Hooked(lambda self, x: x.mean()))
    refused("`groups` of '0'", nn.Sequential(nn.ConvTranspose1d(2, 2, 3, groups=2)), (2, 5))
    refused("must keep the batch", Hooked(lambda self, x: x.view(4, -1)))
    refused("Two modules share", Hooked(lambda self, x: F.linear(self.inner(x), self.inner.weight)))
    refused("takes 4 features. Received: 5", nn.Sequential(nn.Linear(4, 3)), (5,))
    refused("takes inputs .batch, channels and 2", nn.Sequential(nn.Conv2d(1, 1, 3)), (4,))
    refused("must hold a shape for each of the arguments: x, y", TwoInputs())
    refused("must be float32, or all float64", nn.Linear(4, 3).half())
    refused("Two modules share", Hooked(lambda self, x: self.inner(x).unsqueeze(2) * self.inner.weight))
    hooked = nn.Sequential(nn.Linear(4, 3))
    hooked[0].register_forward_hook(lambda module, args, output: output * 2)
    refused("hooks", hooked)
    with pytest.raises(ValueError, match="`model` must be one that `from_torch` returned"):
        to_torch(None)
    model = from_torch(nn.Sequential(nn.Linear(4, 3)), (4,))
    with pytest.raises(ValueError, match="`module` must have the tensor '0.weight' of 12 elements"):
        to_torch(model, nn.Sequential(nn.Linear(4, 2)))
    # Modules that torch.fx has traced lie in circles.
    gc.collect()
    with pytest.raises(ValueError, match="is gone"):
        to_torch(model)


class Attending(nn.Module):
    """Attention of a sequence to itself with options, to which a function is applied."""

    def __init__(self, function: Any = lambda y, weights: y, options: Any = None, **arguments: Any) -> None:
        super().__init__()
        self.inner = nn.MultiheadAttention(6, 2, **{"batch_first": True, **(options or {})})
        self.function, self.arguments = function, arguments

    def forward(self, x: Any) -> Any:
        y, weights = self.inner(x, x, x, **self.arguments)
        return self.function(y, weights)


def test_what_attention_has_no_counterpart_for_is_refused_by_its_name() -> None:
    def refused(message: str, module: Any, shape: Any = (5, 6)) -> None:
        with pytest.raises(ValueError, match=message):
            from_torch(module, shape)

    for option in ("add_bias_kv", "add_zero_attn"):
        refused(f"`{option}` of 'inner'.*Received: {option}=True", Attending(options={option: True}))
    refused("`batch_first` of 'inner'.*Received: batch_first=False", Attending(options={"batch_first": False}))
    refused("`batch_first` of '0_self_attn'", nn.Sequential(nn.TransformerEncoderLayer(6, 2)))
    refused(
        r"`key_padding_mask` of 'inner'.*=\(3, 5\)", Attending(key_padding_mask=torch.zeros(3, 5, dtype=torch.bool))
    )
    for used in (lambda y, weights: weights, lambda y, weights: (y, weights), lambda y, weights: weights @ y):
        refused("`need_weights` of 'inner' has no counterpart", Attending(used))
    causal = torch.ones(5, 5, dtype=torch.bool).triu(1)
    refused(r"`attn_mask` of 'inner'.*Received: attn_mask=\(4, 4\)", Attending(attn_mask=causal[:4, :4]))
    computed = Hooked(lambda self, x: self.inner(x, x, x, attn_mask=x @ x.transpose(1, 2))[0])
    computed.inner = nn.MultiheadAttention(6, 2, batch_first=True)
    refused(r"`attn_mask` of 'inner'.*Received: attn_mask=\('batch', 5, 5\)", computed)
    refused("`attn_mask` of 'inner'.*other than 0 and -inf", Attending(attn_mask=torch.randn(5, 5)))
    refused("`attn_mask` of 'inner'.*sees no key", Attending(attn_mask=causal | torch.eye(5, dtype=torch.bool)))
    refused("`is_causal` of 'inner'.*beside another mask", Attending(attn_mask=causal.T, is_causal=True))
    refused("`is_causal` of 'inner'", Attending(is_causal=True))
    refused("takes a query, a key and a value .*with 6, 6 and 6 features", Attending(), (5, 4))
    refused("takes a query, a key and a value .*Received: shapes=.*'batch', 6", Attending(), (6,))
    refused("`activation` of '0'.*'sin'", nn.TransformerEncoderLayer(6, 2, batch_first=True, activation=torch.sin))
    padded = Hooked(lambda self, x: self.inner(x, src_key_padding_mask=torch.zeros(1, 5, dtype=torch.bool)))
    padded.inner = nn.TransformerEncoderLayer(6, 2, batch_first=True)
    refused("`key_padding_mask` of 'inner_self_attn'", padded)
    # A part of what three projections share.
    shared = Hooked(lambda self, x: F.linear(self.inner(x, x, x)[0], self.inner.in_proj_weight))
    shared.inner = nn.MultiheadAttention(6, 2, batch_first=True)
    refused("Two modules share a tensor.*inner.in_proj_weight", shared)
    module = Attending()
    with pytest.raises(ValueError, match="`module` must have the tensor 'inner.in_proj_weight' of 108 elements"):
        to_torch(from_torch(module, (5, 6)), module.inner)
