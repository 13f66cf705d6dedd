// The cells of recurrent networks: what one step makes of its gates, and the gradients on the way back.
#include "kernels/families.h"
#include "simd/activation.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// A function that is chosen at run time: through memory, since only the usual pair has code of its own.
template <class T>
struct Chosen {
  static FASTGD_INLINE Vec<T> value(Vec<T> x, Spec<T> p) {
    activation(p, kLanes<T>, reinterpret_cast<const T*>(&x), reinterpret_cast<T*>(&x));
    return x;
  }
  static FASTGD_INLINE Vec<T> gradient(Vec<T> y, Vec<T> d, Spec<T> p) {
    T* const at = reinterpret_cast<T*>(&d);
    activation_backward(p, kLanes<T>, reinterpret_cast<const T*>(&y), at, at);
    return d;
  }
};

// Calls body(gate function, state function, first element of a row of z, of `before`, of h and c, j, where) for all
// vectors of all rows.
template <class T, class Body>
FASTGD_INLINE void for_cells(const CellRows<T>& cell, Body body) {
  const auto walk = [&](auto gate, auto state) {
    for (Index i = 0; i < cell.rows; ++i)
      for_vectors<T>(cell.units, [&](Index j, auto where) {
        body(gate, state, i * cell.z_row + j, i * cell.before_row + j, i * cell.row + j, where);
      });
  };
  if (cell.gates.function == Activation::sigmoid && cell.state.function == Activation::tanh) {
    walk(Function<T, Activation::sigmoid>{}, Function<T, Activation::tanh>{});
  } else {
    walk(Chosen<T>{}, Chosen<T>{});
  }
}

template <class T>
void lstm(const CellRows<T>& cell, T* z, const T* before, T* c, T* h) {
  T *const zf = z + cell.gate, *const zg = zf + cell.gate, *const zo = zg + cell.gate;
  for_cells<T>(cell, [=](auto gate, auto state, Index at, Index old, Index j, auto where) {
    const Vec<T> in = gate.value(load(z + at, where), cell.gates);
    const Vec<T> keep = gate.value(load(zf + at, where), cell.gates);
    const Vec<T> fresh = state.value(load(zg + at, where), cell.state);
    const Vec<T> out = gate.value(load(zo + at, where), cell.gates);
    const Vec<T> carry = fma(in, fresh, keep * load(before + old, where));
    store<T>(z + at, in, where);
    store<T>(zf + at, keep, where);
    store<T>(zg + at, fresh, where);
    store<T>(zo + at, out, where);
    store<T>(c + j, carry, where);
    store<T>(h + j, out * state.value(carry, cell.state), where);
  });
}

template <class T>
void lstm_backward(const CellRows<T>& cell, T* z, const T* before, const T* dh, T* dc) {
  T *const zf = z + cell.gate, *const zg = zf + cell.gate, *const zo = zg + cell.gate;
  for_cells<T>(cell, [=](auto gate, auto state, Index at, Index last, Index j, auto where) {
    const Vec<T> in = load(z + at, where), keep = load(zf + at, where);
    const Vec<T> fresh = load(zg + at, where), out = load(zo + at, where);
    const Vec<T> old = load(before + last, where), d = load(dh + j, where);
    const Vec<T> y = state.value(fma(in, fresh, keep * old), cell.state);
    const Vec<T> carry = load(dc + j, where) + state.gradient(y, d * out, cell.state);
    store<T>(z + at, gate.gradient(in, carry * fresh, cell.gates), where);
    store<T>(zf + at, gate.gradient(keep, carry * old, cell.gates), where);
    store<T>(zg + at, state.gradient(fresh, carry * in, cell.state), where);
    store<T>(zo + at, gate.gradient(out, d * y, cell.gates), where);
    store<T>(dc + j, carry * keep, where);
  });
}

template <class T>
void gru(const CellRows<T>& cell, bool reset_after, T* z, const T* before, T* h) {
  T *const zr = z + cell.gate, *const zg = zr + cell.gate, *const zs = zg + cell.gate;
  for_cells<T>(cell, [=](auto gate, auto state, Index at, Index last, Index j, auto where) {
    Vec<T> keep = load(z + at, where), fresh = load(zg + at, where);
    if (reset_after) {
      keep = gate.value(keep, cell.gates);
      const Vec<T> reset = gate.value(load(zr + at, where), cell.gates);
      store<T>(z + at, keep, where);
      store<T>(zr + at, reset, where);
      fresh = fma(reset, load(zs + at, where), fresh);
    }
    fresh = state.value(fresh, cell.state);
    store<T>(zg + at, fresh, where);
    store<T>(h + j, fma(keep, load(before + last, where) - fresh, fresh), where);
  });
}

template <class T>
void gru_backward(const CellRows<T>& cell, bool reset_after, T* z, const T* before, T* dh) {
  T *const zr = z + cell.gate, *const zg = zr + cell.gate, *const zs = zg + cell.gate;
  for_cells<T>(cell, [=](auto gate, auto state, Index at, Index last, Index j, auto where) {
    const Vec<T> keep = load(z + at, where), fresh = load(zg + at, where), d = load(dh + j, where);
    const Vec<T> d_fresh = state.gradient(fresh, d * (T(1) - keep), cell.state);
    store<T>(z + at, gate.gradient(keep, d * (load(before + last, where) - fresh), cell.gates), where);
    store<T>(zg + at, d_fresh, where);
    if (reset_after) {
      const Vec<T> reset = load(zr + at, where), inner = load(zs + at, where);
      store<T>(zr + at, gate.gradient(reset, d_fresh * inner, cell.gates), where);
      store<T>(zs + at, d_fresh * reset, where);
    }
    store<T>(dh + j, d * keep, where);
  });
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                                       \
  void lstm_cell(const CellRows<T>& cell, T* z, const T* before, T* c, T* h) noexcept { lstm(cell, z, before, c, h); } \
  void lstm_cell_backward(const CellRows<T>& cell, T* z, const T* before, const T* dh, T* dc) noexcept {               \
    lstm_backward(cell, z, before, dh, dc);                                                                            \
  }                                                                                                                    \
  void gru_cell(const CellRows<T>& cell, bool reset_after, T* z, const T* before, T* h) noexcept {                     \
    gru(cell, reset_after, z, before, h);                                                                              \
  }                                                                                                                    \
  void gru_cell_backward(const CellRows<T>& cell, bool reset_after, T* z, const T* before, T* dh) noexcept {           \
    gru_backward(cell, reset_after, z, before, dh);                                                                    \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
