"""The callbacks."""

from fastgd.callbacks.callback import Callback
from fastgd.callbacks.callback_list import CallbackList
from fastgd.callbacks.early_stopping import EarlyStopping
from fastgd.callbacks.history import History
from fastgd.callbacks.lambda_callback import LambdaCallback
from fastgd.callbacks.progbar_logger import ProgbarLogger

__all__ = ["Callback", "CallbackList", "EarlyStopping", "History", "LambdaCallback", "ProgbarLogger"]
