// gather: elements of x picked along one axis by int32 indices.
#include <limits>

#include "ops/register.h"

namespace fastgd {
namespace {

// x is (outer, size, inner), y (outer, picks, inner).
template <class T>
class Gather final : public Op<T> {
 public:
  explicit Gather(const OpSetup& s) : along_(s.attrs.flag("along", false)), integer_(s.inputs[0].integer) {
    s.expect_params(0, 0);
    check(s.inputs.size() == 1 || s.inputs.size() == 2, "takes 1 or 2 inputs. Received: ", s.inputs.size());
    const Shape& x = s.inputs[0].shape;
    const Index axis = s.attrs.integer("axis");
    std::tie(outer_, size_, inner_) = cut_around(x, axis);
    const auto at = static_cast<std::size_t>(axis);
    Shape indices;
    if (s.inputs.size() == 1) {
      check(!along_, "takes the indices of every element as a tensor");
      for (Index i : s.attrs.sizes("indices")) {
        check(i >= -x[at] && i < x[at], "index ", i, " is out of range for axis ", axis, " of ", to_string(x));
        constants_.push_back(static_cast<std::int32_t>(i));
      }
      indices = {static_cast<Index>(constants_.size())};
    } else {
      check(s.inputs[1].integer, "takes int32 indices");
      indices = s.inputs[1].shape;
    }
    Shape y(x.begin(), x.begin() + axis);
    y.insert(y.end(), indices.begin(), indices.end());
    y.insert(y.end(), x.begin() + axis + 1, x.end());
    picks_ = count(indices);
    if (along_) {
      Shape like = x;
      if (indices.size() == x.size()) like[at] = indices[at];
      check(indices == like, "indices ", to_string(indices), " do not fit ", to_string(x), " along axis ", axis);
      y = indices;
      picks_ = indices[at];
    }
    auto& t = this->traits;
    t.outputs = {{y, integer_}};
    t.integer_inputs = 2u | (integer_ ? 1u : 0u);
    t.couples_samples = axis == 0;
    t.gradient_inputs = 1;
    t.backward_reads_inputs = 2;
    t.forward_work = static_cast<double>(count(y));
    t.backward_work = t.forward_work + static_cast<double>(count(x));
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    if (integer_) {
      pick(c, who, c.ints(0), reinterpret_cast<std::int32_t*>(c.y[0]), std::numeric_limits<std::int32_t>::min());
    } else {
      pick(c, who, c.x[0], c.y[0], std::numeric_limits<T>::quiet_NaN());
    }
  }

  // Each element of dx adds what was taken of it in the order of the picks.
  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    Range outer{0, outer_}, inner{0, inner_};
    if (outer_ >= who.size) {
      outer = who.share(outer_);
    } else {
      inner = who.share(inner_, c.kernels->lanes);
    }
    if (inner.size() == 0) return;
    for (Index a = outer.begin; a < outer.end; ++a) {
      T* const dx = c.dx[0] + a * size_ * inner_;
      const T* const dy = c.dy[0] + a * picks_ * inner_;
      for (Index i = 0; i < size_; ++i) c.kernels->fill(inner.size(), T(0), dx + i * inner_ + inner.begin);
      for (Index k = 0; k < picks_; ++k) {
        if (along_) {
          for (Index r = inner.begin; r < inner.end; ++r) {
            const Index i = place(index(c, (a * picks_ + k) * inner_ + r));
            if (i >= 0) dx[i * inner_ + r] += dy[k * inner_ + r];
          }
        } else if (const Index i = place(index(c, k)); i >= 0) {
          T* const to = dx + i * inner_ + inner.begin;
          c.kernels->add(inner.size(), to, dy + k * inner_ + inner.begin, to);
        }
      }
    }
  }

 private:
  std::int32_t index(const Call<T>& c, Index k) const noexcept {
    return constants_.empty() ? c.ints(1)[k] : constants_[static_cast<std::size_t>(k)];
  }

  // Where an index points, counted from the end where it is negative; -1 for nowhere.
  Index place(std::int32_t index) const noexcept {
    const Index i = index < 0 ? index + size_ : index;
    return i < size_ ? std::max<Index>(i, -1) : -1;
  }

  template <class U>
  void pick(const Call<T>& c, const Worker& who, const U* x, U* y, U missing) const noexcept {
    const Range rows = who.share(outer_ * picks_);
    for (Index row = rows.begin; row < rows.end; ++row) {
      const U* from = x + row / picks_ * size_ * inner_;
      U* to = y + row * inner_;
      Index i = along_ ? 0 : place(index(c, row % picks_));
      for (Index r = 0; r < inner_; ++r) {
        if (along_) i = place(index(c, row * inner_ + r));
        to[r] = i >= 0 ? from[i * inner_ + r] : missing;
      }
    }
  }

  bool along_, integer_;
  std::vector<std::int32_t> constants_;
  Index outer_ = 1, size_ = 1, inner_ = 1, picks_ = 1;
};

}  // namespace

FASTGD_DEFINE_OP(gather, Gather);

}  // namespace fastgd
