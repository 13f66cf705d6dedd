// Statistics by channel and what is done with them: batch and group normalisation. A channel is a column or a row.
#include "kernels/families.h"
#include "kernels/rows.h"

namespace fastgd::FASTGD_ISA_NAMESPACE {
namespace {

// Elements of a long row that are summed in T before their sum goes on in double.
constexpr Index kBlock = 1024;

FASTGD_INLINE Index least(Index a, Index b) { return a < b ? a : b; }

template <class T>
FASTGD_INLINE Index lanes_of(Whole) {
  return kLanes<T>;
}
template <class T>
FASTGD_INLINE Index lanes_of(Part part) {
  return part.count;
}

// The sum over the blocks of a row of f(begin, size), in double.
template <class F>
FASTGD_INLINE double sum_of_blocks(Index cols, F f) {
  double total = 0;
  for (Index j = 0; j < cols; j += kBlock) total += static_cast<double>(f(j, least(kBlock, cols - j)));
  return total;
}

// The second pass sums deviations from the rounded mean, and their sum, which would be 0 if nothing were rounded,
// corrects mean and squares.
template <class T>
void column_moments(Index rows, Index cols, const T* x, Index x_row, double* mean, double* m2) {
  for_vectors<T>(cols, [=](Index j, auto where) {
    Vec<T> total{}, rest{}, squares{};
    for (Index i = 0; i < rows; ++i) total += load(x + i * x_row + j, where);
    const Vec<T> center = total / static_cast<T>(rows);
    for (Index i = 0; i < rows; ++i) {
      const Vec<T> d = load(x + i * x_row + j, where) - center;
      rest += d;
      squares = fma(d, d, squares);
    }
    for (Index k = 0; k < lanes_of<T>(where); ++k) {
      const double r = static_cast<double>(rest[k]), n = static_cast<double>(rows);
      mean[j + k] = static_cast<double>(center[k]) + r / n;
      m2[j + k] = static_cast<double>(squares[k]) - r * r / n;
    }
  });
}

template <class T>
void row_moments(Index rows, Index cols, const T* x, Index x_row, double* mean, double* m2) {
  const double n = static_cast<double>(cols);
  for (Index i = 0; i < rows; ++i, x += x_row) {
    const double total = sum_of_blocks(cols, [=](Index from, Index size) {
      return row_sum<T>(size, [=](Index j, auto where) { return load(x + from + j, where); });
    });
    const T center = static_cast<T>(total / n);
    const double rest = sum_of_blocks(cols, [=](Index from, Index size) {
      return row_sum<T>(size, [=](Index j, auto where) { return load(x + from + j, where) - center; });
    });
    const double squares = sum_of_blocks(cols, [=](Index from, Index size) {
      return row_sum<T>(size, [=](Index j, auto where) {
        const Vec<T> d = load(x + from + j, where) - center;
        return d * d;
      });
    });
    mean[i] = static_cast<double>(center) + rest / n;
    m2[i] = squares - rest * rest / n;
  }
}

template <class T>
void column_products(Index rows, Index cols, const T* x, const T* dy, Index row, const T* mean, double* s1,
                     double* s2) {
  for_vectors<T>(cols, [=](Index j, auto where) {
    const Vec<T> center = load(mean + j, where);
    Vec<T> sum{}, product{};
    for (Index i = 0; i < rows; ++i) {
      const Vec<T> d = load(dy + i * row + j, where);
      sum += d;
      product = fma(d, load(x + i * row + j, where) - center, product);
    }
    for (Index k = 0; k < lanes_of<T>(where); ++k) {
      s1[j + k] = static_cast<double>(sum[k]);
      s2[j + k] = static_cast<double>(product[k]);
    }
  });
}

template <class T>
void row_products(Index rows, Index cols, const T* x, const T* dy, Index row, const T* mean, double* s1, double* s2) {
  for (Index i = 0; i < rows; ++i, x += row, dy += row) {
    const T center = mean[i];
    s1[i] = sum_of_blocks(cols, [=](Index from, Index size) {
      return row_sum<T>(size, [=](Index j, auto where) { return load(dy + from + j, where); });
    });
    s2[i] = sum_of_blocks(cols, [=](Index from, Index size) {
      return row_sum<T>(
          size, [=](Index j, auto where) { return load(dy + from + j, where) * (load(x + from + j, where) - center); });
    });
  }
}

// The coefficient for the elements from (i, j) on.
template <class T, Channels kChannels, class W>
FASTGD_INLINE Vec<T> coefficient(const T* of, Index i, Index j, W where) {
  if constexpr (kChannels == Channels::columns) return load(of + j, where);
  return splat<T>(of[i]);
}

template <class T, Channels kChannels>
void affine(Index rows, Index cols, const T* x, const T* dy, Index row, const ChannelLine<T>& line, T* y) {
  for (Index i = 0; i < rows; ++i, x += row, y += row) {
    for_vectors<T>(cols, [=](Index j, auto where) {
      const auto of = [=](const T* values) { return coefficient<T, kChannels>(values, i, j, where); };
      Vec<T> v = of(line.shift);
      // Without a slope the mean is not read, and x may be anything.
      if (line.slope != nullptr) v = fma(load(x + j, where) - of(line.mean), of(line.slope), v);
      if (dy != nullptr) v = fma(load(dy + i * row + j, where), of(line.factor), v);
      store<T>(y + j, v, where);
    });
  }
}

}  // namespace

#define FASTGD_DEFINE_KERNELS(T)                                                                                      \
  void channel_moments(Channels channels, Index rows, Index cols, const T* x, Index x_row, double* mean,              \
                       double* m2) noexcept {                                                                         \
    if (channels == Channels::columns) return column_moments(rows, cols, x, x_row, mean, m2);                         \
    row_moments(rows, cols, x, x_row, mean, m2);                                                                      \
  }                                                                                                                   \
  void channel_products(Channels channels, Index rows, Index cols, const T* x, const T* dy, Index row, const T* mean, \
                        double* s1, double* s2) noexcept {                                                            \
    if (channels == Channels::columns) return column_products(rows, cols, x, dy, row, mean, s1, s2);                  \
    row_products(rows, cols, x, dy, row, mean, s1, s2);                                                               \
  }                                                                                                                   \
  void channel_affine(Channels channels, Index rows, Index cols, const T* x, const T* dy, Index row,                  \
                      const ChannelLine<T>& line, T* y) noexcept {                                                    \
    if (channels == Channels::columns) return affine<T, Channels::columns>(rows, cols, x, dy, row, line, y);          \
    affine<T, Channels::rows>(rows, cols, x, dy, row, line, y);                                                       \
  }

FASTGD_DEFINE_KERNELS(float)
FASTGD_DEFINE_KERNELS(double)

}  // namespace fastgd::FASTGD_ISA_NAMESPACE
