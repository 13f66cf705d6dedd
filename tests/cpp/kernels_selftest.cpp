// Compares the kernels that work on elements, data and products, of every tier this processor has, with plain loops in
// double, and checks that cutting the work anywhere gives the same bits and touches nothing outside it.
#include "base/random.h"
#include "kernel_tester.h"

namespace {

using namespace fastgd;

// What the kernels compute, by the C library.
struct Reference {
  Activation function;
  std::function<double(double)> value;
  std::function<double(double)> slope;  // from the output or the input, as the list says
  double a = 0, b = 0, c = 0;
};

double normal_share(double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }
double logistic(double x) { return 1 / (1 + std::exp(-x)); }

const Reference kActivations[] = {
    {Activation::linear, [](double x) { return x; }, [](double) { return 1.0; }},
    {Activation::sigmoid, logistic, [](double y) { return y * (1 - y); }},
    {Activation::tanh, [](double x) { return std::tanh(x); }, [](double y) { return 1 - y * y; }},
    {Activation::relu, [](double x) { return std::max(x, 0.0); }, [](double y) { return y > 0 ? 1.0 : 0.0; }},
    {Activation::leaky_relu, [](double x) { return x >= 0 ? x : 0.25 * x; }, [](double y) { return y > 0 ? 1 : 0.25; },
     0.25},
    {Activation::elu, [](double x) { return x > 0 ? x : 0.5 * std::expm1(x); },
     [](double y) { return y > 0 ? 1 : y + 0.5; }, 0.5},
    {Activation::softplus, [](double x) { return std::log1p(std::exp(x)); }, [](double y) { return -std::expm1(-y); }},
    {Activation::silu, [](double x) { return x * logistic(x); },
     [](double x) { return logistic(x) * (1 + x * logistic(-x)); }},
    {Activation::gelu, [](double x) { return x * normal_share(x); },
     [](double x) { return normal_share(x) + x * std::exp(-x * x / 2) / std::sqrt(2 * std::acos(-1.0)); }},
};

template <class T>
void elementwise(Tester<T> test, Index n) {
  const std::vector<T> x = Tester<T>::random(n, -9, 9), g = Tester<T>::random(n, -1, 1),
                       w = Tester<T>::random(n, -1, 1), v0 = Tester<T>::random(n, 0, 1),
                       positive = Tester<T>::random(n, 0.001, 9);
  const auto unary = [&](const char* name, auto kernel, const std::vector<T>& a, auto f) {
    test.expect(
        name, n, 1, [&](Index b, Index e, T* y) { kernel(e - b, a.data() + b, y + b); },
        [&](Index i) { return f(static_cast<double>(a[i])); });
  };
  unary("exp", test.k.exp, g, [](double a) { return std::exp(a); });
  unary("log", test.k.log, positive, [](double a) { return std::log(a); });
  unary("tanh", test.k.tanh, x, [](double a) { return std::tanh(a); });
  unary("sigmoid", test.k.sigmoid, x, [](double a) { return 1 / (1 + std::exp(-a)); });
  for (const Reference& f : kActivations) {
    const ActivationSpec<T> spec{f.function, T(f.a), T(f.b), T(f.c)};
    unary("activation", [&](Index c, const T* a, T* y) { test.k.activation(spec, c, a, y); }, x, f.value);
    // Outputs of softplus are positive; the other derivatives stand for any number.
    const std::vector<T>& v = f.function == Activation::softplus ? positive : w;
    test.expect(
        "activation_backward", n, 1,
        [&](Index b, Index e, T* dx) { test.k.activation_backward(spec, e - b, v.data() + b, g.data() + b, dx + b); },
        [&](Index i) { return g[i] * f.slope(static_cast<double>(v[i])); });
  }
  test.expect(
      "add", n, 1, [&](Index b, Index e, T* y) { test.k.add(e - b, x.data() + b, g.data() + b, y + b); },
      [&](Index i) { return double(x[i]) + g[i]; });
  test.expect(
      "fill", n, 1, [&](Index b, Index e, T* y) { test.k.fill(e - b, T(0.7), y + b); },
      [](Index) { return double(T(0.7)); });
  test.expect(
      "triad", n, 1, [&](Index b, Index e, T* y) { test.k.triad(e - b, T(3), x.data() + b, g.data() + b, y + b); },
      [&](Index i) { return x[i] + 3.0 * g[i]; });

  test.expect(
      "sgd", n, 1, [&](Index b, Index e, T* y) { test.k.sgd(e - b, T(0.1), g.data() + b, y + b); },
      [&](Index i) { return w[i] - double(T(0.1)) * g[i]; }, 16, w);
  for (const bool nesterov : {false, true}) {
    const auto speed = [&](Index i) { return double(T(0.9)) * v0[i] - double(T(0.1)) * g[i]; };
    std::vector<T> spare;
    test.expect(
        "momentum w", n, 1,
        [&](Index b, Index e, T* y) {
          spare = v0;
          test.k.momentum(e - b, T(0.1), T(0.9), nesterov, g.data() + b, y + b, spare.data() + b);
        },
        [&](Index i) { return w[i] + (nesterov ? double(T(0.9)) * speed(i) - double(T(0.1)) * g[i] : speed(i)); }, 16,
        w);
    test.expect(
        "momentum v", n, 1,
        [&](Index b, Index e, T* y) {
          spare = w;
          test.k.momentum(e - b, T(0.1), T(0.9), nesterov, g.data() + b, spare.data() + b, y + b);
        },
        speed, 16, v0);
  }
  const auto adam_m = [&](Index i) { return x[i] + (double(g[i]) - x[i]) * double(T(0.1)); };
  const auto adam_v = [&](Index i) { return v0[i] + (double(g[i]) * g[i] - v0[i]) * double(T(0.01)); };
  std::vector<T> a1, a2;
  const auto adam = [&](Index b, Index e, T* w1, T* m1, T* v1) {
    test.k.adam(e - b, T(0.1), T(0.1), T(0.01), T(1e-7), g.data() + b, w1 + b, m1 + b, v1 + b);
  };
  test.expect(
      "adam w", n, 1,
      [&](Index b, Index e, T* y) {
        a1 = x, a2 = v0;
        adam(b, e, y, a1.data(), a2.data());
      },
      [&](Index i) { return w[i] - double(T(0.1)) * adam_m(i) / (std::sqrt(adam_v(i)) + 1e-7); }, 200, w);
  test.expect(
      "adam m", n, 1,
      [&](Index b, Index e, T* y) {
        a1 = w, a2 = v0;
        adam(b, e, a1.data(), y, a2.data());
      },
      adam_m, 16, x);
  test.expect(
      "adam v", n, 1,
      [&](Index b, Index e, T* y) {
        a1 = w, a2 = x;
        adam(b, e, a1.data(), a2.data(), y);
      },
      adam_v, 16, v0);

  // Steps with gradient 0, several at once, which have to give the bits of as many steps.
  const std::vector<T> zeros(static_cast<std::size_t>(n)), rates{T(0.1), T(0.05), T(-0.2)};
  std::vector<T> w_each = w, m_each = x, v_each = v0;
  for (const T each : rates)
    test.k.adam(n, each, T(0.1), T(0.01), T(1e-7), zeros.data(), w_each.data(), m_each.data(), v_each.data());
  const auto rested = [&](const std::string& name, int which, const std::vector<T>& want, const std::vector<T>& start) {
    test.expect(
        name, n, 1,
        [&](Index b, Index e, T* y) {
          std::vector<T> w1 = w, m1 = x, v1 = v0;
          T* const at[] = {which == 0 ? y : w1.data(), which == 1 ? y : m1.data(), which == 2 ? y : v1.data()};
          test.k.adam_rest(e - b, 3, rates.data(), T(0.1), T(0.01), T(1e-7), at[0] + b, at[1] + b, at[2] + b);
        },
        [&](Index i) { return want[i]; }, 0, start);
  };
  rested("adam_rest w", 0, w_each, w);
  rested("adam_rest m", 1, m_each, x);
  rested("adam_rest v", 2, v_each, v0);

  // The other rules: their parameters, and the last slot each, which no other formula checks.
  const auto rule = [&](const std::string& name, const auto& run, const auto& want_w, const auto& want_slot) {
    std::vector<T> s0, s1, s2, spare;
    const auto start = [&] { s0 = x, s1 = v0, s2 = v0, spare = w; };
    test.expect(
        name + " w", n, 1,
        [&](Index b, Index e, T* y) {
          start();
          run(b, e, y + b, s0.data() + b, s1.data() + b, s2.data() + b);
        },
        want_w, 400, w);
    test.expect(
        name + " slot", n, 1,
        [&](Index b, Index e, T* y) {
          start();
          run(b, e, spare.data() + b, s0.data() + b, y + b, s2.data() + b);
        },
        want_slot, 400, v0);
  };
  const double rate = T(0.1), rest = T(0.1), rest_2 = T(0.01), epsilon = T(1e-3), beta = T(0.9);
  const auto square = [&](Index i) { return v0[i] + (double(g[i]) * g[i] - v0[i]) * rest; };
  rule(
      "amsgrad",
      [&](Index b, Index e, T* w1, T* s0, T* s1, T* s2) {
        test.k.amsgrad(e - b, T(0.1), T(0.1), T(0.01), T(1e-3), g.data() + b, w1, s0, s2, s1);
      },
      [&](Index i) { return w[i] - rate * adam_m(i) / (std::sqrt(std::fmax(v0[i], adam_v(i))) + epsilon); },
      [&](Index i) { return std::fmax(v0[i], adam_v(i)); });
  const auto largest = [&](Index i) { return std::fmax(beta * v0[i], std::fabs(double(g[i]))); };
  rule(
      "adamax",
      [&](Index b, Index e, T* w1, T* s0, T* s1, T*) {
        test.k.adamax(e - b, T(0.1), T(0.1), T(0.9), T(1e-3), g.data() + b, w1, s0, s1);
      },
      [&](Index i) { return w[i] - rate * adam_m(i) / (largest(i) + epsilon); }, largest);
  rule(
      "nadam",
      [&](Index b, Index e, T* w1, T* s0, T* s1, T*) {
        test.k.nadam(e - b, T(0.1), T(0.9), T(0.1), T(0.01), T(2), T(1e-3), g.data() + b, w1, s0, s1);
      },
      [&](Index i) { return w[i] - (rate * adam_m(i) + beta * g[i]) / (2 * std::sqrt(adam_v(i)) + epsilon); }, adam_v);
  rule(
      "lion",
      [&](Index b, Index e, T* w1, T*, T* s1, T*) {
        test.k.lion(e - b, T(0.1), T(0.9), T(0.1), T(0.01), g.data() + b, w1, s1);
      },
      [&](Index i) { return w[i] - std::copysign(rate, beta * v0[i] + rest * g[i]); },
      [&](Index i) { return v0[i] + (double(g[i]) - v0[i]) * rest_2; });
  for (const bool centered : {false, true}) {
    // With the mean of the gradient in s0 = x, smaller than the root of v0 or not: both sides of the bound.
    const auto step = [&](Index i) {
      const double inside = centered ? std::fmax(square(i) - adam_m(i) * adam_m(i), 0) : square(i);
      return rate * g[i] / std::sqrt(inside + 0.5);
    };
    rule(
        centered ? "rmsprop centered" : "rmsprop",
        [&](Index b, Index e, T* w1, T* s0, T* s1, T*) {
          test.k.rmsprop(e - b, T(0.1), T(0.1), T(0.9), T(0.5), g.data() + b, w1, s1, centered ? s0 : nullptr, nullptr);
        },
        [&](Index i) { return w[i] - step(i); }, square);
    rule(
        centered ? "rmsprop centered speed" : "rmsprop speed",
        [&](Index b, Index e, T* w1, T* s0, T* s1, T* s2) {
          test.k.rmsprop(e - b, T(0.1), T(0.1), T(0.9), T(0.5), g.data() + b, w1, s2, centered ? s0 : nullptr, s1);
        },
        [&](Index i) { return w[i] - (beta * v0[i] + step(i)); }, [&](Index i) { return beta * v0[i] + step(i); });
  }
  const auto total = [&](Index i) { return v0[i] + double(g[i]) * g[i]; };
  rule(
      "adagrad",
      [&](Index b, Index e, T* w1, T*, T* s1, T*) { test.k.adagrad(e - b, T(0.1), T(1e-3), g.data() + b, w1, s1); },
      [&](Index i) { return w[i] - rate * g[i] / std::sqrt(total(i) + epsilon); }, total);
  const auto stride = [&](Index i) { return std::sqrt(v0[i] + 0.5) / std::sqrt(square(i) + 0.5) * g[i]; };
  rule(
      "adadelta",
      [&](Index b, Index e, T* w1, T*, T* s1, T* s2) {
        test.k.adadelta(e - b, T(0.1), T(0.1), T(0.5), g.data() + b, w1, s2, s1);
      },
      [&](Index i) { return w[i] - rate * stride(i); },
      [&](Index i) { return v0[i] + (stride(i) * stride(i) - v0[i]) * rest; });
  const auto pull = [&](Index i) {
    return x[i] + g[i] + 2 * rest * w[i] - (std::sqrt(total(i)) - std::sqrt(double(v0[i]))) * 3 * w[i];
  };
  rule(
      "ftrl",
      [&](Index b, Index e, T* w1, T* s0, T* s1, T*) {
        test.k.ftrl(e - b, T(3), T(0.5), T(0.25), T(0.5), T(0.1), g.data() + b, w1, s1, s0);
      },
      [&](Index i) { return (std::clamp(pull(i), -0.25, 0.25) - pull(i)) / (3 * std::sqrt(total(i)) + 1); }, total);
  test.expect(
      "scale", n, 1, [&](Index b, Index e, T* y) { test.k.scale(e - b, T(0.1), g.data() + b, y + b); },
      [&](Index i) { return rate * g[i]; });
  test.expect(
      "clip", n, 1, [&](Index b, Index e, T* y) { test.k.clip(e - b, T(0.5), g.data() + b, y + b); },
      [&](Index i) { return std::clamp(double(g[i]), -0.5, 0.5); });
  test.expect(
      "average", n, 1, [&](Index b, Index e, T* y) { test.k.average(e - b, T(0.9), T(0.1), g.data() + b, y + b); },
      [&](Index i) { return beta * w[i] + rest * g[i]; }, 16, w);
  double squares = 0;
  for (Index i = 0; i < n; ++i) squares += double(g[i]) * g[i];
  if (std::abs(test.k.sum_of_squares(n, g.data()) - squares) > 1e-14 * squares)
    test.fail("sum_of_squares", n, 1, 0, test.k.sum_of_squares(n, g.data()), squares);
  test.expect(
      "decay", n, 1, [&](Index b, Index e, T* y) { test.k.decay(e - b, T(0.1), y + b); },
      [&](Index i) { return w[i] - rate * w[i]; }, 16, w);

  // Nothing moves, and nothing becomes NaN, where there are only zeros to divide by.
  const std::vector<T> none(static_cast<std::size_t>(n), T(0));
  using Four = std::array<std::vector<T>, 4>;
  const auto still = [&](const std::string& name, const auto& run) {
    test.expect(
        name + " of zeros", n, 1,
        [&](Index b, Index e, T* y) {
          Four s{none, none, none, none};
          run(e - b, none.data(), y + b, s[0].data(), s[1].data(), s[2].data());
        },
        [](Index) { return 0.0; }, 0, none);
  };
  const T r(0.1), zero(0);
  still("adam", [&](Index m, const T* g0, T* y, T* a, T* b, T*) { test.k.adam(m, r, r, r, zero, g0, y, a, b); });
  still("amsgrad",
        [&](Index m, const T* g0, T* y, T* a, T* b, T* c) { test.k.amsgrad(m, r, r, r, zero, g0, y, a, b, c); });
  still("adamax", [&](Index m, const T* g0, T* y, T* a, T* b, T*) { test.k.adamax(m, r, r, r, zero, g0, y, a, b); });
  still("nadam",
        [&](Index m, const T* g0, T* y, T* a, T* b, T*) { test.k.nadam(m, r, r, r, r, r, zero, g0, y, a, b); });
  still("lion", [&](Index m, const T* g0, T* y, T* a, T*, T*) { test.k.lion(m, r, r, r, r, g0, y, a); });
  still("rmsprop",
        [&](Index m, const T* g0, T* y, T* a, T* b, T* c) { test.k.rmsprop(m, r, r, r, zero, g0, y, a, b, c); });
  still("adagrad", [&](Index m, const T* g0, T* y, T* a, T*, T*) { test.k.adagrad(m, r, zero, g0, y, a); });
  still("ftrl",
        [&](Index m, const T* g0, T* y, T* a, T* b, T*) { test.k.ftrl(m, r, T(0.5), r, zero, r, g0, y, a, b); });
  still("ftrl of any power",
        [&](Index m, const T* g0, T* y, T* a, T* b, T*) { test.k.ftrl(m, r, T(0.7), r, zero, r, g0, y, a, b); });
  still("adadelta", [&](Index m, const T* g0, T* y, T* a, T* b, T*) { test.k.adadelta(m, r, r, zero, g0, y, a, b); });
}

template <class T>
void data(Tester<T> test, Index n) {
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(n) + 1, 7);
  const std::vector<T> x = Tester<T>::random(n, -9, 9);
  for (const std::uint64_t first : {0u, 5u, 1000u}) {
    const MaskStream stream{0x123456789abcdefULL, 0x100000002ULL, 0x60000000};
    const auto keep = [&](Index i) {
      const std::uint64_t e = first + static_cast<std::uint64_t>(i), block = e / 4;
      return philox(stream.seed, {std::uint32_t(block), std::uint32_t(block >> 32), std::uint32_t(stream.iteration),
                                  std::uint32_t(stream.iteration >> 32)})[e % 4] >= stream.threshold;
    };
    test.expect(
        "dropout", n, 1,
        [&](Index b, Index e, T* y) {
          test.k.dropout(stream, first + static_cast<std::uint64_t>(b), T(2), e - b, x.data() + b, y + b,
                         mask.data() + b);
        },
        [&](Index i) { return keep(i) ? 2.0 * x[i] : 0.0; });
    for (Index i = 0; i < n; ++i)
      if (mask[i] != keep(i)) test.fail("dropout mask", n, 1, i, mask[i], keep(i));
    if (mask.back() != 7) test.fail("dropout mask beyond the end", n, 1, n, mask.back(), 7);
    test.expect(
        "dropout_backward", n, 1,
        [&](Index b, Index e, T* y) { test.k.dropout_backward(T(2), e - b, mask.data() + b, x.data() + b, y + b); },
        [&](Index i) { return keep(i) ? 2.0 * x[i] : 0.0; });
  }
  test.expect(
      "dropout of all", n, 1,
      [&](Index b, Index e, T* y) {
        test.k.dropout({1, 2, std::uint64_t{1} << 32}, 0, T(0), e - b, x.data() + b, y + b, mask.data() + b);
      },
      [](Index) { return 0.0; });

