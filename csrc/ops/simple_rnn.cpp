// simple_rnn: a sequence through cells whose state is a function of x and the state before.
#include "ops/recurrent.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class SimpleRnn final : public RecurrentOp<T> {
  using Base = RecurrentOp<T>;
  using typename Base::BackwardRoom;
  using typename Base::Block;
  using typename Base::Cell;
  using typename Base::ForwardRoom;

 public:
  explicit SimpleRnn(const OpSetup& s) : Base(s, cell()) {}

 protected:
  void step(const Kernels<T>& k, const Block& b, const ForwardRoom& room) const noexcept override {
    this->multiply(k, 0, b, room);
    this->for_runs(b, [&](Index row, Index rows, T* sums) {
      const Index size = rows * this->units();
      k.activation(this->functions_.state, size, sums, sums);
      std::copy(sums, sums + size, b.h + row * this->units());
    });
  }

  void step_backward(const Kernels<T>& k, const Block& b, T* d_operands, const BackwardRoom& room,
                     bool wants_input) const noexcept override {
    this->for_runs(b, [&](Index row, Index rows, T* sums) {
      const Index size = rows * this->units();
      T* const dh = b.h + row * this->units();
      k.activation_backward(this->functions_.state, size, sums, dh, dh);
      std::copy(dh, dh + size, sums);
    });
    this->multiply_back(k, 0, b, d_operands, room, wants_input, false);
  }

 private:
  static Cell cell() {
    Cell c;
    c.sums = {{0, 1, 0, Base::kState, Base::kInput}};
    c.biases = {{0, 1, 0}};
    return c;
  }
};

}  // namespace

FASTGD_DEFINE_OP(simple_rnn, SimpleRnn);

}  // namespace fastgd
