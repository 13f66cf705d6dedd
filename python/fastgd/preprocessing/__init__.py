"""Keras' second name for helpers of `fastgd.utils`."""

from fastgd.preprocessing import sequence
from fastgd.utils.timeseries import timeseries_dataset_from_array

__all__ = ["sequence", "timeseries_dataset_from_array"]