  const auto convert = [&]<class S>(Source source, S scale, const char* name) {
    std::vector<S> from(static_cast<std::size_t>(n));
    const std::vector<double> values = random_values(n, std::numeric_limits<S>::is_signed ? -1 : 0, 1);
    for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<S>(values[i] * static_cast<double>(scale));
    test.expect(
        name, n, 1, [&](Index b, Index e, T* y) { test.k.convert(source, e - b, from.data() + b, y + b); },
        [&](Index i) { return double(static_cast<T>(from[i])); }, 0);
    test.expect(
        std::string("scaled ") + name, n, 1,
        [&](Index b, Index e, T* y) {
          test.k.convert_scaled(source, e - b, from.data() + b, Index(sizeof(S)), T(0.5), T(-2), y + b);
        },
        [&](Index i) { return 0.5 * double(static_cast<T>(from[i])) - 2; });
  };
  convert(Source::float32, 100.0f, "float32");
  convert(Source::float64, 1e5, "float64");
  convert(Source::int8, std::int8_t{127}, "int8");
  convert(Source::int16, std::int16_t{32767}, "int16");
  convert(Source::int32, std::int32_t{2147483647}, "int32");
  convert(Source::int64, std::int64_t{1} << 62, "int64");
  convert(Source::uint8, std::uint8_t{255}, "uint8");
  convert(Source::uint16, std::uint16_t{65535}, "uint16");
  convert(Source::uint32, std::uint32_t{4294967295}, "uint32");
  convert(Source::uint64, std::uint64_t{1} << 63, "uint64");
  if (!test.k.all_finite(n, x.data())) test.fail("all_finite", n, 1, 0, 0, 1);
  for (Index i = 0; i < n; ++i)
    for (const T bad : {std::numeric_limits<T>::infinity(), std::numeric_limits<T>::quiet_NaN()}) {
      std::vector<T> y = x;
      y[i] = bad;
      if (test.k.all_finite(n, y.data())) test.fail("all_finite", n, 1, i, 1, 0);
    }
}

