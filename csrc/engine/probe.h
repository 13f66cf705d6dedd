// Measuring what the machine can do, and looking over data before a run.
#pragma once

#include "engine/feed.h"
#include "kernels/kernels.h"

namespace fastgd {

// Floating-point operations per second of a team doing multiply-adds for about `seconds`: in registers, or with
// operands that are loaded as often as a product's tile loads them.
template <class T>
double peak_flops(const KernelTable& table, int threads, double seconds, bool loads);

// Bytes per second of a = b + s * c over arrays out of cache, 12 bytes counted per element.
double bandwidth(int threads, double seconds);

// Whether every element is finite; integers always are.
bool feed_is_finite(const Feed& feed);

}  // namespace fastgd
