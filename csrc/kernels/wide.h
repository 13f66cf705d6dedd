// Sums in double of values in either type, lane by lane: what penalties and norms are added up in.
#pragma once

#include "simd/vec.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// A vector of running sums, one for each lane of Vec<T>.
template <class T>
struct WideSum;

template <>
struct WideSum<double> {
  Vec<double> total{};

  FASTGD_INLINE void add(Vec<double> v) { total += v; }
  FASTGD_INLINE double sum_of_lanes() const { return sum<double>(total); }
  FASTGD_INLINE Vec<double> narrow() const { return total; }
};

template <>
struct WideSum<float> {
  using Half = float __attribute__((vector_size(sizeof(Vec<float>) / 2)));

  Vec<double> low{}, high{};

  FASTGD_INLINE void add(Vec<float> v) {
    Half parts[2];
    __builtin_memcpy(parts, &v, sizeof v);
    low += __builtin_convertvector(parts[0], Vec<double>);
    high += __builtin_convertvector(parts[1], Vec<double>);
  }
  FASTGD_INLINE double sum_of_lanes() const { return sum<double>(low + high); }
  FASTGD_INLINE Vec<float> narrow() const {
    const Half parts[2] = {__builtin_convertvector(low, Half), __builtin_convertvector(high, Half)};
    Vec<float> v;
    __builtin_memcpy(&v, parts, sizeof v);
    return v;
  }
};

}  // namespace
}  // namespace fastgd::FASTGD_ISA_NAMESPACE
