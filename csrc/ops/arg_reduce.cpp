// arg_reduce: the index of the first maximum or minimum along an axis.
#include "ops/along_axis.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class ArgReduce final : public AlongAxis<T> {
 public:
  explicit ArgReduce(const OpSetup& s) : AlongAxis<T>(s) {
    const std::string function = s.attrs.text("function", "");
    check(function == "max" || function == "min", "unknown function. Received: function='", function, "'");
    least_ = function == "min";
    check(this->size_ > 0, "there is no ", function, "imum of no elements of ", to_string(s.inputs[0].shape));
    Shape y = s.inputs[0].shape;
    y.erase(y.begin() + s.attrs.integer("axis"));
    this->traits.outputs = {{y, true}};
    this->traits.differentiable = false;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    auto* const y = reinterpret_cast<std::int32_t*>(c.y[0]);
    this->each_line(who, [&](Index begin, Index line) {
      const T* const x = c.x[0] + begin;
      Index best = 0;
      // NaN is beyond everything, as in NumPy.
      for (Index i = 1; i < this->size_ && x[best * this->inner_] == x[best * this->inner_]; ++i) {
        const T known = x[best * this->inner_], next = x[i * this->inner_];
        if ((least_ ? next < known : next > known) || next != next) best = i;
      }
      y[line] = static_cast<std::int32_t>(best);
    });
  }

 private:
  bool least_ = false;
};

}  // namespace

FASTGD_DEFINE_OP(arg_reduce, ArgReduce);

}  // namespace fastgd
