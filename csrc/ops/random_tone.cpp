// random_tone: each image brighter or darker, and of more or less contrast, by numbers that it draws for itself.
#include "ops/images.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class RandomTone final : public ImageOp<T> {
 public:
  explicit RandomTone(const OpSetup& s)
      : ImageOp<T>(s),
        brightness_(image_ranges<2>(s.attrs, "brightness", {0, 0})),
        contrast_(image_ranges<2>(s.attrs, "contrast", {1, 1})) {
    const std::array<double, 2> bounds = image_ranges<2>(s.attrs, "value_range", {0, 255});
    check(bounds[0] <= bounds[1], "`value_range` must ascend. Received: ", bounds[0], " and ", bounds[1]);
    low_ = static_cast<T>(bounds[0]), high_ = static_cast<T>(bounds[1]);
    const Index size = multiply(this->images_, this->elements());
    auto& t = this->traits;
    // What is then cut to the range is kept: it tells where the gradient passes.
    t.saved_bytes = multiply(size, sizeof(T));
    t.forward_scratch = multiply(this->images_, lines_bytes());
    t.backward_scratch = t.forward_scratch;
    t.forward_work = 10.0 * static_cast<double>(size);
    t.backward_work = t.forward_work;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    if (!c.run->training) return this->copy(c.x[0], c.y[0], who);
    const Index n = this->elements();
    const Range part = who.share(this->images_);
    for (Index i = part.begin; i < part.end; ++i) {
      const ImageDraws draws = this->draws(c, i);
      const T* const x = c.x[0] + i * n;
      const Lines lines = lines_of(c, i);
      find_means(c, x, lines);
      const auto brighter = static_cast<T>(draws.number(0, brightness_[0], brightness_[1]));
      for (Index k = 0; k < this->channels_; ++k) {
        lines.mean[k] = static_cast<T>(lines.means[k]);
        lines.slope[k] = factor(draws);
        lines.shift[k] = lines.mean[k] + brighter;
      }
      T* const z = kept(c) + i * n;
      apply(c, x, lines, z);
      T* const y = c.y[0] + i * n;
      c.kernels->binary(Binary::maximum, walk(), z, &low_, y);
      c.kernels->binary(Binary::minimum, walk(), y, &high_, y);
    }
  }

  // With dz = dy where z is within the range, half of it on a bound: dx = f dz + (1 - f) mean(dz).
  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    if (c.dx[0] == nullptr) return;
    if (!c.run->training) return this->copy(c.dy[0], c.dx[0], who);
    const Index n = this->elements();
    const Range part = who.share(this->images_);
    for (Index i = part.begin; i < part.end; ++i) {
      T *const dy = c.dy[0] + i * n, *const dx = c.dx[0] + i * n;
      const T* const z = kept(c) + i * n;
      c.kernels->binary(Binary::maximum, walk(), z, &low_, dx);
      c.kernels->binary_backward(Binary::minimum, false, walk(), dx, &high_, nullptr, dy, dy);
      c.kernels->binary_backward(Binary::maximum, false, walk(), z, &low_, nullptr, dy, dy);
      const Lines lines = lines_of(c, i);
      find_means(c, dy, lines);
      const T f = factor(this->draws(c, i));
      for (Index k = 0; k < this->channels_; ++k) {
        lines.mean[k] = 0;
        lines.slope[k] = f;
        lines.shift[k] = (T{1} - f) * static_cast<T>(lines.means[k]);
      }
      apply(c, dy, lines, dx);
    }
  }

 private:
  // Of the channels of one image: their means and what the sums leave beside them, and the lines made of that.
  struct Lines {
    double *means, *squares;
    T *mean, *slope, *shift;
  };

  Index lines_bytes() const {
    return multiply(this->channels_, static_cast<Index>(2 * sizeof(double) + 4 * sizeof(T)));
  }
  Lines lines_of(const Call<T>& c, Index image) const noexcept {
    auto* const doubles = reinterpret_cast<double*>(c.scratch + image * lines_bytes());
    auto* const values = reinterpret_cast<T*>(doubles + 2 * this->channels_);
    return {doubles, doubles + this->channels_, values, values + this->channels_, values + 2 * this->channels_};
  }

  static T* kept(const Call<T>& c) noexcept { return reinterpret_cast<T*>(c.saved); }
  T factor(const ImageDraws& draws) const noexcept {
    return static_cast<T>(draws.number(1, contrast_[0], contrast_[1]));
  }
  Walk walk() const noexcept { return {1, this->elements(), {0, 0, 0}, {1, 0, 0}}; }

  void find_means(const Call<T>& c, const T* x, const Lines& lines) const noexcept {
    c.kernels->channel_moments(Channels::columns, this->rows_ * this->cols_, this->channels_, x, this->channels_,
                               lines.means, lines.squares);
  }
  void apply(const Call<T>& c, const T* x, const Lines& lines, T* y) const noexcept {
    c.kernels->channel_affine(Channels::columns, this->rows_ * this->cols_, this->channels_, x, nullptr,
                              this->channels_, {lines.mean, nullptr, lines.slope, lines.shift}, y);
  }

  std::array<double, 2> brightness_, contrast_;
  T low_ = 0, high_ = 0;
};

}  // namespace

FASTGD_DEFINE_OP(random_tone, RandomTone);

}  // namespace fastgd
