// Measuring what the machine can do, and looking over data before a run.
#pragma once

#include "engine/feed.h"
#include "kernels/kernels.h"

namespace fastgd {

// Floating-point operations per second of a team doing multiply-adds in registers for about `seconds`.
template <class T>
double peak_flops(const KernelTable& table, int threads, double seconds);

// Bytes per second of a = b + s * c over arrays out of cache, 12 bytes counted per element.
double bandwidth(int threads, double seconds);

// Whether every element is finite; integers always are.
bool feed_is_finite(const Feed& feed);

}  // namespace fastgd
