// Compares the kernels that work on rows (softmax, losses, metrics) of every tier this processor has with plain loops
// in double, and checks that cutting the rows anywhere gives the same bits and touches nothing outside them.
#include "kernel_tester.h"

namespace {

using namespace fastgd;

constexpr double kEpsilon = 1e-3, kSmoothing = 0.125, kDelta = 0.25;

double clip(double r) { return std::min(1 - kEpsilon, std::max(kEpsilon, r)); }
bool is_free(double r) { return r >= kEpsilon && r <= 1 - kEpsilon; }

// The rows of one call and what the formulas need of them, in double.
template <class T>
struct Rows {
  Tester<T> test;
  Index count, cols;
  std::vector<T> z, p, t, dv;
  std::vector<std::int32_t> label;

  Rows(Tester<T> tester, Index rows, Index width) : test(tester), count(rows), cols(width) {
    z = test.random(rows * cols, -4, 4);
    p = test.random(rows * cols, 0.01, 0.98);
    t = test.random(rows * cols, 0, 1);
    dv = test.random(rows, -1, 1);
    for (Index i = 0; i < rows; ++i) label.push_back(static_cast<std::int32_t>((i * 7) % cols));
    if (rows > 5) label[3] = -1, label[5] = static_cast<std::int32_t>(cols);
    // Some that are clipped, and some hits for the metrics.
    for (std::size_t i = 0; i < p.size(); i += 3) p[i] = i % 2 ? T(1e-5) : T(0.9999), t[i] = i % 2 ? T(0) : T(1);
  }

  template <class F>
  double total(Index row, F f) const {
    double s = 0;
    for (Index i = row * cols; i < (row + 1) * cols; ++i) s += f(i);
    return s;
  }
  double most(const std::vector<T>& x, Index row) const {
    return *std::max_element(x.begin() + row * cols, x.begin() + (row + 1) * cols);
  }
  Index argmax(const std::vector<T>& x, Index row) const {
    return std::max_element(x.begin() + row * cols, x.begin() + (row + 1) * cols) - (x.begin() + row * cols);
  }
  double sum_exp(Index row) const {
    return total(row, [&](Index i) { return std::exp(z[i] - most(z, row)); });
  }
  double target(Index i, double parts) const { return t[i] * (1 - kSmoothing) + kSmoothing / parts; }
  double one_hot(Index i) const {
    const std::int32_t own = label[i / cols];
    return own < 0 || own >= cols ? std::nan("") : double(own == i % cols);
  }

