// flatten and reshape: the same elements under another shape, with no work at all.
#include <algorithm>

#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class View : public Op<T> {
 public:
  void forward(const Call<T>&, const Worker&) const noexcept final {}

 protected:
  void set_shape(const OpSetup& s, const Shape& y) {
    s.expect_inputs(1);
    s.expect_params(0, 0);
    const Shape& x = s.inputs[0].shape;
    check(count(x) == count(y), to_string(x), " and ", to_string(y), " have different numbers of elements");
    this->traits.outputs = {{y, s.inputs[0].integer}};
    this->traits.view = true;
  }
};

template <class T>
class Flatten final : public View<T> {
 public:
  explicit Flatten(const OpSetup& s) {
    s.expect_inputs(1);
    const Shape& x = s.inputs[0].shape;
    check(!x.empty(), "takes at least one axis. Received: ", to_string(x));
    this->set_shape(s, {x[0], count(std::span(x).subspan(1))});
  }
};

template <class T>
class Reshape final : public View<T> {
 public:
  explicit Reshape(const OpSetup& s) {
    const Shape shape = s.attrs.sizes("shape");
    this->set_shape(s, resolve(shape, s.batch));
    // Behind another axis than the batch a sample's elements lie apart.
    const bool batched = std::any_of(shape.begin(), shape.end(), [](Index d) { return d < 0; });
    this->traits.couples_samples = batched && shape[0] >= 0;
  }
};

}  // namespace

FASTGD_DEFINE_OP(flatten, Flatten);
FASTGD_DEFINE_OP(reshape, Reshape);

}  // namespace fastgd
