// How many threads the machine, the process and the user allow.
#pragma once

namespace fastgd {

// CPUs that this process may be scheduled on.
int affinity_cores();

// The CPU quota of the cgroup (versions 1 and 2), rounded up; a large number without one.
int cgroup_cores();

// Distinct physical cores among the CPUs of the affinity mask: hyperthreads of one core count once.
int physical_cores();

// OMP_NUM_THREADS (its first number), or 0 if unset or malformed.
int requested_threads();

}  // namespace fastgd
