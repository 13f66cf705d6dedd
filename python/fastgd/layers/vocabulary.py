"""A vocabulary: tokens and their indices, taken over or learned from samples, and weights for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.layers.host_layer import float_type
from fastgd.utils.errors import invalid

Array = npt.NDArray[Any]


class Vocabulary:
    """Tokens in the order of their indices, behind special ones.

    Args:
        special: the special tokens, of which several may be alike.
        reserved: by the names of arguments the tokens that may stand nowhere else.
        max_tokens: how many tokens there may be, special ones included; None for any number.

    Attributes:
        tokens: those behind the special ones.
        places: their indices.
        weights: one for each token, special ones included; None if they have none.
    """

    def __init__(self, special: Sequence[Any], reserved: Mapping[str, Any], max_tokens: int | None) -> None:
        self.special = list(special)
        self._reserved = {name: token for name, token in reserved.items() if token is not None}
        self._max_tokens = max_tokens
        self.tokens: list[Any] = []
        self.places: dict[Any, int] = {}
        self.weights: Array | None = None

    def __len__(self) -> int:
        """The number of tokens, special ones included."""
        return len(self.special) + len(self.tokens)

    def take(self, given: Sequence[Any], weights: npt.ArrayLike | None) -> None:
        """Take tokens over, with or without all the special ones before them, and a weight for each.

        Raises:
            ValueError: if they are none, too many, repeated or reserved, or the weights do not fit.
        """
        if not given:
            raise invalid("`vocabulary` must hold at least one token.", vocabulary=given)
        has_special = list(given[: len(self.special)]) == self.special
        tokens = list(given[len(self.special) :] if has_special else given)
        self._check(tokens)
        made = None
        if weights is not None:
            made = np.asarray(weights, dtype=np.float64)
            if made.shape != (len(given),):
                raise invalid(f"`idf_weights` must hold {len(given)} numbers.", shape=made.shape)
            # Special tokens weigh as much as the others do on average.
            front = 0 if has_special else len(self.special)
            made = np.concatenate([np.full(front, made.mean()), made]).astype(float_type())
        self._set(tokens)
        self.weights = made

    def learn(self, samples: Iterable[Sequence[Any]], dropped: Iterable[Any], weigh: bool) -> None:
        """Take over the tokens of samples, the most frequent first, and of equally frequent ones the last.

        Args:
            samples: the tokens of each sample.
            dropped: tokens to leave out.
            weigh: whether to weigh each by `log(1 + samples / (1 + samples with the token))`.

        Raises:
            ValueError: if there is no token.
        """
        counts: Counter[Any] = Counter()
        samples_with: Counter[Any] = Counter()
        number = 0
        for sample in samples:
            number += 1
            counts.update(sample)
            if weigh:
                samples_with.update(set(sample))
        if not counts:
            raise invalid("`data` must hold at least one token.", samples=number)
        for token in dropped:
            counts.pop(token, None)
        ordered = sorted(counts, key=lambda token: (counts[token], token), reverse=True)
        self._set(ordered[: None if self._max_tokens is None else max(self._max_tokens - len(self.special), 0)])
        self.weights = None
        if weigh:
            shares = number / (1 + np.array([samples_with[token] for token in self.tokens], np.float64))
            weights = np.log(1 + shares).astype(float_type())
            mean = weights.mean() if weights.size else 0.0
            self.weights = np.concatenate([np.full(len(self.special), mean, weights.dtype), weights])

    def to_text(self) -> str:
        """Return all tokens, special ones included, one in each line, as Keras keeps them in files.

        Raises:
            ValueError: if a token holds the end of a line.
        """
        lines = [str(token) for token in (*self.special, *self.tokens)]
        for line in lines:
            if "\n" in line or "\r" in line:
                rule = "A token with an end of a line in it cannot be written to a file: give the layer its vocabulary."
                raise invalid(rule, token=line)
        return "\n".join(lines)

    def take_text(self, text: str, read: Callable[[str], Any], weights: Array | None) -> None:
        """Take over what `to_text` returned; nothing if there are no tokens but special ones.

        Args:
            text: the tokens, one in each line.
            read: makes a token of a line.
            weights: one for each token, special ones included, and perhaps more; None for none.

        Raises:
            ValueError: if the special tokens are others, or as `take`.
            TypeError: as `read`.
        """
        lines = text.replace("\r\n", "\n").split("\n") if text else []
        front = len(self.special)
        if lines[:front] != [str(token) for token in self.special]:
            raise invalid(f"The vocabulary must begin with {self.special}.", vocabulary=lines[:front])
        if len(lines) > front:
            tokens = [read(line) for line in lines[front:]]
            self.take([*self.special, *tokens], None if weights is None else weights[: len(lines)])

    def find(self, index: int, default: Any) -> Any:
        """Return the token of an index, `default` for a special or an unknown one."""
        place = index - len(self.special)
        return self.tokens[place] if 0 <= place < len(self.tokens) else default

    def _set(self, tokens: Sequence[Any]) -> None:
        self.tokens = list(tokens)
        self.places = {token: len(self.special) + k for k, token in enumerate(self.tokens)}

    def _check(self, tokens: Sequence[Any]) -> None:
        if len(set(tokens)) < len(tokens):
            repeated = [token for token, count in Counter(tokens).items() if count > 1]
            raise invalid("`vocabulary` must hold each token once.", repeated=repeated)
        for name, token in self._reserved.items():
            if token in tokens:
                rule = f"`vocabulary` must hold `{name}` in none but its place, before the others: {self.special}."
                raise invalid(rule, **{name: token})
        size = len(self.special) + len(tokens)
        if self._max_tokens is not None and size > self._max_tokens:
            raise invalid(f"`vocabulary` has {size} tokens, special ones included.", max_tokens=self._max_tokens)
