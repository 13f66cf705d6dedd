// simple_rnn: a sequence through cells whose state is a function of x and the state before.
#include "ops/recurrent.h"
#include "ops/register.h"

namespace fastgd {
namespace {

template <class T>
class SimpleRnn final : public RecurrentOp<T> {
  using Base = RecurrentOp<T>;
  using typename Base::Cell;

 public:
  explicit SimpleRnn(const OpSetup& s) : Base(s, cell()) {}

 protected:
  void cells(const Kernels<T>& k, const CellRows<T>& cell, T* z, const T*, T* h, T*) const noexcept override {
    for (Index i = 0; i < cell.rows; ++i, z += cell.z_row, h += cell.row) {
      k.activation(cell.state, cell.units, z, z);
      std::copy(z, z + cell.units, h);
    }
  }

  void cells_backward(const Kernels<T>& k, const CellRows<T>& cell, T* z, const T*, T* dh, T*) const noexcept override {
    for (Index i = 0; i < cell.rows; ++i, z += cell.z_row, dh += cell.row) {
      k.activation_backward(cell.state, cell.units, z, dh, dh);
      std::copy(dh, dh + cell.units, z);
    }
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
