// Compile-time lists 0, 1, ..., n - 1: what std::index_sequence would give where the standard library may not be used.
#pragma once

#include "base/types.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

template <int... I>
struct Indices {};

template <int n, int... I>
struct CountTo : CountTo<n - 1, n - 1, I...> {};

template <int... I>
struct CountTo<0, I...> {
  using Type = Indices<I...>;
};

// Indices<0, 1, ..., n - 1>.
template <int n>
using Count = typename CountTo<n>::Type;

}  // namespace
}  // namespace fastgd::FASTGD_ISA_NAMESPACE
