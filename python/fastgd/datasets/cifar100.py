"""Small colour images of a hundred kinds of things, read from the files of their makers."""

from __future__ import annotations

import os

from fastgd.datasets.cifar import Part, load

LABEL_MODES = ("fine", "coarse")


def load_data(label_mode: str = "fine", path: str | os.PathLike[str] | None = None) -> tuple[Part, Part]:
    """Load 50,000 images to train on and 10,000 to test with.

    Args:
        label_mode: "fine" for a hundred classes, "coarse" for the twenty that they are grouped in.
        path: the folder cifar-100-python, the archive cifar-100-python.tar.gz, or the folder of one of them; if not
            given they are looked for in the folder that FASTGD_DATA names.

    Returns:
        `(x_train, y_train), (x_test, y_test)` with uint8 images (n, 32, 32, 3) and uint8 labels (n, 1).

    Raises:
        FileNotFoundError: they are nowhere; the message says where to put them.
        ValueError: a file is damaged, or `label_mode` has another value.

    Source:
        A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
    """
    if label_mode not in LABEL_MODES:
        raise ValueError(f"`label_mode` must be one of {', '.join(LABEL_MODES)}. Received: label_mode={label_mode!r}")
    folder = "cifar-100-python"
    return load(path, folder, f"{folder}.tar.gz", (["train"], ["test"]), f"{label_mode}_labels")
