"""Builds the Cython yardstick: `pip install ./benchmarks/opponents/cython_mlp` in the environment of `fastgd bench`."""

from Cython.Build import cythonize
from setuptools import Extension, setup

# No flag that changes what floating point means, none that ties the module to one machine.
extension = Extension("fastgd_cython_mlp", ["fastgd_cython_mlp.pyx"], extra_compile_args=["-O3"])

setup(
    name="fastgd-cython-mlp",
    version="0.1.0",
    description="A dense network in typed loops, an opponent in fastgd's benchmarks.",
    ext_modules=cythonize([extension], language_level=3),
)
