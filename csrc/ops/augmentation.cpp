// random_flip, random_affine and random_crop: each image of a batch sampled at places that it draws for itself.
#include <numbers>

#include "ops/images.h"
#include "ops/register.h"

namespace fastgd {
namespace {

// The base: images sampled at places of their own.
template <class T>
class Resampled : public ImageOp<T> {
 public:
  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    if (idle(c)) return this->copy(c.x[0], c.y[0], who);
    const Range part = who.share(this->images_);
    for (Index i = part.begin; i < part.end; ++i) {
      const Sampled s = sampled(c, i);
      c.kernels->resample(s.how, c.x[0] + i * this->elements() + s.first, c.y[0] + i * y_size_);
    }
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    if (c.dx[0] == nullptr) return;
    if (idle(c)) return this->copy(c.dy[0], c.dx[0], who);
    const Range part = who.share(this->images_);
    for (Index i = part.begin; i < part.end; ++i) {
      const Sampled s = sampled(c, i);
      T* const dx = c.dx[0] + i * this->elements();
      c.kernels->fill(this->elements(), T{0}, dx);
      c.kernels->resample_backward(s.how, c.dy[0] + i * y_size_, dx + s.first);
    }
  }

 protected:
  // `first`: the element at which the part of the image begins that is sampled.
  struct Sampled {
    Resampling<T> how;
    Index first = 0;
  };

  explicit Resampled(const OpSetup& s) : ImageOp<T>(s) {
    how_.rows = this->rows_, how_.cols = how_.pitch = this->cols_, how_.channels = this->channels_;
    set_output(this->rows_, this->cols_);
  }

  void set_output(Index rows, Index cols) {
    how_.out_rows = rows, how_.out_cols = cols;
    y_size_ = rows * cols * how_.channels;
    auto& t = this->traits;
    t.outputs = {{{this->images_, rows, cols, how_.channels}}};
    t.forward_work = 20.0 * static_cast<double>(this->images_ * y_size_);
    t.backward_work = t.forward_work + static_cast<double>(this->images_ * this->elements());
  }

  // Where one image is sampled in training; outside it, nothing happens unless `sample_always` says how.
  virtual Sampled sample(const ImageDraws& draws) const noexcept = 0;
  virtual const Sampled* sample_always() const noexcept { return nullptr; }

  Resampling<T> how_;  // sizes, and for the ops to fill in: how places between pixels and beyond the edges are read

 private:
  bool idle(const Call<T>& c) const noexcept { return !c.run->training && sample_always() == nullptr; }

  Sampled sampled(const Call<T>& c, Index image) const noexcept {
    return c.run->training ? sample(this->draws(c, image)) : *sample_always();
  }

  Index y_size_ = 0;
};

template <class T>
class RandomFlip final : public Resampled<T> {
 public:
  explicit RandomFlip(const OpSetup& s)
      : Resampled<T>(s), vertical_(s.attrs.flag("vertical", false)), horizontal_(s.attrs.flag("horizontal", false)) {
    this->how_.nearest = true;
  }

 private:
  typename Resampled<T>::Sampled sample(const ImageDraws& draws) const noexcept override {
    typename Resampled<T>::Sampled s{this->how_};
    if (draws.word(0) >> 31 != 0) return s;
    if (vertical_) s.how.map[0] = -1, s.how.map[2] = static_cast<double>(s.how.rows - 1);
    if (horizontal_) s.how.map[4] = -1, s.how.map[5] = static_cast<double>(s.how.cols - 1);
    return s;
  }

  bool vertical_, horizontal_;
};

template <class T>
class RandomAffine final : public Resampled<T> {
 public:
  explicit RandomAffine(const OpSetup& s)
      : Resampled<T>(s),
        shift_(image_ranges<4>(s.attrs, "shift", {0, 0, 0, 0})),
        zoom_(image_ranges<4>(s.attrs, "zoom", {1, 1, 1, 1})),
        rotation_(image_ranges<2>(s.attrs, "rotation", {0, 0})),
        same_zoom_(s.attrs.flag("same_zoom", false)) {
    const std::string interpolation = s.attrs.text("interpolation", "bilinear");
    check(interpolation == "bilinear" || interpolation == "nearest",
          "`interpolation` must be 'bilinear' or 'nearest'. Received: interpolation='", interpolation, "'");
    this->how_.nearest = interpolation == "nearest";
    this->how_.fill = fill_mode(s.attrs.text("fill_mode", "reflect"));
    this->how_.value = static_cast<T>(s.attrs.real("fill_value", 0.0));
  }

