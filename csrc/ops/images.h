// What the ops share that change images at random: their sizes, and the numbers that each image draws.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/random.h"
#include "ops/op.h"

namespace fastgd {

// The random numbers of one image (docs/ops.md, Random numbers).
struct ImageDraws {
  std::uint64_t seed, iteration, image;

  std::uint32_t word(std::uint64_t k) const noexcept { return random_word(seed, iteration, 8 * image + k); }
  double number(std::uint64_t k, double low, double high) const noexcept {
    return low + (high - low) * ((static_cast<double>(word(k)) + 0.5) * 0x1p-32);
  }
};

// The numbers of an attribute: ranges from low to high, one after the other.
template <std::size_t n>
std::array<double, n> image_ranges(const Attrs& attrs, const char* name, std::array<double, n> missing) {
  if (!attrs.given(name)) return missing;
  const std::vector<double> given = attrs.reals(name);
  check(given.size() == n, "`", name, "` must hold ", n, " numbers. Received: ", given.size());
  // Beyond that, places would not fit integers.
  for (double number : given)
    check(std::abs(number) <= 1e6, "`", name, "` must hold numbers from -1e6 to 1e6. Received: ", number);
  std::array<double, n> numbers = missing;
  std::copy(given.begin(), given.end(), numbers.begin());
  return numbers;
}

// The base of ops of one input, images (batch, rows, columns, channels).
template <class T>
class ImageOp : public Op<T> {
 protected:
  explicit ImageOp(const OpSetup& s) : seed_(static_cast<std::uint64_t>(s.attrs.integer("seed"))) {
    s.expect_inputs(1);
    s.expect_params(0, 0);
    const Shape& x = s.inputs[0].shape;
    check(x.size() == 4 && count(std::span(x).subspan(1)) > 0,
          "takes images (batch, rows, columns, channels). Received: ", to_string(x));
    images_ = x[0], rows_ = x[1], cols_ = x[2], channels_ = x[3];
    per_sample_ = s.batch > 0 ? images_ / s.batch : 0;
    this->traits.outputs = {s.inputs[0]};
  }

  // Of one image.
  Index elements() const noexcept { return rows_ * cols_ * channels_; }

  ImageDraws draws(const Call<T>& c, Index image) const noexcept {
    const Index number = c.run->first_sample * per_sample_ + image;
    return {seed_, c.run->iteration, static_cast<std::uint64_t>(number)};
  }

  // What happens outside training: the images, or their gradients, as they are.
  void copy(const T* from, T* to, const Worker& who) const noexcept {
    const Range part = who.share(images_ * elements(), 64);
    std::memcpy(to + part.begin, from + part.begin, static_cast<std::size_t>(part.size()) * sizeof(T));
  }

  Index images_ = 0, rows_ = 0, cols_ = 0, channels_ = 0;

 private:
  std::uint64_t seed_;
  Index per_sample_ = 0;
};

}  // namespace fastgd
