"""Keras' second name for helpers of `fastgd.utils`."""

import sys

from fastgd.preprocessing import sequence
from fastgd.utils.public_names import refuse_unknown_names
from fastgd.utils.timeseries import timeseries_dataset_from_array

__all__ = ["sequence", "timeseries_dataset_from_array"]

refuse_unknown_names(sys.modules[__name__])
