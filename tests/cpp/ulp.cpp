// Measures the error of exp, log, tanh, sigmoid, expm1 (as elu), softplus and log_sigmoid in units in the last place,
// for every tier this processor has: in float over every k-th of the 2^32 inputs, in double over random inputs. Fails
// above 2 units.
//
// usage: ulp [k] [tier], k being 1009 unless said; `ulp 1` takes some minutes.
// Links with the kernels of all tiers and csrc/dispatch; the head of kernel_tester.h says how to build it by hand.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "dispatch/dispatch.h"

namespace {

using fastgd::Index;
using fastgd::Kernels;
using fastgd::KernelTable;

constexpr int kFunctions = 7;
constexpr const char* kNames[kFunctions] = {"exp", "log", "tanh", "sigmoid", "elu", "softplus", "log_sig"};

template <class T>
void run(const KernelTable& table, int which, Index n, const T* x, T* y) {
  using fastgd::Activation;
  const Kernels<T>& k = table.of<T>();
  void (*const plain[])(Index, const T*, T*) noexcept = {k.exp, k.log, k.tanh, k.sigmoid};
  // With alpha 1, below 0 elu is e^x - 1.
  constexpr Activation kActivations[] = {Activation::elu, Activation::softplus, Activation::log_sigmoid};
  if (which < 4) return plain[which](n, x, y);
  k.activation({kActivations[which - 4], T(1)}, n, x, y);
}

// The same in a wider type, by the C library.
template <class W>
W reference(int which, W x) {
  switch (which) {
    case 0:
      return std::exp(x);
    case 1:
      return std::log(x);
    case 2:
      return std::tanh(x);
    case 3:
      return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
    case 4:
      return x > 0 ? x : std::expm1(x);
    case 5:
      return (x < 0 ? 0 : x) + std::log1p(std::exp(-std::fabs(x)));
    default:
      return -((x > 0 ? 0 : -x) + std::log1p(std::exp(-std::fabs(x))));
  }
}

// |got - want| in units of the last place of T at `want`; infinite where one is special and the other is not.
template <class T, class W>
double error(T got, W want) {
  using Limits = std::numeric_limits<T>;
  const T rounded = static_cast<T>(want);
  if (std::isnan(want) || std::isnan(got)) return std::isnan(want) && std::isnan(got) ? 0 : HUGE_VAL;
  if (std::isinf(got) || std::isinf(rounded)) {
    // An infinity beside the largest finite number is one unit off at most.
    if (got == rounded) return 0;
    return std::fabs(want) >= W(Limits::max()) * (1 - W(Limits::epsilon())) && std::signbit(got) == std::signbit(want)
               ? 1
               : HUGE_VAL;
  }
  if (want == 0) return got == 0 && std::signbit(got) == std::signbit(want) ? 0 : HUGE_VAL;
  int exponent;
  std::frexp(rounded == 0 ? Limits::denorm_min() : rounded, &exponent);
  const int last = std::max(exponent, Limits::min_exponent) - Limits::digits;
  return static_cast<double>(std::fabs(std::ldexp(static_cast<W>(got) - want, -last)));
}

template <class T>
struct Worst {
  double ulp = 0;
  T x = 0, got = 0;
  void see(double e, T at, T value) {
    if (e > ulp) ulp = e, x = at, got = value;
  }
};

using Tables = std::vector<const KernelTable*>;

// Every `step`-th float from pattern `begin` to `end`; worst[table][function].
void scan(const Tables& tables, std::uint64_t begin, std::uint64_t end, std::uint64_t step,
          std::vector<std::vector<Worst<float>>>& worst) {
  constexpr int kBlock = 4096;
  std::vector<float> x(kBlock), y(kBlock);
  std::vector<double> want(kBlock);
  while (begin < end) {
    int count = 0;
    for (; count < kBlock && begin < end; ++count, begin += step) {
      const auto bits = static_cast<std::uint32_t>(begin);
      std::memcpy(&x[count], &bits, sizeof bits);
    }
    for (int f = 0; f < kFunctions; ++f) {
      for (int i = 0; i < count; ++i) want[i] = reference<double>(f, x[i]);
      for (std::size_t t = 0; t < tables.size(); ++t) {
        run<float>(*tables[t], f, count, x.data(), y.data());
        // Most results are the nearest float, and need no exact measure.
        for (int i = 0; i < count; ++i)
          if (y[i] != static_cast<float>(want[i]) || y[i] == 0) worst[t][f].see(error(y[i], want[i]), x[i], y[i]);
      }
    }
  }
}

// Prints the largest error of every function of every tier, and returns the largest of all.
double check_float(const Tables& tables, std::uint64_t step) {
  const unsigned teams = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::vector<std::vector<Worst<float>>>> worst(
      teams, std::vector<std::vector<Worst<float>>>(tables.size(), std::vector<Worst<float>>(kFunctions)));
  std::vector<std::thread> threads;
  // The patterns are dealt in turn, because those of NaN and of large numbers cost less.
  for (unsigned i = 0; i < teams; ++i)
    threads.emplace_back([&, i] { scan(tables, i * step, std::uint64_t{1} << 32, step * teams, worst[i]); });
  for (std::thread& thread : threads) thread.join();
  double largest = 0;
  for (std::size_t t = 0; t < tables.size(); ++t)
    for (int f = 0; f < kFunctions; ++f) {
      Worst<float> most;
      for (unsigned i = 0; i < teams; ++i) most.see(worst[i][t][f].ulp, worst[i][t][f].x, worst[i][t][f].got);
      largest = std::max(largest, most.ulp);
      std::printf("%-8s float  %-8s %.4f ULP at %a (%.9g), got %.9g\n", tables[t]->name, kNames[f], most.ulp, most.x,
                  most.x, most.got);
    }
  return largest;
}

double check_double(const Tables& tables, Index samples) {
  std::mt19937_64 engine(1);
  std::uniform_real_distribution<double> near(-1, 1), wide(-750, 750);
  std::vector<double> x(static_cast<std::size_t>(samples)), y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::uint64_t bits = engine();
    switch (i % 4) {
      case 0:
        std::memcpy(&x[i], &bits, sizeof bits);
        break;
      case 1:
        x[i] = near(engine);
        break;
      case 2:
        x[i] = wide(engine);
        break;
      default:
        x[i] = std::exp(6 * near(engine));
    }
  }
  double largest = 0;
  for (const KernelTable* table : tables)
    for (int f = 0; f < kFunctions; ++f) {
      run<double>(*table, f, samples, x.data(), y.data());
      Worst<double> most;
      for (std::size_t i = 0; i < x.size(); ++i) most.see(error(y[i], reference<long double>(f, x[i])), x[i], y[i]);
      largest = std::max(largest, most.ulp);
      std::printf("%-8s double %-8s %.4f ULP at %a (%.17g), got %.17g\n", table->name, kNames[f], most.ulp, most.x,
                  most.x, most.got);
    }
  return largest;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t step = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1009;
  Tables tables;
  for (const KernelTable* table : fastgd::available_tables())
    if (argc < 3 || std::string(argv[2]) == table->name) tables.push_back(table);
  const double in_double = check_double(tables, 1 << 22);
  const double in_float = check_float(tables, step == 0 ? 1 : step);
  return in_double <= 2 && in_float <= 2 ? 0 : 1;
}
