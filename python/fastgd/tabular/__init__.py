"""Tables of mixed columns: preprocessing, and networks trained on them; needs the extra `tabular`."""

from fastgd.tabular.model import TabularModel
from fastgd.tabular.network import NetworkSettings
from fastgd.tabular.preprocessor import TablePreprocessor
from fastgd.tabular.reading import read_table

__all__ = ["NetworkSettings", "TablePreprocessor", "TabularModel", "read_table"]
