// The largest element of each window, and where it was: for the op of this name, and for convolutions that pool what
// they make before anyone else sees it.
#pragma once

#include "ops/windows.h"

namespace fastgd {

template <class T>
class MaxPooling {
 public:
  MaxPooling() = default;
  // As `max_pool` is set up: its input and its attributes.
  explicit MaxPooling(const OpSetup& s) : windows_(pooling_windows(s)) {
    const Shape& x = s.inputs[0].shape;
    const std::size_t axes = x.size() - 2;
    channels_ = x.back();
    output_ = with_sizes(x, output_sizes(windows_, axes), channels_);
    results_ = count(std::span(output_).subspan(1));
    for (const WindowAxis& axis : windows_) window_ = multiply(window_, axis.window);
    disjoint_ = std::all_of(windows_.begin(), windows_.end(), [](const WindowAxis& a) { return a.window == a.stride; });
    words_ = window_ > 256;
    map_ = WindowMap(tables_of(windows_, covered_elements), channels_);
    elements_ = WindowMap(tables_of(windows_, covering_windows), channels_);
  }

  const Shape& output() const { return output_; }
  Index results() const { return results_; }  // of a sample
  Index window() const { return window_; }
  bool disjoint() const { return disjoint_; }

  // Bytes that keep where the maxima of `samples` samples were. Vectors may read a little more than there is.
  Index number_bytes(Index samples) const { return multiply(multiply(samples, results_) + 64, number_size()); }
  // Those of the samples from `sample` on.
  WindowNumbers numbers(std::byte* saved, Index sample) const {
    std::byte* const at = saved + sample * results_ * number_size();
    if (words_) return {nullptr, reinterpret_cast<std::int32_t*>(at)};
    return {reinterpret_cast<std::uint8_t*>(at), nullptr};
  }

  // y = f(the maxima) and, unless the pointers are null, the numbers of `samples` samples, the whole team together.
  void forward(const Kernels<T>& k, Index samples, const T* x, ActivationSpec<T> f, T* y, WindowNumbers numbers,
               const Worker& who) const noexcept {
    map_.run(samples, who, [&](const WindowSpot& spot) {
      T* const to = y + spot.result;
      k.window_max(spot.line, x + spot.source, to, from(numbers, spot.result));
      if (f.function != Activation::linear) k.activation(f, spot.line.items * channels_, to, to);
    });
  }

  // dx, the same way.
  void backward(const Kernels<T>& k, Index samples, const T* dy, WindowNumbers numbers, T* dx,
                const Worker& who) const noexcept {
    if (!disjoint_) {
      elements_.run(samples, who, [&](const WindowSpot& spot) {
        k.window_max_gather(spot.line, dy + spot.source, from(numbers, spot.source), dx + spot.result);
      });
      return;
    }
    map_.run(samples, who, [&](const WindowSpot& spot) {
      WindowLine line = spot.line;
      line.readable = samples * results_ - spot.result;
      line.writable = windows_[2].in * channels_;
      k.window_max_scatter(line, dy + spot.result, from(numbers, spot.result), dx + spot.source);
      clear_rest(k, spot, dx + spot.source);
    });
  }

 private:
  Index number_size() const { return words_ ? static_cast<Index>(sizeof(std::int32_t)) : 1; }

  static WindowNumbers from(WindowNumbers numbers, Index begin) {
    if (numbers.bytes != nullptr) numbers.bytes += begin;
    if (numbers.words != nullptr) numbers.words += begin;
    return numbers;
  }

  // Zeros for the elements behind the last window of each axis, which the line next to them fills.
  void clear_rest(const Kernels<T>& k, const WindowSpot& spot, T* dx) const noexcept {
    const auto covered = [this](int axis) {
      const WindowAxis& s = windows_[static_cast<std::size_t>(axis)];
      return std::min(s.in, s.out * s.window - s.before);
    };
    const auto fill = [&](Index begin, Index size) {
      if (size > 0) k.fill(size, T(0), dx + begin);
    };
    const WindowLine& line = spot.line;
    const Index row = windows_[2].in * channels_, plane = windows_[1].in * row;
    const Index narrow = covered(2) * channels_, low = covered(1) * row, near = covered(0) * plane;
    for (Index d = 0; d < line.depth.terms->count; ++d) {
      const Index at = line.depth.terms->at + d * plane;
      for (Index h = 0; h < line.height.terms->count; ++h)
        fill(at + line.height.terms->at + h * row + narrow, row - narrow);
      if (spot.last_line) fill(at + low, plane - low);
    }
    if (spot.last_line && spot.last_plane) fill(near, windows_[0].in * plane - near);
  }

  Windows windows_;
  WindowMap map_, elements_;
  Shape output_;
  Index channels_ = 0, results_ = 0, window_ = 1;
  bool disjoint_ = false, words_ = false;
};

}  // namespace fastgd
