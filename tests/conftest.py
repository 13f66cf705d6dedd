"""What holds for all tests: workers that run side by side do not each let NumPy use every processor."""

from __future__ import annotations

import os

# Before NumPy is imported, which reads it then. The products of the tests are small, and threads that wait for one
# another on too few processors make them ten times slower.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
