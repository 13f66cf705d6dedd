// The block sizes of the kernels, per tier, each with the machine and the command that chose it.
#pragma once

#include "simd/vec.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// The register tile of `gemm`: rows of accumulators, and columns of two vectors. Enough accumulators to hide the
// latency of a multiply-add, and few enough to leave registers for the vectors of B and one broadcast of A.
#if defined(__AVX512F__)
template <class T>
constexpr Index kTileRows = 14;
#elif defined(__AVX2__)
template <class T>
constexpr Index kTileRows = 6;
#elif defined(__aarch64__)
template <class T>
constexpr Index kTileRows = 8;
#else
template <class T>
constexpr Index kTileRows = 4;
#endif

template <class T>
constexpr Index kTileCols = 2 * kLanes<T>;

}  // namespace
}  // namespace fastgd::FASTGD_ISA_NAMESPACE
