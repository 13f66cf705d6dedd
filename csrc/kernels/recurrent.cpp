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

// Calls body(gate function, state function).
template <class T, class Body>
FASTGD_INLINE void with_functions(const CellFunctions<T>& f, Body body) {
  if (f.gates.function == Activation::sigmoid && f.state.function == Activation::tanh) {
    body(Function<T, Activation::sigmoid>{}, Function<T, Activation::tanh>{});
  } else {
    body(Chosen<T>{}, Chosen<T>{});
  }
}

template <class T>
void lstm_rows(const CellFunctions<T>& f, Index rows, Index u, T* z, Index z_row, const T* before, T* c, T* h) {
  with_functions<T>(f, [=](auto gate, auto state) {
    T *zi = z, *ci = c, *hi = h;
    const T* bi = before;
    for (Index i = 0; i < rows; ++i, zi += z_row, bi += u, ci += u, hi += u)
      for_vectors<T>(u, [=](Index j, auto where) {
        const Vec<T> in = gate.value(load(zi + j, where), f.gates);
        const Vec<T> keep = gate.value(load(zi + u + j, where), f.gates);
        const Vec<T> fresh = state.value(load(zi + 2 * u + j, where), f.state);
        const Vec<T> out = gate.value(load(zi + 3 * u + j, where), f.gates);
        const Vec<T> carry = fma(in, fresh, keep * load(bi + j, where));
        store<T>(zi + j, in, where);
        store<T>(zi + u + j, keep, where);
        store<T>(zi + 2 * u + j, fresh, where);
        store<T>(zi + 3 * u + j, out, where);
        store<T>(ci + j, carry, where);
        store<T>(hi + j, out * state.value(carry, f.state), where);
      });
  });
}

template <class T>
void lstm_rows_backward(const CellFunctions<T>& f, Index rows, Index u, T* z, Index z_row, const T* before, const T* dh,
                        T* dc) {
  with_functions<T>(f, [=](auto gate, auto state) {
    T *zi = z, *di = dc;
    const T *bi = before, *hi = dh;
    for (Index i = 0; i < rows; ++i, zi += z_row, bi += u, di += u, hi += u)
      for_vectors<T>(u, [=](Index j, auto where) {
        const Vec<T> in = load(zi + j, where), keep = load(zi + u + j, where);
        const Vec<T> fresh = load(zi + 2 * u + j, where), out = load(zi + 3 * u + j, where);
        const Vec<T> old = load(bi + j, where), d = load(hi + j, where);
        const Vec<T> y = state.value(fma(in, fresh, keep * old), f.state);
        const Vec<T> carry = load(di + j, where) + state.gradient(y, d * out, f.state);
        store<T>(zi + j, gate.gradient(in, carry * fresh, f.gates), where);
        store<T>(zi + u + j, gate.gradient(keep, carry * old, f.gates), where);
        store<T>(zi + 2 * u + j, state.gradient(fresh, carry * in, f.state), where);
        store<T>(zi + 3 * u + j, gate.gradient(out, d * y, f.gates), where);
        store<T>(di + j, carry * keep, where);
      });
  });
}

template <class T>
void gru_rows(const CellFunctions<T>& f, bool reset_after, Index rows, Index u, T* z, Index z_row, const T* before,
              Index before_row, T* h) {
  with_functions<T>(f, [=](auto gate, auto state) {
    T *zi = z, *hi = h;
    const T* bi = before;
    for (Index i = 0; i < rows; ++i, zi += z_row, bi += before_row, hi += u)
      for_vectors<T>(u, [=](Index j, auto where) {
        Vec<T> keep = load(zi + j, where), fresh = load(zi + 2 * u + j, where);
        if (reset_after) {
          keep = gate.value(keep, f.gates);
          const Vec<T> reset = gate.value(load(zi + u + j, where), f.gates);
          store<T>(zi + j, keep, where);
          store<T>(zi + u + j, reset, where);
          fresh = fma(reset, load(zi + 3 * u + j, where), fresh);
        }
        fresh = state.value(fresh, f.state);
        store<T>(zi + 2 * u + j, fresh, where);
        store<T>(hi + j, fma(keep, load(bi + j, where) - fresh, fresh), where);
      });
  });
}

template <class T>
void gru_rows_backward(const CellFunctions<T>& f, bool reset_after, Index rows, Index u, T* z, Index z_row,
                       const T* before, Index before_row, T* dh) {
  with_functions<T>(f, [=](auto gate, auto state) {
    T *zi = z, *hi = dh;
    const T* bi = before;
    for (Index i = 0; i < rows; ++i, zi += z_row, bi += before_row, hi += u)
      for_vectors<T>(u, [=](Index j, auto where) {
        const Vec<T> keep = load(zi + j, where), fresh = load(zi + 2 * u + j, where), d = load(hi + j, where);
        const Vec<T> d_fresh = state.gradient(fresh, d * (T(1) - keep), f.state);
        store<T>(zi + j, gate.gradient(keep, d * (load(bi + j, where) - fresh), f.gates), where);
        store<T>(zi + 2 * u + j, d_fresh, where);
        if (reset_after) {
          const Vec<T> reset = load(zi + u + j, where), inner = load(zi + 3 * u + j, where);
          store<T>(zi + u + j, gate.gradient(reset, d_fresh * inner, f.gates), where);
          store<T>(zi + 3 * u + j, d_fresh * reset, where);
        }
        store<T>(hi + j, d * keep, where);
      });
  });
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                                  \
  void lstm_cell(const CellFunctions<T>& f, Index rows, Index units, T* z, Index z_row, const T* before, T* c,    \
                 T* h) noexcept {                                                                                 \
    lstm_rows(f, rows, units, z, z_row, before, c, h);                                                            \
  }                                                                                                               \
  void lstm_cell_backward(const CellFunctions<T>& f, Index rows, Index units, T* z, Index z_row, const T* before, \
                          const T* dh, T* dc) noexcept {                                                          \
    lstm_rows_backward(f, rows, units, z, z_row, before, dh, dc);                                                 \
  }                                                                                                               \
  void gru_cell(const CellFunctions<T>& f, bool reset_after, Index rows, Index units, T* z, Index z_row,          \
                const T* before, Index before_row, T* h) noexcept {                                               \
    gru_rows(f, reset_after, rows, units, z, z_row, before, before_row, h);                                       \
  }                                                                                                               \
  void gru_cell_backward(const CellFunctions<T>& f, bool reset_after, Index rows, Index units, T* z, Index z_row, \
                         const T* before, Index before_row, T* dh) noexcept {                                     \
    gru_rows_backward(f, reset_after, rows, units, z, z_row, before, before_row, dh);                             \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
