// How parameters are cut into blocks, and what a norm makes of a gradient.
#include "engine/norms.h"

#include <cmath>
#include <limits>

namespace fastgd {
namespace {

// A block fits into the first cache with what is added to it, and has work enough for its place in a list.
constexpr Index kBlock = 2048;

}  // namespace

Norms::Norms(double limit, bool together, const std::vector<Range>& params) : limit_(limit), together_(together) {
  for (const Range& param : params) {
    first_.push_back(blocks_.size());
    for (Index begin = param.begin; begin < param.end; begin += kBlock)
      blocks_.push_back({begin, std::min(kBlock, param.end - begin)});
  }
  first_.push_back(blocks_.size());
  squares_.resize(blocks_.size());
}

double Norms::factor(std::size_t begin, std::size_t end) const noexcept {
  double sum = 0;
  for (std::size_t i = begin; i < end; ++i) sum += squares_[i];
  const double norm = std::sqrt(sum);
  // One gradient that is not finite spoils the norm of all together, and then everything must be seen to be spoilt;
  // of a single parameter the finite elements become 0.
  if (together_ && !std::isfinite(norm)) return std::numeric_limits<double>::quiet_NaN();
  return norm <= limit_ ? 1 : limit_ / norm;
}

}  // namespace fastgd
