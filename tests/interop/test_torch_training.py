"""Training modules of PyTorch natively: the same weights, buffers and optimizer state as their own loop gives."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import tolerances

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812

from fastgd.interop.torch import fit_torch  # noqa: E402

ROWS, BATCH, EPOCHS, CLASSES = 20, 5, 3, 4
# Twelve updates through three layers: each adds the rounding of its sums, of at most 160 terms, times the rate; Adam's
# division by small moments makes it up to a hundred times more.
CLOSE = 100 * tolerances.chained("float64", *[160] * 12)


def loop(module: Any, x: Any, y: Any, loss: Any, optimizer: Any, batch_size: int = BATCH) -> None:
    """Train as PyTorch's users do."""
    module.train()
    for _ in range(EPOCHS):
        for start in range(0, len(x), batch_size):
            optimizer.zero_grad()
            loss(module(x[start : start + batch_size]), y[start : start + batch_size]).backward()
            optimizer.step()


def net(outputs: int = CLASSES, *last: Any) -> Any:
    """Return a small smooth network on images in float64; the seed is fixed."""
    torch.manual_seed(3)
    body = [nn.Conv2d(2, 4, 3), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(16, 6), nn.Sigmoid()]
    return nn.Sequential(*body, nn.Linear(6, outputs), *last).double()


def images(rng: np.random.Generator, rows: int = ROWS) -> Any:
    return torch.from_numpy(rng.normal(size=(rows, 2, 6, 6)))


def compare(module: Any, x: Any, y: Any, loss: Any, make: Any, batch_size: int = BATCH, close: float = CLOSE) -> Any:
    """Train a copy by PyTorch's loop and the module here, and compare all that they hold; return the module."""
    other = copy.deepcopy(module)
    theirs, ours = make(other), make(module)
    loop(other, x, y, loss, theirs, batch_size)
    fit_torch(module, x, y, loss, ours, batch_size=batch_size, epochs=EPOCHS, shuffle=False, verbose=0)
    want, got = other.state_dict(), module.state_dict()
    for name in want:
        tolerances.assert_close(got[name].numpy(), want[name].numpy(), close, what=f"{loss} {name}")
    if isinstance(ours, torch.optim.Optimizer):
        for number, state in theirs.state_dict()["state"].items():
            for name, value in state.items():
                if value is not None:
                    tolerances.assert_close(ours.state_dict()["state"][number][name], value, close, what=name)
    return module


LABELS = [
    nn.CrossEntropyLoss(),
    nn.CrossEntropyLoss(reduction="sum"),
    nn.CrossEntropyLoss(label_smoothing=0.2),
    nn.CrossEntropyLoss(torch.tensor([0.5, 2.0, 1.0, 3.0]).double(), ignore_index=2),
    nn.CrossEntropyLoss(ignore_index=1),
]
ELEMENTWISE = [
    nn.MSELoss(),
    nn.MSELoss(reduction="sum"),
    nn.L1Loss(),
    nn.SmoothL1Loss(beta=0.5),
    nn.SmoothL1Loss(beta=0.0),
    nn.HuberLoss(delta=0.7, reduction="sum"),
    F.mse_loss,
]


def sgd(module: Any) -> Any:
    return torch.optim.SGD(module.parameters(), lr=0.02)


def test_losses(rng: np.random.Generator) -> None:
    x = images(rng)
    labels = torch.from_numpy(rng.integers(0, CLASSES, ROWS))
    for loss in LABELS:
        compare(net(), x, labels, loss, sgd)
    shares = torch.from_numpy(rng.dirichlet(np.ones(CLASSES), ROWS))
    compare(net(), x, shares, nn.CrossEntropyLoss(), sgd)
    compare(net(CLASSES, nn.LogSoftmax(1)), x, labels, nn.NLLLoss(), sgd)
    numbers = torch.from_numpy(rng.normal(size=(ROWS, 3)))
    for loss in ELEMENTWISE:
        compare(net(3), x, numbers, loss, sgd)
    hits = torch.from_numpy(rng.integers(0, 2, (ROWS, 3))).double()
    compare(net(3), x, hits, nn.BCEWithLogitsLoss(), sgd)
    compare(net(3, nn.Sigmoid()), x, hits, nn.BCELoss(reduction="sum"), sgd)


def test_images_as_targets(rng: np.random.Generator) -> None:
    module = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.Tanh(), nn.Conv2d(3, CLASSES, 1)).double()
    x = images(rng)
    compare(copy.deepcopy(module), x, torch.from_numpy(rng.integers(0, CLASSES, (ROWS, 6, 6))), F.cross_entropy, sgd)
    compare(module, x, torch.from_numpy(rng.normal(size=(ROWS, CLASSES, 6, 6))), nn.MSELoss(), sgd)


