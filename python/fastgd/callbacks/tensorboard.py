"""Writing what TensorBoard shows: losses, metrics, learning rate and weights over epochs and batches."""

from __future__ import annotations

import os
import time
import warnings
from typing import Any

from fastgd.callbacks.callback import Callback, Logs
from fastgd.utils.checks import check_bool, check_int
from fastgd.utils.errors import invalid, mistyped
from fastgd.utils.extras import import_extra


class TensorBoard(Callback):
    """Writes event files for TensorBoard, with Keras' folders and tags; it needs tensorboardX, the extra `tensorboard`.

    `log_dir/train` gets "epoch_<name>" for the loss and every metric, and "epoch_learning_rate"; `log_dir/validation`
    gets "epoch_<name>" of the validation, and "evaluation_<name>_vs_iterations" after every validation or `evaluate`.
    Epochs count from 0. What Keras writes of profiles, embeddings and images is refused.

    Args:
        log_dir: the folder, a string or a path; no other run should write there.
        histogram_freq: every how many epochs the values of each weight are written, as "<path>/histogram"; 0 for never.
        write_graph: whether the config of a sequential or functional model is written, from which TensorBoard draws it.
        write_images: False.
        write_steps_per_second: whether to write "epoch_steps_per_second" as well, and with batches
            "batch_steps_per_second".
        update_freq: "epoch"; or a number of batches, "batch" for 1, after which "batch_<name>", the means over the
            epoch so far, are written into `log_dir/train` too. The engine then returns to Python after every batch.
        profile_batch: 0.
        embeddings_freq: 0.
        embeddings_metadata: None.

    Raises:
        ImportError: if tensorboardX is not installed.
        ValueError: for an argument that must keep its value, and for an `update_freq` that is none of these.

    Example:
        >>> model.fit(x, y, epochs=10, validation_split=0.1, callbacks=[fastgd.callbacks.TensorBoard("logs/run1")])
        ... # then, in a shell: tensorboard --logdir logs
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: int | str = "epoch",
        profile_batch: int = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: None = None,
    ) -> None:
        super().__init__()
        if not isinstance(log_dir, (str, os.PathLike)):
            raise mistyped("`log_dir` must be a string or a path.", log_dir=log_dir)
        for name, value, only in (
            ("write_images", write_images, False),
            ("profile_batch", profile_batch, 0),
            ("embeddings_freq", embeddings_freq, 0),
            ("embeddings_metadata", embeddings_metadata, None),
        ):
            if value != only:
                raise invalid(f"`{name}` must be {only}: fastgd writes nothing of the kind.", **{name: value})
        if isinstance(update_freq, str) and update_freq not in ("epoch", "batch"):
            raise invalid('`update_freq` must be "epoch", "batch" or a number of batches.', update_freq=update_freq)
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = check_int("histogram_freq", histogram_freq, 0)
        self.write_graph = check_bool("write_graph", write_graph)
        self.write_steps_per_second = check_bool("write_steps_per_second", write_steps_per_second)
        self.update_freq: int | str = update_freq
        if update_freq != "epoch":
            self.update_freq = 1 if update_freq == "batch" else check_int("update_freq", update_freq, 1)
            # On the instance, so that without batches these hooks do not count as overridden.
            setattr(self, "on_train_batch_begin", self._begin_batch)  # noqa: B010
            setattr(self, "on_train_batch_end", self._end_batch)  # noqa: B010
        self._writer_class = _import("tensorboardX").SummaryWriter
        self._writers: dict[str, Any] = {}
        self._batches = 0
        self._batch_began = self._epoch_began = 0.0
        self._training = False

    def set_model(self, model: Any) -> None:
        """Take the model."""
        super().set_model(model)
        self._close()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Write the config of the model."""
        self._batches = 0
        self._training = True
        if self.write_graph and not self.model.subclassed:
            try:
                text = self.model.to_json()
            except (NotImplementedError, TypeError, ValueError) as error:
                # A layer without a config that JSON can hold is no reason not to train.
                warnings.warn(f"TensorBoard does not show the model: {error}", stacklevel=2)
                return
            self._writer("train").file_writer.add_summary(_model_summary(text), 0)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Look at the clock."""
        self._epoch_began = time.perf_counter()
        self._updates_before = int(self.model.optimizer.iterations)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the values of the epoch."""
        values = dict(logs or {})
        held = {name[4:]: values.pop(name) for name in list(values) if name.startswith("val_")}
        values["learning_rate"] = float(self.model.optimizer.learning_rate)
        if self.write_steps_per_second:
            updates = int(self.model.optimizer.iterations) - self._updates_before
            values["steps_per_second"] = updates / (time.perf_counter() - self._epoch_began)
        self._write("train", values, "epoch_{}", epoch)
        if held:
            self._write("validation", held, "epoch_{}", epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            for weight in self.model.weights:
                self._writer("train").add_histogram(f"{weight.path}/histogram", weight.numpy(), epoch)
        for writer in self._writers.values():
            writer.flush()

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Write the values of an evaluation against the number of updates before it."""
        optimizer = self.model.optimizer
        self._write("validation", logs or {}, "evaluation_{}_vs_iterations", int(optimizer.iterations))
        if not self._training:
            self._close()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the files."""
        self._training = False
        self._close()

    def _begin_batch(self, batch: int, logs: Logs | None = None) -> None:
        self._batches += 1
        self._batch_began = time.perf_counter()

    def _end_batch(self, batch: int, logs: Logs | None = None) -> None:
        assert isinstance(self.update_freq, int)
        if self._batches % self.update_freq == 0:
            values = dict(logs or {})
            if self.write_steps_per_second:
                values["steps_per_second"] = 1.0 / (time.perf_counter() - self._batch_began)
            self._write("train", values, "batch_{}", self._batches)

    def _write(self, folder: str, values: Logs, tag: str, step: int) -> None:
        for name, value in values.items():
            self._writer(folder).add_scalar(tag.format(name), float(value), step)

    def _writer(self, folder: str) -> Any:
        """Return the writer of a folder, opened when there is something to write."""
        if folder not in self._writers:
            self._writers[folder] = self._writer_class(f"{self.log_dir}/{folder}")
        return self._writers[folder]

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}


def _import(name: str) -> Any:
    """Import tensorboardX or a part of it."""
    return import_extra(name, "tensorboard", "TensorBoard")


def _model_summary(text: str) -> Any:
    """Return the record in which TensorBoard looks for the config of a Keras model."""
    summary = _import("tensorboardX.proto.summary_pb2")
    tensors = _import("tensorboardX.proto.tensor_pb2")
    types = _import("tensorboardX.proto.types_pb2")
    plugin = summary.SummaryMetadata.PluginData(plugin_name="graph_keras_model", content=b"1")
    tensor = tensors.TensorProto(dtype=types.DT_STRING, string_val=[text.encode()])
    metadata = summary.SummaryMetadata(plugin_data=plugin)
    return summary.Summary(value=[summary.Summary.Value(tag="keras", tensor=tensor, metadata=metadata)])