template <class T>
void products(Tester<T> test, Index m, Index n, Index p) {
  const std::vector<T> a = Tester<T>::random(m * p, -1, 1), at = Tester<T>::random(p * m, -1, 1),
                       b = Tester<T>::random(p * n, -1, 1), c0 = Tester<T>::random(m * n, -1, 1),
                       bias = Tester<T>::random(n, -1, 1);
  for (const Reference& f : kActivations)
    for (const bool accumulate : {false, true})
      for (const bool transposed : {false, true}) {
        const std::vector<T>& left = transposed ? at : a;
        const auto rows = [&](Index begin, Index end, T* out) {
          Gemm<T> g{.m = end - begin,
                    .n = n,
                    .k = p,
                    .a = left.data() + begin * (transposed ? 1 : p),
                    .a_row = transposed ? 1 : p,
                    .a_col = transposed ? m : 1,
                    .b = b.data(),
                    .b_row = n,
                    .c = out + begin * n,
                    .c_row = n,
                    .accumulate = accumulate,
                    .epilogue = {bias.data(), {f.function, T(f.a), T(f.b), T(f.c)}}};
          test.k.gemm(g);
        };
        test.expect(
            "gemm", m, n, rows,
            [&](Index at_c) {
              const Index i = at_c / n, j = at_c % n;
              double s = accumulate ? c0[at_c] : 0.0;
              for (Index q = 0; q < p; ++q) s += double(left[transposed ? q * m + i : i * p + q]) * b[q * n + j];
              return f.value(s + bias[j]);
            },
            16 + 2.0 * static_cast<double>(p), c0);
      }
  test.expect(
      "transpose", 1, m * p, [&](Index, Index, T* y) { test.k.transpose(m, p, a.data(), p, y, m); },
      [&](Index i) { return double(a[i % m * p + i / m]); }, 0);
  for (const bool accumulate : {false, true})
    test.expect(
        "column_sum", n, 1,
        [&](Index begin, Index end, T* y) {
          test.k.column_sum(p, end - begin, b.data() + begin, n, y + begin, accumulate);
        },
        [&](Index j) {
          double s = accumulate ? bias[j] : 0.0;
          for (Index q = 0; q < p; ++q) s += b[q * n + j];
          return s;
        },
        16 + static_cast<double>(p), bias);
}

}  // namespace

int main() {
  return run_tests([]<class T>(Tester<T> test) {
    for (const Index n : {0, 1, 7, 15, 16, 17, 63, 64, 65, 513, 1300}) elementwise(test, n), data(test, n);
    for (const Index m : {1, 7, 17, 33})
      for (const Index n : {1, 5, 16, 33, 65})
        for (const Index p : {0, 1, 9, 70}) products(test, m, n, p);
    T sink = 1;
    if (!(test.k.fma_probe(10, &sink) > 0) || !std::isfinite(sink)) test.fail("fma_probe", 0, 0, 0, sink, 0);
  });
}