def test_optimizers(rng: np.random.Generator) -> None:
    x, y = images(rng), torch.from_numpy(rng.integers(0, CLASSES, ROWS))

    def groups(module: Any) -> list[dict[str, Any]]:
        return [{"params": module[0].parameters()}, {"params": module[4:].parameters(), "weight_decay": 0.0}]

    # RMSprop and Adagrad have epsilon in another place: where it is 0 nothing differs but rounding.
    exact: list[Any] = [
        lambda m: torch.optim.SGD(m.parameters(), lr=0.05, momentum=0.9, weight_decay=0.1),
        lambda m: torch.optim.SGD(m.parameters(), lr=0.05, momentum=0.8, nesterov=True),
        lambda m: torch.optim.SGD(groups(m), lr=0.05, weight_decay=0.3),
        lambda m: torch.optim.Adam(m.parameters(), lr=0.01, betas=(0.8, 0.99), eps=1e-2, weight_decay=0.05),
        lambda m: torch.optim.Adam(m.parameters(), lr=0.01, eps=1e-2, amsgrad=True),
        lambda m: torch.optim.AdamW(groups(m), lr=0.01, eps=1e-8, weight_decay=0.5),
        lambda m: torch.optim.RMSprop(m.parameters(), lr=0.003, alpha=0.9, eps=0.0, momentum=0.5, centered=True),
        lambda m: torch.optim.RMSprop(m.parameters(), lr=0.003, eps=0.0, weight_decay=0.1),
        lambda m: torch.optim.Adagrad(m.parameters(), lr=0.05, lr_decay=0.1, eps=0.0),
        lambda m: torch.optim.Adagrad(
            m.parameters(), lr=0.05, initial_accumulator_value=0.2, weight_decay=0.1, eps=0.0
        ),
    ]
    for make in exact:
        compare(net(), x, y, nn.CrossEntropyLoss(), make)


def test_the_places_of_epsilon_differ_by_no_more_than_is_documented(rng: np.random.Generator) -> None:
    x, y = images(rng), torch.from_numpy(rng.integers(0, CLASSES, ROWS))
    # A step differs by the factor 1 + epsilon / (sqrt(1 - alpha) |g|) at most, that of the first update; the gradients
    # here are above 3e-5, and twelve steps of the rate lead 12 times as far.
    epsilon = 1e-8
    bound = EPOCHS * ROWS / BATCH * 0.01 * epsilon / (1e-2**0.5 * 3e-5)
    for cls in (torch.optim.RMSprop, torch.optim.Adagrad):
        compare(net(), x, y, nn.CrossEntropyLoss(), lambda m: cls(m.parameters(), lr=0.01, eps=epsilon), close=bound)  # noqa: B023


def test_batch_normalization_moves_its_averages_as_pytorch_does(rng: np.random.Generator) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4, momentum=0.3), nn.Tanh(), nn.Flatten(), nn.Linear(64, 6),
        nn.BatchNorm1d(6), nn.Linear(6, CLASSES),
    ).double()  # fmt: skip
    x, y = images(rng), torch.from_numpy(rng.integers(0, CLASSES, ROWS))
    module = compare(module, x, y, nn.CrossEntropyLoss(), sgd)
    assert int(module[1].num_batches_tracked) == EPOCHS * ROWS // BATCH
    # With a smaller last batch the factors n / (n - 1) are averaged, here 5/4 and 3/2: that is all that may differ.
    compare(module, x[:17], y[:17], nn.CrossEntropyLoss(), sgd, close=0.3)


class Gates(nn.Module):
    """A gated recurrent unit behind a plain one without biases, and a product of its last state."""

    def __init__(self) -> None:
        super().__init__()
        self.plain = nn.RNN(3, 4, batch_first=True, bias=False)
        self.gates, self.head = nn.GRU(4, 5, batch_first=True, bidirectional=True), nn.Linear(10, CLASSES)

    def forward(self, x: Any) -> Any:
        _, last = self.gates(self.plain(x)[0])
        return self.head(torch.cat([last[0], last[1]], dim=1))