 private:
  static FillMode fill_mode(const std::string& name) {
    const std::array<const char*, 4> names = {"constant", "nearest", "reflect", "wrap"};
    const auto found = std::find(names.begin(), names.end(), name);
    check(found != names.end(), "`fill_mode` must be 'constant', 'nearest', 'reflect' or 'wrap'. Received: fill_mode='",
          name, "'");
    return static_cast<FillMode>(found - names.begin());
  }

  typename Resampled<T>::Sampled sample(const ImageDraws& draws) const noexcept override {
    typename Resampled<T>::Sampled s{this->how_};
    const auto rows = static_cast<double>(s.how.rows), cols = static_cast<double>(s.how.cols);
    const double down = draws.number(0, shift_[0], shift_[1]) * rows;
    const double right = draws.number(1, shift_[2], shift_[3]) * cols;
    const double zoom_rows = draws.number(2, zoom_[0], zoom_[1]);
    const double zoom_cols = same_zoom_ ? zoom_rows : draws.number(3, zoom_[2], zoom_[3]);
    const double angle = 2 * std::numbers::pi * draws.number(4, rotation_[0], rotation_[1]);
    const double middle_row = (rows - 1) / 2, middle_col = (cols - 1) / 2;
    double* const m = s.how.map;
    m[0] = std::cos(angle) * zoom_rows, m[1] = std::sin(angle) * zoom_cols;
    m[3] = -std::sin(angle) * zoom_rows, m[4] = std::cos(angle) * zoom_cols;
    m[2] = middle_row - m[0] * middle_row - m[1] * middle_col - down;
    m[5] = middle_col - m[3] * middle_row - m[4] * middle_col - right;
    return s;
  }

  std::array<double, 4> shift_, zoom_;
  std::array<double, 2> rotation_;
  bool same_zoom_;
};

template <class T>
class RandomCrop final : public Resampled<T> {
 public:
  explicit RandomCrop(const OpSetup& s) : Resampled<T>(s) {
    const Index height = s.attrs.integer("height"), width = s.attrs.integer("width");
    check(height > 0 && width > 0, "`height` and `width` must be 1 or more. Received: height=", height,
          ", width=", width);
    auto& how = this->how_;
    spare_rows_ = how.rows - height, spare_cols_ = how.cols - width;
    this->set_output(height, width);
    how.nearest = true;
    // The largest part in the middle with the sides' ratio of the result, resized to it.
    window_.how = how;
    window_.how.nearest = false;
    window_.how.fill = FillMode::nearest;
    window_.how.rows = std::max<Index>(1, std::min(how.rows, how.cols * height / width));
    window_.how.cols = std::max<Index>(1, std::min(how.cols, how.rows * width / height));
    window_.first = ((how.rows - window_.how.rows) / 2 * how.pitch + (how.cols - window_.how.cols) / 2) * how.channels;
    double* const m = window_.how.map;
    m[0] = static_cast<double>(window_.how.rows) / static_cast<double>(height), m[2] = 0.5 * m[0] - 0.5;
    m[4] = static_cast<double>(window_.how.cols) / static_cast<double>(width), m[5] = 0.5 * m[4] - 0.5;
  }

 private:
  using Sampled = typename Resampled<T>::Sampled;

  Sampled sample(const ImageDraws& draws) const noexcept override {
    if (spare_rows_ < 0 || spare_cols_ < 0) return window_;
    const auto below = [&](std::uint64_t k, Index n) {
      return static_cast<Index>(static_cast<std::uint64_t>(draws.word(k)) * static_cast<std::uint64_t>(n) >> 32);
    };
    Sampled s{this->how_};
    s.first = (below(0, spare_rows_ + 1) * s.how.pitch + below(1, spare_cols_ + 1)) * s.how.channels;
    return s;
  }
  const Sampled* sample_always() const noexcept override { return &window_; }

  Index spare_rows_, spare_cols_;  // what the image has more than the result
  Sampled window_;
};

}  // namespace

FASTGD_DEFINE_OP(random_flip, RandomFlip);
FASTGD_DEFINE_OP(random_affine, RandomAffine);
FASTGD_DEFINE_OP(random_crop, RandomCrop);

}  // namespace fastgd
