// gru: a sequence through Gated Recurrent Units, the gates in the order z, r, h; the reset gate acts after the
// recurrent product or before it.
#include "ops/recurrent.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class Gru final : public RecurrentOp<T> {
  using Base = RecurrentOp<T>;
  using typename Base::BackwardRoom;
  using typename Base::Block;
  using typename Base::Cell;
  using typename Base::ForwardRoom;
  using typename Base::Share;

 public:
  explicit Gru(const OpSetup& s) : Base(s, cell(resets_after(s.attrs))), reset_after_(resets_after(s.attrs)) {
    this->parse_gates(s.attrs);
  }

 protected:
  void cells(const Kernels<T>& k, const CellRows<T>& cell, T* z, const T* before, T* h, T*) const noexcept override {
    k.gru_cell(cell, reset_after_, z, before, h);
  }

  void cells_backward(const Kernels<T>& k, const CellRows<T>& cell, T* z, const T* before, T* dh,
                      T*) const noexcept override {
    k.gru_cell_backward(cell, reset_after_, z, before, dh);
  }

  void step(const Kernels<T>& k, const Block& b, const ForwardRoom& room, const Share& own) const noexcept override {
    if (reset_after_) return Base::step(k, b, room, own);
    this->multiply(k, 0, b, room, own);
    this->for_runs(b, [&](Index row, Index rows, T* sums) {
      for (Index i = row; i < row + rows; ++i, sums += this->sums_width()) {
        T* const operands = b.operands + i * this->width();
        k.activation(this->functions_.gates, 2 * this->units(), sums, sums);
        product(k, sums + this->units(), operands, operands + this->offset(Base::kGated));
      }
    });
    this->multiply(k, 1, b, room, own);
    this->run_cells(k, b, own);
  }

  void step_backward(const Kernels<T>& k, const Block& b, T* d_operands, const BackwardRoom& room, bool wants_input,
                     const Share& own) const noexcept override {
    if (reset_after_) return Base::step_backward(k, b, d_operands, room, wants_input, own);
    this->run_cells_backward(k, b, own);
    this->multiply_back(k, 1, b, d_operands, room, wants_input, own, false);
    this->for_runs(b, [&](Index row, Index rows, T* sums) {
      for (Index i = row; i < row + rows; ++i, sums += this->sums_width()) {
        const T* const h = b.operands + i * this->width();
        T* const dh = d_operands + i * this->width();
        T* const gated = dh + this->offset(Base::kGated);
        T* const reset = sums + this->units();
        product(k, reset, gated, dh);
        product(k, h, gated, gated);
        k.activation_backward(this->functions_.gates, this->units(), reset, gated, gated);
        std::copy(gated, gated + this->units(), reset);
      }
    });
    this->multiply_back(k, 0, b, d_operands, room, wants_input, own, true);
  }

 private:
  static bool resets_after(const Attrs& attrs) { return attrs.flag("reset_after", true); }

  static Cell cell(bool reset_after) {
    Cell c;
    c.gates = 3, c.keeps_h = c.passes_h = true;
    if (reset_after) {
      c.columns = 4;
      c.sums = {{0, 2, 0, Base::kState, Base::kInput},
                {2, 1, 2, Base::kInput, Base::kInput},
                {3, 1, 2, Base::kState, Base::kState}};
      c.biases = {{0, 3, 0}, {0, 2, 3}, {3, 1, 5}};
    } else {
      c.columns = 3, c.gated = true;
      c.sums = {{0, 2, 0, Base::kState, Base::kInput}, {2, 1, 2, Base::kInput, Base::kGated}};
      c.biases = {{0, 3, 0}};
    }
    return c;
  }

  void product(const Kernels<T>& k, const T* a, const T* b, T* y) const noexcept {
    k.binary(Binary::multiply, {1, this->units(), {0, 0, 0}, {1, 1, 1}}, a, b, y);
  }

  bool reset_after_;
};

}  // namespace

FASTGD_DEFINE_OP(gru, Gru);

}  // namespace fastgd