def test_recurrent_layers(rng: np.random.Generator) -> None:
    torch.manual_seed(0)
    x, y = torch.from_numpy(rng.normal(size=(ROWS, 6, 3))), torch.from_numpy(rng.integers(0, CLASSES, ROWS))
    compare(Gates().double(), x, y, nn.CrossEntropyLoss(), lambda m: torch.optim.Adam(m.parameters(), eps=0.0, lr=0.01))
    # The two biases of an LSTM are one here: without them, all is the same.
    module = nn.Sequential(nn.LSTM(3, 4, batch_first=True, bias=False), Last(), nn.Linear(4, CLASSES)).double()
    compare(module, x, y, nn.CrossEntropyLoss(), sgd)
    module = nn.Sequential(nn.LSTM(3, 4, batch_first=True), Last(), nn.Linear(4, CLASSES)).double()
    before = copy.deepcopy(module.state_dict())
    fit_torch(module, x, y, optimizer="adam", epochs=2, verbose=0)
    after = module.state_dict()
    assert not torch.equal(after["0.bias_ih_l0"], before["0.bias_ih_l0"])
    assert torch.equal(after["0.bias_hh_l0"], before["0.bias_hh_l0"])


def test_tables(rng: np.random.Generator) -> None:
    torch.manual_seed(0)
    x, y = torch.from_numpy(rng.integers(0, 7, (ROWS, 5))), torch.from_numpy(rng.integers(0, CLASSES, ROWS))
    module = nn.Sequential(nn.Embedding(7, 3), nn.GRU(3, 4, batch_first=True), Last(), nn.Linear(4, CLASSES)).double()
    compare(module, x, y, nn.CrossEntropyLoss(), lambda m: torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.9))


class Attending(nn.Module):
    """Attention to what was, of the mean of which a product is taken."""

    def __init__(self, bias: bool) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(6, 3, bias=bias, batch_first=True)
        self.head = nn.Linear(6, CLASSES)
        self.register_buffer("later", torch.ones(5, 5, dtype=torch.bool).triu(1))

    def forward(self, x: Any) -> Any:
        y, _ = self.attention(x, x, x, need_weights=False, attn_mask=self.later, is_causal=True)
        return self.head(y.mean(1))


def test_attention(rng: np.random.Generator) -> None:
    torch.manual_seed(0)
    x, y = torch.from_numpy(rng.normal(size=(ROWS, 5, 6))), torch.from_numpy(rng.integers(0, CLASSES, ROWS))
    optimizers: list[tuple[bool, Any]] = [
        (True, lambda m: torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)),
        # The gradient of the bias of the keys is 0 up to rounding, which Adam makes steps of.
        (False, lambda m: torch.optim.Adam(m.parameters(), lr=0.01, eps=0.0)),
    ]
    for bias, make in optimizers:
        module = Attending(bias).double()
        if bias:
            nn.init.normal_(module.attention.in_proj_bias)
        compare(module, x, y, nn.CrossEntropyLoss(), make)
    # Blocks of encoders, which share nothing but what they begin with, and training that goes on.
    for first in (False, True):
        block = nn.TransformerEncoderLayer(6, 2, 7, 0.0, "gelu", batch_first=True, norm_first=first)
        encoder = nn.TransformerEncoder(block, 2, enable_nested_tensor=False)
        module = nn.Sequential(encoder, nn.Flatten(), nn.Linear(30, CLASSES)).double()
        other = copy.deepcopy(module)
        ours, theirs = sgd(module), sgd(other)
        for _ in range(2):
            fit_torch(module, x, y, optimizer=ours, batch_size=BATCH, epochs=EPOCHS, shuffle=False, verbose=0)
            loop(other, x, y, nn.CrossEntropyLoss(), theirs)
        for name, want in other.state_dict().items():
            tolerances.assert_close(module.state_dict()[name], want, 2 * CLOSE, what=name)


