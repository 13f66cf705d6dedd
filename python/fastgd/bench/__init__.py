"""The benchmark suite: fastgd against other trainers on the same work, in one run; `fastgd bench` is its command.

How it measures. Each opponent is an adapter, found by whether its library can be imported, and runs in a process of its
own, so that libraries and thread pools that do not go together do not meet. All start from the same weights and see the
same batches in the same order, from memory, with the same limit on threads. After the same number of steps their
weights must agree, so that nobody does less work. Then they take turns, round by round; all but the one whose turn it
is are stopped, so that nobody's idle threads take the processor from another. What is told are the median, the minimum
and the spread over the rounds, and ratios within this one run.

`fastgd.bench.results` documents the JSON that comes out.
"""

from fastgd.bench.session import MODES, Settings, run
from fastgd.bench.workloads import WORKLOADS, Workload

__all__ = ["MODES", "WORKLOADS", "Settings", "Workload", "run"]
