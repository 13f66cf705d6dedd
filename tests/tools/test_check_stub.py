"""The committed stub describes the native module that is installed."""

import importlib.util

import pytest


@pytest.mark.skipif(
    importlib.util.find_spec("pybind11_stubgen") is None, reason="needs pybind11-stubgen (the dev extra)"
)
def test_stub_is_up_to_date(load_tool):
    assert load_tool("check_stub").main([]) == 0
