// lstm: a sequence through Long Short-Term Memory cells, the gates in the order i, f, c, o.
#include "ops/recurrent.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class Lstm final : public RecurrentOp<T> {
  using Base = RecurrentOp<T>;
  using typename Base::BackwardRoom;
  using typename Base::Block;
  using typename Base::Cell;
  using typename Base::ForwardRoom;

 public:
  explicit Lstm(const OpSetup& s) : Base(s, cell()) { this->parse_gates(s.attrs); }

 protected:
  void step(const Kernels<T>& k, const Block& b, const ForwardRoom& room) const noexcept override {
    this->multiply(k, 0, b, room);
    this->for_runs(b, [&](Index row, Index rows, T* sums) {
      const Index at = row * this->units();
      k.lstm_cell(this->functions_, rows, this->units(), sums, this->sums_width(), b.before + at, b.state + at,
                  b.h + at);
    });
  }

  void step_backward(const Kernels<T>& k, const Block& b, T* d_operands, const BackwardRoom& room,
                     bool wants_input) const noexcept override {
    this->for_runs(b, [&](Index row, Index rows, T* sums) {
      const Index at = row * this->units();
      k.lstm_cell_backward(this->functions_, rows, this->units(), sums, this->sums_width(), b.before + at, b.h + at,
                           b.state + at);
    });
    this->multiply_back(k, 0, b, d_operands, room, wants_input, false);
  }

 private:
  static Cell cell() {
    Cell c;
    c.gates = c.columns = 4, c.states = 2;
    c.sums = {{0, 4, 0, Base::kState, Base::kInput}};
    c.biases = {{0, 4, 0}};
    return c;
  }
};

}  // namespace

FASTGD_DEFINE_OP(lstm, Lstm);

}  // namespace fastgd
