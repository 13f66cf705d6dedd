// lstm: a sequence through Long Short-Term Memory cells, the gates in the order i, f, c, o.
#include "ops/recurrent.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class Lstm final : public RecurrentOp<T> {
  using Base = RecurrentOp<T>;
  using typename Base::Cell;

 public:
  explicit Lstm(const OpSetup& s) : Base(s, cell()) { this->parse_gates(s.attrs); }

 protected:
  void cells(const Kernels<T>& k, const CellRows<T>& cell, T* z, const T* before, T* h, T* c) const noexcept override {
    k.lstm_cell(cell, z, before, c, h);
  }

  void cells_backward(const Kernels<T>& k, const CellRows<T>& cell, T* z, const T* before, T* dh,
                      T* dc) const noexcept override {
    k.lstm_cell_backward(cell, z, before, dh, dc);
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
