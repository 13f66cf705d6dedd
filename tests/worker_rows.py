"""A data set in batches, in a module of its own: worker processes import it by name."""

from __future__ import annotations

import threading

import numpy as np

import fastgd

RNG = np.random.default_rng(3)
X = RNG.normal(size=(24, 5)).astype("float32")
Y = RNG.integers(0, 3, 24)
WEIGHTS = RNG.uniform(0.5, 2.0, 24)


class Rows(fastgd.utils.PyDataset):
    def __init__(self, size=8, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.asked = []
        self.begun = self.ended = 0
        self.lock = threading.Lock()

    def __len__(self):
        return -(-len(X) // self.size)

    def __getitem__(self, index):
        with self.lock:
            self.asked.append(index)
        part = slice(index * self.size, (index + 1) * self.size)
        return X[part], Y[part]

    def on_epoch_begin(self):
        self.begun += 1

    def on_epoch_end(self):
        self.ended += 1

    def __getstate__(self):
        return {**self.__dict__, "lock": None}

    def __setstate__(self, state):
        self.__dict__.update(state, lock=threading.Lock())
