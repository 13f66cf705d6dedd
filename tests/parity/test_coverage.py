"""Every registered class is compared with Keras by a row of these tests, or stands below with the reason why not."""

from __future__ import annotations

import keras
import pytest

from contract.registered import registered
from fastgd import activations
from parity import (
    test_activations,
    test_attention,
    test_depthwise,
    test_layers,
    test_losses,
    test_metrics,
    test_normalization,
    test_optimizers,
    test_pooling,
    test_regularizers,
    test_schedules,
)

COMPARED: dict[str, set[str]] = {
    "loss": {"Circle", *(name for name, *_ in (*test_losses.CASES, *test_losses.OF_BATCHES))},
    "metric": {name for name, _, _ in test_metrics.CASES} | set(test_metrics.MEANS),
    "optimizer": set(test_optimizers.OWN),
    "layer": {
        name
        for name, *_ in (
            *test_layers.ROWS,
            *test_activations.LAYERS,
            *test_normalization.LAYERS,
            *test_depthwise.ROWS,
            *test_pooling.ROWS,
            *test_attention.SINGLE,
            *test_attention.HEADED,
        )
    }
    | {"EinsumDense", "Embedding"},
    "schedule": {case.cls for case in test_schedules.CASES},
    **{
        kind: {
            name
            for rules in test_regularizers.RULES.values()
            for module, name, _ in rules.values()
            if module == f"{kind}s"
        }
        for kind in ("regularizer", "constraint")
    },
}

EXCEPTIONS: dict[str, dict[str, str]] = {
    "layer": {
        "InputLayer": "it computes nothing",
        "Dropout": "its random numbers are its own; in inference it is compared by a test of test_layers.py",
        **dict.fromkeys(
            ("AlphaDropout", "GaussianDropout", "GaussianNoise", *(f"SpatialDropout{rank}D" for rank in (1, 2, 3))),
            "its random numbers are its own; their moments are compared by a test of test_normalization.py",
        ),
        **dict.fromkeys(
            ("RandomFlip", "RandomTranslation", "RandomRotation", "RandomZoom", "RandomCrop", "RandomBrightness"),
            "its random numbers are its own; with ranges of no width it is compared in test_augmentation.py",
        ),
        **dict.fromkeys(
            ("RandomContrast",),
            "its random numbers are its own; with these it is compared in test_augmentation.py",
        ),
        **dict.fromkeys(
            ("Normalization", "Rescaling", "Discretization", "CategoryEncoding"),
            "it is compared by a test of its own in test_normalization.py",
        ),
        **dict.fromkeys(
            ("StringLookup", "IntegerLookup", "TextVectorization", "Hashing"),
            "it works on strings, and is compared in test_text.py, results of Keras in tests/api/test_text_layers.py",
        ),
        **dict.fromkeys(
            (f"Conv{rank}D{kind}" for rank in (1, 2, 3) for kind in ("", "Transpose")),
            "it is compared by random configurations in test_convolution.py",
        ),
        **dict.fromkeys(("Masking", "TimeDistributed"), "it is compared by tests of its own in test_masks.py"),
        "Lambda": "it is compared by a test of its own in test_layers.py",
        **dict.fromkeys(
            (
                *(f"{name}{kind}" for name in ("SimpleRNN", "LSTM", "GRU") for kind in ("", "Cell")),
                "RNN",
                "StackedRNNCells",
                "Bidirectional",
            ),
            "it is compared with states and masks in test_recurrent.py",
        ),
        "ActivityRegularization": "its penalty is part of the histories in test_regularizers.py",
    },
    "metric": {"MeanMetricWrapper": "what it does with a function is compared through the metrics derived from it"},
}


@pytest.mark.parametrize("kind", COMPARED)
def test_every_class_is_compared(kind: str) -> None:
    known, exceptions = set(registered(kind)), set(EXCEPTIONS.get(kind, {}))
    without = sorted(known - COMPARED[kind] - exceptions)
    assert not without, f"compare with Keras in tests/parity, or name the reason why not in EXCEPTIONS: {without}"
    assert COMPARED[kind] <= known
    # An exception that is no longer one goes.
    assert exceptions <= known - COMPARED[kind]


def test_every_activation_is_compared() -> None:
    compared = {name for name, _ in test_activations.CALLS}
    assert {*activations._FUNCTIONS, *activations._ALIASES} <= compared


@pytest.mark.parametrize("kind", COMPARED)
def test_the_twins_exist(kind: str) -> None:
    modules = {
        "loss": keras.losses, "metric": keras.metrics, "optimizer": keras.optimizers, "layer": keras.layers,
        "schedule": keras.optimizers.schedules, "regularizer": keras.regularizers, "constraint": keras.constraints,
    }  # fmt: skip
    assert [name for name in COMPARED[kind] if not hasattr(modules[kind], name)] == []
