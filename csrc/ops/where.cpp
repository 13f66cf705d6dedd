// where: the elements of one operand or of another, by a condition; all three are broadcast against each other.
#include "ops/broadcast.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class Where final : public Op<T> {
 public:
  explicit Where(const OpSetup& s) : broadcast_(checked(s)) {
    auto& t = this->traits;
    t.outputs = {{broadcast_.shape()}};
    t.couples_samples = false;  // for the reason that `binary` gives
    t.gradient_inputs = 6;      // the condition takes none
    t.backward_reads_inputs = 1;
    t.backward_scratch = multiply(broadcast_.gradient_scratch(1, 3), sizeof(T));
    t.forward_work = static_cast<double>(broadcast_.size());
    t.backward_work = 2 * t.forward_work;
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    broadcast_.each_block(who, c.kernels->lanes, [&](const Walk& walk, const std::array<Index, 3>& at, Index out) {
      c.kernels->choose(walk, c.x[0] + at[0], c.x[1] + at[1], c.x[2] + at[2], c.y[0] + out);
    });
  }

  // dy goes where its element came from, and nothing goes to the other operand.
  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    const T zero = 0;
    broadcast_gradients<T>(broadcast_, 1, 3, c, who,
                           [&](int k, Walk walk, const std::array<Index, 3>& at, Index out, T* to) {
                             const T* dy = c.dy[0] + out;
                             for (int i : {1, 2}) {
                               walk.row[i] = i == k ? walk.cols : 0;
                               walk.col[i] = i == k ? 1 : 0;
                             }
                             c.kernels->choose(walk, c.x[0] + at[0], k == 1 ? dy : &zero, k == 2 ? dy : &zero, to);
                           });
  }

 private:
  static std::span<const TensorInfo> checked(const OpSetup& s) {
    s.expect_inputs(3);
    s.expect_params(0, 0);
    return s.inputs;
  }

  Broadcast broadcast_;
};

}  // namespace

FASTGD_DEFINE_OP(where, Where);

}  // namespace fastgd