  double units() const { return 32 + 4.0 * static_cast<double>(cols); }
  // A kernel with one value per row, and one with a value per element.
  template <class F, class G>
  void per_row(const char* name, F kernel, G want) {
    test.expect(name, count, 1, [&](Index b, Index e, T* v) { kernel(b, e - b, b * cols, v + b); }, want, units());
  }
  template <class F, class G>
  void per_element(const char* name, F kernel, G want) {
    test.expect(
        name, count, cols, [&](Index b, Index e, T* y) { kernel(b, e - b, b * cols, y + b * cols); }, want, units());
  }
};

template <class T>
void softmax(Rows<T> r) {
  const auto& k = r.test.k;
  r.per_element(
      "softmax", [&](Index, Index n, Index at, T* y) { k.softmax(n, r.cols, r.z.data() + at, y); },
      [&](Index i) { return std::exp(r.z[i] - r.most(r.z, i / r.cols)) / r.sum_exp(i / r.cols); });
  r.per_element(
      "softmax_backward",
      [&](Index, Index n, Index at, T* dx) { k.softmax_backward(n, r.cols, r.p.data() + at, r.t.data() + at, dx); },
      [&](Index i) {
        return r.p[i] * (r.t[i] - r.total(i / r.cols, [&](Index j) { return double(r.p[j]) * r.t[j]; }));
      });
  const auto log_share = [&](Index i) { return r.z[i] - r.most(r.z, i / r.cols) - std::log(r.sum_exp(i / r.cols)); };
  r.per_element(
      "log_softmax", [&](Index, Index n, Index at, T* y) { k.log_softmax(n, r.cols, r.z.data() + at, y); }, log_share);
  // For outputs at most 0, as they are.
  std::vector<T> y(r.p);
  for (T& v : y) v = -v;
  r.per_element(
      "log_softmax_backward",
      [&](Index, Index n, Index at, T* dx) { k.log_softmax_backward(n, r.cols, y.data() + at, r.t.data() + at, dx); },
      [&](Index i) {
        return r.t[i] - std::exp(double(y[i])) * r.total(i / r.cols, [&](Index j) { return double(r.t[j]); });
      });
}

template <class T>
LossNumbers<T> loss_numbers() {
  LossNumbers<T> with;
  with.epsilon = T(kEpsilon), with.label_smoothing = T(kSmoothing), with.delta = T(kDelta);
  with.alpha = T(0.75), with.gamma = T(1.5), with.balanced = true, with.sign = -1;
  return with;
}

// The term of one element.
double term(LossFunction f, double p, double t, double smooth) {
  const double d = std::fabs(p - t);
  const double entropy = -(smooth * std::log(clip(p)) + (1 - smooth) * std::log(1 - clip(p)));
  switch (f) {
    case LossFunction::mean_squared_error:
      return d * d;
    case LossFunction::mean_absolute_error:
      return d;
    case LossFunction::mean_absolute_percentage_error:
      return 100 * d / std::max(std::fabs(t), kEpsilon);
    case LossFunction::mean_squared_logarithmic_error:
      return std::pow(std::log(std::max(p, kEpsilon) + 1) - std::log(std::max(t, kEpsilon) + 1), 2);
    case LossFunction::huber:
      return d <= kDelta ? d * d / 2 : kDelta * d - kDelta * kDelta / 2;
    case LossFunction::log_cosh:
      return std::log(std::cosh(p - t));
    case LossFunction::poisson:
      return p - t * std::log(p + kEpsilon);
    case LossFunction::hinge:
      return std::max(0.0, 1 - t * p);
    case LossFunction::squared_hinge:
      return std::pow(std::max(0.0, 1 - t * p), 2);
    case LossFunction::binary_focal_crossentropy:
      return (smooth * 0.75 + (1 - smooth) * 0.25) * std::pow(smooth * (1 - p) + (1 - smooth) * p, 1.5) * entropy;
    default:
      return entropy;
  }
}

template <class T>
void pointwise(Rows<T> r) {
  const auto& k = r.test.k;
  const T smooth = T(kSmoothing);
  const LossNumbers<T> with = loss_numbers<T>();
  const double c = static_cast<double>(r.cols);
  const auto share = [&](Index i) { return r.dv[i / r.cols] / c; };
  const auto mean = [&](auto f) { return [&r, f, c](Index row) { return r.total(row, f) / c; }; };
#define FASTGD_CHECK_LOSS(name, ...)                                                                \
  r.per_row(                                                                                        \
      #name,                                                                                        \
      [&](Index, Index n, Index at, T* v) {                                                         \
        k.pointwise_loss(LossFunction::name, with, n, r.cols, r.p.data() + at, r.t.data() + at, v); \
      },                                                                                            \
      mean([&](Index i) { return term(LossFunction::name, r.p[i], r.t[i], r.target(i, 2)); }));
  FASTGD_POINTWISE_LOSSES(FASTGD_CHECK_LOSS)
#undef FASTGD_CHECK_LOSS
  const auto slope = [&](const char* name, LossFunction f, auto want) {
    r.per_element(
        name,
        [&](Index b, Index n, Index at, T* y) {
          k.pointwise_loss_backward(f, with, n, r.cols, r.p.data() + at, r.t.data() + at, r.dv.data() + b, y);
        },
        [&](Index i) { return share(i) * want(i); });
  };
  slope("mean_squared_error_backward", LossFunction::mean_squared_error,
        [&](Index i) { return 2 * (double(r.p[i]) - r.t[i]); });
  slope("mean_absolute_error_backward", LossFunction::mean_absolute_error,
        [&](Index i) { return double((r.p[i] > r.t[i]) - (r.p[i] < r.t[i])); });
  slope("binary_crossentropy_backward", LossFunction::binary_crossentropy, [&](Index i) {
    const double p = r.p[i];
    return is_free(p) ? (p - r.target(i, 2)) / (p * (1 - p)) : 0;
  });
  const auto sigmoid = [&](Index i) { return 1 / (1 + std::exp(-double(r.z[i]))); };
  std::vector<T> spare(r.z.size() + 1);
  r.per_row(
      "sigmoid_crossentropy",
      [&](Index, Index n, Index at, T* v) {
        k.sigmoid_crossentropy(n, r.cols, smooth, r.z.data() + at, r.t.data() + at, v, spare.data() + at);
      },
      mean([&](Index i) {
        return std::max<double>(r.z[i], 0) - r.z[i] * r.target(i, 2) + std::log1p(std::exp(-std::fabs(double(r.z[i]))));
      }));
  r.per_element(
      "sigmoid_crossentropy p",
      [&](Index b, Index n, Index at, T* p) {
        k.sigmoid_crossentropy(n, r.cols, smooth, r.z.data() + at, r.t.data() + at, spare.data() + b, p);
      },
      sigmoid);
  r.per_element(
      "sigmoid_crossentropy_backward",
      [&](Index b, Index n, Index at, T* y) {
        k.sigmoid_crossentropy_backward(n, r.cols, smooth, r.p.data() + at, r.t.data() + at, r.dv.data() + b, y);
      },
      [&](Index i) { return share(i) * (r.p[i] - r.target(i, 2)); });
}

template <class T>
void categorical(Rows<T> r) {
  const auto& k = r.test.k;
  const T eps = T(kEpsilon), smooth = T(kSmoothing);
  const LossNumbers<T> with = loss_numbers<T>();
  const double c = static_cast<double>(r.cols);
  const auto sum_p = [&](Index row) { return r.total(row, [&](Index i) { return double(r.p[i]); }); };
  const auto part = [&](Index i) { return r.p[i] / sum_p(i / r.cols); };
  const auto dense = [&](Index i) { return r.target(i, c); };
  const auto hot = [&](Index i) { return r.one_hot(i); };
  const auto entropy = [&](auto target) {
    return
        [&, target](Index row) { return -r.total(row, [&](Index i) { return target(i) * std::log(clip(part(i))); }); };
  };
  const auto entropy_slope = [&](auto target) {
    return [&, target](Index i) {
      const double pull = r.total(i / r.cols, [&](Index j) { return is_free(part(j)) ? target(j) : 0 * target(j); });
      return r.dv[i / r.cols] * (pull / sum_p(i / r.cols) - (is_free(part(i)) ? target(i) / r.p[i] : 0));
    };
  };
  const auto logits = [&](auto target) {
    return [&, target](Index row) {
      return r.total(row, [&](Index i) { return target(i) * (r.most(r.z, row) + std::log(r.sum_exp(row)) - r.z[i]); });
    };
  };
  const auto logits_slope = [&](auto target) {
    return [&, target](Index i) { return r.dv[i / r.cols] * (r.p[i] * r.total(i / r.cols, target) - target(i)); };
  };
  const auto probability = [&](Index i) { return std::exp(r.z[i] - r.most(r.z, i / r.cols)) / r.sum_exp(i / r.cols); };
  std::vector<T> spare(r.z.size() + 1);
  r.per_row(
      "categorical_crossentropy",
      [&](Index, Index n, Index at, T* v) {
        k.vector_loss(LossFunction::categorical_crossentropy, with, n, r.cols, r.p.data() + at, r.t.data() + at, v);
      },
      entropy(dense));
  r.per_element(
      "categorical_crossentropy_backward",
      [&](Index b, Index n, Index at, T* y) {
        k.vector_loss_backward(LossFunction::categorical_crossentropy, with, n, r.cols, r.p.data() + at,
                               r.t.data() + at, r.dv.data() + b, y);
      },
      entropy_slope(dense));
  r.per_row(
      "sparse_categorical_crossentropy",
      [&](Index b, Index n, Index at, T* v) {
        k.sparse_categorical_crossentropy(n, r.cols, kNoLabel, eps, r.p.data() + at, r.label.data() + b, v);
      },
      entropy(hot));
  r.per_element(
      "sparse_categorical_crossentropy_backward",
      [&](Index b, Index n, Index at, T* y) {
        k.sparse_categorical_crossentropy_backward(n, r.cols, kNoLabel, eps, r.p.data() + at, r.label.data() + b,
                                                   r.dv.data() + b, y);
      },
      entropy_slope(hot));
  r.per_row(
      "softmax_crossentropy",
      [&](Index, Index n, Index at, T* v) {
        k.softmax_crossentropy(n, r.cols, smooth, r.z.data() + at, r.t.data() + at, v, spare.data() + at);
      },
      logits(dense));
  r.per_element(
      "softmax_crossentropy p",
      [&](Index b, Index n, Index at, T* p) {
        k.softmax_crossentropy(n, r.cols, smooth, r.z.data() + at, r.t.data() + at, spare.data() + b, p);
      },
      probability);
  r.per_element(
      "softmax_crossentropy_backward",
      [&](Index b, Index n, Index at, T* y) {
        k.softmax_crossentropy_backward(n, r.cols, smooth, r.p.data() + at, r.t.data() + at, r.dv.data() + b, y);
      },
      logits_slope(dense));
  r.per_row(
      "sparse_softmax_crossentropy",
      [&](Index b, Index n, Index at, T* v) {
        k.sparse_softmax_crossentropy(n, r.cols, kNoLabel, r.z.data() + at, r.label.data() + b, v, spare.data() + at);
      },
      logits(hot));
  r.per_element(
      "sparse_softmax_crossentropy p",
      [&](Index b, Index n, Index at, T* p) {
        k.sparse_softmax_crossentropy(n, r.cols, kNoLabel, r.z.data() + at, r.label.data() + b, spare.data() + b, p);
      },
      probability);
  r.per_element(
      "sparse_softmax_crossentropy_backward",
      [&](Index b, Index n, Index at, T* y) {
        k.sparse_softmax_crossentropy_backward(n, r.cols, kNoLabel, r.p.data() + at, r.label.data() + b,
                                               r.dv.data() + b, y);
      },
      logits_slope(hot));
}

template <class T>
void metrics(Rows<T> r) {
  const auto& k = r.test.k;
  const double c = static_cast<double>(r.cols);
  for (T& v : r.p) v = std::round(4 * v) / 4;  // so that maxima repeat
  r.per_row(
      "accuracy", [&](Index, Index n, Index at, T* v) { k.accuracy(n, r.cols, r.p.data() + at, r.t.data() + at, v); },
      [&](Index row) { return r.total(row, [&](Index i) { return double(r.p[i] == r.t[i]); }) / c; });
  r.per_row(
      "binary_accuracy",
      [&](Index, Index n, Index at, T* v) {
        k.binary_accuracy(n, r.cols, T(0.5), r.p.data() + at, r.t.data() + at, v);
      },
      [&](Index row) { return r.total(row, [&](Index i) { return double((r.p[i] > T(0.5)) == r.t[i]); }) / c; });
  r.per_row(
      "categorical_accuracy",
      [&](Index, Index n, Index at, T* v) { k.categorical_accuracy(n, r.cols, r.p.data() + at, r.t.data() + at, v); },
      [&](Index row) { return double(r.argmax(r.p, row) == r.argmax(r.t, row)); });
  r.per_row(
      "sparse_categorical_accuracy",
      [&](Index b, Index n, Index at, T* v) {
        k.sparse_categorical_accuracy(n, r.cols, r.p.data() + at, r.label.data() + b, v);
      },
      [&](Index row) { return double(r.argmax(r.p, row) == r.label[row]); });
}

}  // namespace

int main() {
  return run_tests([]<class T>(Tester<T> test) {
    for (const Index rows : {0, 1, 7, 17, 33})
      for (const Index cols : {1, 2, 5, 10, 15, 16, 17, 33, 65}) {
        const Rows<T> data(test, rows, cols);
        softmax(data), pointwise(data), categorical(data), metrics(data);
      }
  });
}
