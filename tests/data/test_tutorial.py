"""The example that every Keras tutorial shows runs as a script of its own with only its import changed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

# As tutorials print it, `import keras` aside; the data are the digits instead of a download.
SCRIPT = """\
import fastgd as keras
import numpy as np

(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
X_train = x_train.reshape(len(x_train), -1) / 16.0
X_test = x_test.reshape(len(x_test), -1) / 16.0
y_train, y_test = np.eye(10)[y_train], np.eye(10)[y_test]
assert X_train.dtype == y_train.dtype == np.float64
input_size, output_size = X_train.shape[1], 10

model = keras.Sequential([
    keras.layers.Dense(64, activation='relu', input_shape=(input_size,)),
    keras.layers.Dense(32, activation='relu'),
    keras.layers.Dense(output_size, activation='softmax')
])

model.compile(optimizer='sgd', loss='categorical_crossentropy', metrics=['accuracy'])

history = model.fit(X_train, y_train, epochs=10, batch_size=32)

loss, accuracy = model.evaluate(X_test, y_test)
print('epochs', len(history.history['accuracy']))
print('accuracy', accuracy)
print('classes', model.predict(X_test, verbose=0).argmax(axis=1).shape)
"""


@pytest.mark.parametrize("backend", ["native", "numpy"])
def test_the_tutorial_runs(backend: str, tmp_path: Path) -> None:
    script = tmp_path / "tutorial.py"
    script.write_text(SCRIPT, encoding="utf-8")
    paths = [str(Path(p).resolve()) for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    environment = {**os.environ, "FASTGD_BACKEND": backend, "PYTHONPATH": os.pathsep.join(paths)}
    run = subprocess.run(
        [sys.executable, "-W", "error", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    assert "Epoch 10/10" in run.stdout
    # Output is no terminal: one line per epoch and one for the evaluation, without control characters.
    assert len(re.findall(r"^\d+/\d+ - .* - accuracy: \d", run.stdout, re.MULTILINE)) == 11
    assert "\r" not in run.stdout and "\x1b" not in run.stdout
    assert "epochs 10\n" in run.stdout
    found = re.search(r"^accuracy (\S+)$", run.stdout, re.MULTILINE)
    # Ten epochs of plain SGD from any start are well past guessing, which is 10 %.
    assert found and float(found[1]) > 0.5
    assert [p.name for p in tmp_path.iterdir()] == ["tutorial.py"]
