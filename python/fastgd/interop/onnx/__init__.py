"""Models as ONNX files, for onnxruntime and whatever else runs them."""

from fastgd.interop.onnx.export import export, to_onnx

__all__ = ["export", "to_onnx"]
