// max_pool: the largest element of each window, and where it was, which backward needs and no more.
#include "ops/register.h"
#include "ops/windows.h"

namespace fastgd {
namespace {

template <class T>
class MaxPool final : public Op<T> {
 public:
  explicit MaxPool(const OpSetup& s) : windows_(pooling_windows(s)) {
    const Shape& x = s.inputs[0].shape;
    const Index samples = x.front(), channels = x.back();
    Shape y = {samples};
    Index window = 1;
    for (std::size_t i = kSpatialAxes - (x.size() - 2); i < kSpatialAxes; ++i) {
      y.push_back(windows_[i].out);
      window = multiply(window, windows_[i].window);
    }
    y.push_back(channels);
    y_size_ = count(y);
    channels_ = channels;
    disjoint_ = std::all_of(windows_.begin(), windows_.end(), [](const WindowAxis& a) { return a.window == a.stride; });
    words_ = window > 256;
    map_ = WindowMap(tables_of(windows_, covered_elements), samples, channels);
    elements_ = WindowMap(tables_of(windows_, covering_windows), samples, channels);
    auto& t = this->traits;
    t.outputs = {{y}};
    // Vectors may read a little more than there is.
    t.saved_bytes = multiply(y_size_ + 64, words_ ? sizeof(std::int32_t) : 1);
    t.forward_work = static_cast<double>(window) * static_cast<double>(y_size_);
    t.backward_work = disjoint_ ? static_cast<double>(count(x)) : t.forward_work;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    map_.run(who, [&](const WindowSpot& spot) {
      const WindowNumbers numbers = c.run->differentiates ? numbers_from(c, spot.result) : WindowNumbers{};
      c.kernels->window_max(spot.line, c.x[0] + spot.source, c.y[0] + spot.result, numbers);
    });
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    const T* const dy = c.dy[0];
    T* const dx = c.dx[0];
    if (!disjoint_) {
      elements_.run(who, [&](const WindowSpot& spot) {
        c.kernels->window_max_gather(spot.line, dy + spot.source, numbers_from(c, spot.source), dx + spot.result);
      });
      return;
    }
    map_.run(who, [&](const WindowSpot& spot) {
      WindowLine line = spot.line;
      line.readable = y_size_ - spot.result;
      line.writable = windows_[2].in * channels_;
      c.kernels->window_max_scatter(line, dy + spot.result, numbers_from(c, spot.result), dx + spot.source);
      clear_rest(c, spot, dx + spot.source);
    });
  }

 private:
  WindowNumbers numbers_from(const Call<T>& c, Index begin) const noexcept {
    if (words_) return {nullptr, reinterpret_cast<std::int32_t*>(c.saved) + begin};
    return {reinterpret_cast<std::uint8_t*>(c.saved) + begin, nullptr};
  }

  // Zeros for the elements behind the last window of each axis, which the line next to them fills.
  void clear_rest(const Call<T>& c, const WindowSpot& spot, T* dx) const noexcept {
    const auto covered = [this](int axis) {
      const WindowAxis& s = windows_[static_cast<std::size_t>(axis)];
      return std::min(s.in, s.out * s.window - s.before);
    };
    const auto fill = [&](Index begin, Index size) {
      if (size > 0) c.kernels->fill(size, T(0), dx + begin);
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
  Index y_size_ = 0, channels_ = 0;
  bool disjoint_ = false, words_ = false;
};

}  // namespace

FASTGD_DEFINE_OP(max_pool, MaxPool);

}  // namespace fastgd