def test_a_frozen_projection_stays(rng: np.random.Generator) -> None:
    module = Attending(True)
    module.attention.in_proj_weight.requires_grad_(False)
    before = copy.deepcopy(module.state_dict())
    x, y = rng.normal(size=(ROWS, 5, 6)).astype(np.float32), rng.integers(0, CLASSES, ROWS)
    fit_torch(module, x, y, lr=0.1, verbose=0)
    moved = {name for name, value in module.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == set(before) - {"attention.in_proj_weight", "later"}


class Last(nn.Module):
    """The output of the last step."""

    def forward(self, x: Any) -> Any:
        return x[0][:, -1]


def test_training_goes_on_from_the_state_of_the_optimizer(rng: np.random.Generator) -> None:
    x, y = images(rng), torch.from_numpy(rng.integers(0, CLASSES, ROWS))
    makers: list[Any] = [
        lambda m: torch.optim.SGD(m.parameters(), lr=0.05, momentum=0.9),
        lambda m: torch.optim.Adam(m.parameters(), lr=0.01, eps=0.0, amsgrad=True),
        lambda m: torch.optim.RMSprop(m.parameters(), lr=0.003, eps=0.0, momentum=0.5, centered=True),
        lambda m: torch.optim.Adagrad(m.parameters(), lr=0.05, eps=0.0),
    ]
    for make in makers:
        module, other = net(), net()
        ours, theirs = make(module), make(other)
        for _ in range(2):
            loop(other, x, y, nn.CrossEntropyLoss(), theirs)
        # One half by each, in both orders, is the whole.
        fit_torch(module, x, y, optimizer=ours, batch_size=BATCH, epochs=EPOCHS, shuffle=False, verbose=0)
        loop(module, x, y, nn.CrossEntropyLoss(), ours)
        again = net()
        mixed = make(again)
        loop(again, x, y, nn.CrossEntropyLoss(), mixed)
        fit_torch(again, x, y, optimizer=mixed, batch_size=BATCH, epochs=EPOCHS, shuffle=False, verbose=0)
        for name, want in other.state_dict().items():
            tolerances.assert_close(module.state_dict()[name], want, 2 * CLOSE, what=f"{type(ours)} {name}")
            tolerances.assert_close(again.state_dict()[name], want, 2 * CLOSE, what=f"{type(ours)} {name}")


def test_names_arrays_validation_and_what_is_not_trained(rng: np.random.Generator) -> None:
    x, y = images(rng).numpy().astype(np.float32), rng.integers(0, CLASSES, ROWS)
    module = net().float()
    module[0].weight.requires_grad_(False)
    before = copy.deepcopy(module.state_dict())
    history = fit_torch(
        module,
        x,
        y,
        "cross_entropy",
        "adamw",
        lr=0.05,
        epochs=20,
        validation_data=(x, y),
        metrics=["accuracy"],
        verbose=0,
    )
    assert set(history.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert history.history["loss"][-1] < 0.8 * history.history["loss"][0]
    moved = {name for name, value in module.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == set(before) - {"0.weight"}
    # Without what the optimizer does not hold, too.
    before = copy.deepcopy(module.state_dict())
    fit_torch(module, x, y, optimizer=torch.optim.SGD(module[4].parameters(), lr=0.1), verbose=0)
    moved = {name for name, value in module.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == {"4.weight", "4.bias"}


def test_what_has_no_counterpart_is_refused_before_training(rng: np.random.Generator) -> None:
    x, y = images(rng), torch.from_numpy(rng.integers(0, CLASSES, ROWS))
    module = net()
    before = copy.deepcopy(module.state_dict())

    def refused(message: str, loss: Any = "cross_entropy", optimizer: Any = "sgd", y: Any = y, **more: Any) -> None:
        with pytest.raises((ValueError, TypeError), match=message):
            fit_torch(module, x, y, loss, optimizer, verbose=0, **more)

    refused("`loss` must be one of CrossEntropyLoss, .*'mse_loss'", nn.CTCLoss())
    refused("`loss` must be one of", "mse")
    refused("`reduction` of 'MSELoss'", nn.MSELoss(reduction="none"))
    refused("`pos_weight`", nn.BCEWithLogitsLoss(pos_weight=torch.ones(4)))
    refused("ends with LogSoftmax", nn.NLLLoss())
    refused(r"must have the shape of the output, \(batch, 4\)", nn.MSELoss())
    refused("must hold integer labels or probabilities", y=y.double())
    refused("not a known optimizer.*adagrad", optimizer="lion")
    refused("not a known optimizer.*Adagrad", optimizer=torch.optim.NAdam(module.parameters()))
    refused("`lr` must be None", optimizer=torch.optim.SGD(module.parameters()), lr=0.1)
    refused("`dampening` of 'SGD'", optimizer=torch.optim.SGD(module.parameters(), momentum=0.9, dampening=0.1))
    refused("`maximize` of 'Adam'", optimizer=torch.optim.Adam(module.parameters(), maximize=True))
    different = [{"params": module[0].parameters(), "lr": 0.2}, {"params": module[4].parameters()}]
    refused("`lr` of 'SGD'", optimizer=torch.optim.SGD(different, lr=0.1))
    refused("not the module's", optimizer=torch.optim.SGD(net().parameters()))
    with pytest.raises(ValueError, match="samples as its first axis, and another one"):
        fit_torch(module, np.ones(4), y)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
