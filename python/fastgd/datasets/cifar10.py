"""Small colour images of ten kinds of things, read from the files of their makers."""

from __future__ import annotations

import os

from fastgd.datasets.cifar import Part, load


def load_data(path: str | os.PathLike[str] | None = None) -> tuple[Part, Part]:
    """Load 50,000 images to train on and 10,000 to test with.

    Args:
        path: the folder cifar-10-batches-py, the archive cifar-10-python.tar.gz, or the folder of one of them; if not
            given they are looked for in the folder that FASTGD_DATA names.

    Returns:
        `(x_train, y_train), (x_test, y_test)` with uint8 images (n, 32, 32, 3) and uint8 labels (n, 1) from 0 to 9.

    Raises:
        FileNotFoundError: they are nowhere; the message says where to put them.
        ValueError: a file is damaged.

    Source:
        A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
    """
    train = [f"data_batch_{number}" for number in range(1, 6)]
    return load(path, "cifar-10-batches-py", "cifar-10-python.tar.gz", (train, ["test_batch"]), "labels")
