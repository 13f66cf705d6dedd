"""Models as ONNX files, for onnxruntime and whatever else runs them, and ONNX files as models."""

from fastgd.interop.onnx.export import export, to_onnx
from fastgd.interop.onnx.load import from_onnx

__all__ = ["export", "from_onnx", "to_onnx"]
