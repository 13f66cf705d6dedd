"""Fashion-MNIST: small grey images of ten kinds of clothes, in the form of MNIST."""

from __future__ import annotations

import os

from fastgd.datasets.mnist import Images, Labels, load_set


def load_data(
    path: str | os.PathLike[str] | None = None,
) -> tuple[tuple[Images, Labels], tuple[Images, Labels]]:
    """Load 60,000 images to train on and 10,000 to test with.

    Args:
        path: the folder of its IDX files; if not given, the folder fashion-mnist or fashion_mnist in the one that
            FASTGD_DATA names. If it holds only the t10k part, that part is split as in `mnist.load_data`.

    Returns:
        `(x_train, y_train), (x_test, y_test)` with uint8 images (n, 28, 28) and int64 labels (n,).

    Raises:
        FileNotFoundError: the folder or a file is missing; the message says which.
        ValueError: a file is damaged or does not match the other.

    Source:
        H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST, 2017, https://github.com/zalandoresearch/fashion-mnist.
    """
    return load_set(path, ["fashion-mnist", "fashion_mnist"])
