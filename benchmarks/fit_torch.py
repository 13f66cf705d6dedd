"""Times `fit_torch` against PyTorch's own loop, in turns: python benchmarks/fit_torch.py --epochs 5 --rounds 5."""

from __future__ import annotations

import argparse
import copy
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import fastgd
from fastgd.interop.torch import fit_torch

CLASSES = 10


def mlp() -> Any:
    """Return the network mnist of docs/benchmarks.md: 784-128-10."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, CLASSES))


def cnn() -> Any:
    """Return the network cnn: two convolutions with pools, and two products."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1600, 128), nn.ReLU(), nn.Linear(128, CLASSES),
    )  # fmt: skip


NETWORKS: dict[str, tuple[Callable[[], Any], int]] = {"mnist": (mlp, 32), "cnn": (cnn, 64)}


def train_in_torch(module: Any, x: Any, y: Any, batch_size: int, epochs: int) -> None:
    """Train as PyTorch's users do, with tensors in memory, without a DataLoader, and with the fused Adam."""
    loss, optimizer = nn.CrossEntropyLoss(), torch.optim.Adam(module.parameters(), fused=True)
    module.train()
    for _ in range(epochs):
        order = torch.randperm(len(x))
        for start in range(0, len(x), batch_size):
            rows = order[start : start + batch_size]
            optimizer.zero_grad()
            loss(module(x[rows]), y[rows]).backward()
            optimizer.step()


def train_here(module: Any, x: Any, y: Any, batch_size: int, epochs: int) -> None:
    """Train the same, conversion there and back included."""
    optimizer = torch.optim.Adam(module.parameters())
    fit_torch(module, x, y, nn.CrossEntropyLoss(), optimizer, batch_size=batch_size, epochs=epochs, verbose=0)


def seconds(train: Callable[..., None], module: Any, *rest: Any) -> float:
    """Return how long it takes to train a copy of a module."""
    module = copy.deepcopy(module)
    start = time.perf_counter()
    train(module, *rest)
    return time.perf_counter() - start


def main() -> None:
    """Run the turns and print the medians and the least."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=fastgd.get_num_threads())
    parser.add_argument("--only", choices=NETWORKS, action="append")
    parser.add_argument("--json", type=Path, help="write the times of all rounds there")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    fastgd.set_num_threads(arguments.threads)
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.normal(size=(arguments.rows, 1, 28, 28)).astype(np.float32))
    y = torch.from_numpy(rng.integers(0, CLASSES, arguments.rows))
    results: dict[str, dict[str, list[float]]] = {}
    for name in arguments.only or NETWORKS:
        make, batch_size = NETWORKS[name]
        module = make()
        times: dict[str, list[float]] = {"torch": [], "fastgd": []}
        for train in (train_in_torch, train_here):
            # Threads, kernels and caches are warm when the clock starts.
            seconds(train, module, x[:512], y[:512], batch_size, 1)
        for _ in range(arguments.rounds):
            times["torch"].append(seconds(train_in_torch, module, x, y, batch_size, arguments.epochs))
            times["fastgd"].append(seconds(train_here, module, x, y, batch_size, arguments.epochs))
        results[name] = times
        medians = {key: statistics.median(values) for key, values in times.items()}
        ratios = sorted(a / b for a, b in zip(times["torch"], times["fastgd"], strict=True))
        print(
            f"{name}: PyTorch {medians['torch']:.3f} s, fit_torch {medians['fastgd']:.3f} s, "
            f"{statistics.median(ratios):.2f} times as fast (rounds {ratios[0]:.2f} to {ratios[-1]:.2f}), "
            f"{arguments.threads} threads, torch {torch.__version__}"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
