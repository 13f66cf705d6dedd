"""The callbacks."""

from fastgd.callbacks.backup_and_restore import BackupAndRestore
from fastgd.callbacks.callback import Callback
from fastgd.callbacks.callback_list import CallbackList
from fastgd.callbacks.critical_point import CriticalPoint
from fastgd.callbacks.csv_logger import CSVLogger
from fastgd.callbacks.early_stopping import EarlyStopping
from fastgd.callbacks.history import History
from fastgd.callbacks.lambda_callback import LambdaCallback
from fastgd.callbacks.learning_rate_scheduler import LearningRateScheduler
from fastgd.callbacks.model_checkpoint import ModelCheckpoint
from fastgd.callbacks.progbar_logger import ProgbarLogger
from fastgd.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from fastgd.callbacks.swap_ema_weights import SwapEMAWeights
from fastgd.callbacks.tensorboard import TensorBoard
from fastgd.callbacks.terminate_on_nan import TerminateOnNaN

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "CriticalPoint",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]
