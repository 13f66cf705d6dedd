// What the self-tests of the kernels share: random data, and the comparison of a kernel with a formula in double.
//
// CMake builds the tests; by hand, from the root of the repository, for one of them:
//   flags="-std=c++20 -O3 -ffp-contract=off -fno-exceptions -fno-rtti -fno-math-errno -Icsrc"
//   v3="-mavx2 -mfma -mbmi2"; v4="$v3 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512"
//   build() { for f in csrc/kernels/*.cpp; do g++ $flags ${@:2} -DFASTGD_ISA_NAMESPACE=$1 -c $f -o build/$1-${f##*/}.o;
//   done; } build generic; build avx2 $v3; build avx512 $v4 tiers="-DFASTGD_HAVE_AVX2 -DFASTGD_HAVE_AVX512
//   csrc/dispatch/dispatch.cpp build/{generic,avx2,avx512}-*.o" eval g++ -std=c++20 -O2 -Icsrc -pthread
//   tests/cpp/kernels_selftest.cpp $tiers -o build/kernels_selftest
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "dispatch/dispatch.h"

namespace fastgd {

inline int failures = 0;

inline std::vector<double> random_values(Index n, double low, double high) {
  static std::mt19937_64 engine(7);
  std::uniform_real_distribution<double> uniform(low, high);
  std::vector<double> values(static_cast<std::size_t>(n));
  for (double& v : values) v = uniform(engine);
  return values;
}

template <class T>
struct Tester {
  const KernelTable& table;
  const Kernels<T>& k;
  using Array = std::vector<T>;
  // Runs the kernel for the elements or rows [begin, end) and writes from out + begin * width.
  using Run = std::function<void(Index begin, Index end, T* out)>;
  using Want = std::function<double(Index i)>;

  static Array random(Index n, double low, double high) {
    const std::vector<double> v = random_values(n, low, high);
    return Array(v.begin(), v.end());
  }

  void fail(const std::string& name, Index count, Index width, Index i, double got, double want) {
    if (++failures > 40) return;
    std::printf("FAILED %s %s f%d: %lld x %lld, element %lld: got %.17g, want %.17g\n", table.name, name.c_str(),
                static_cast<int>(8 * sizeof(T)), static_cast<long long>(count), static_cast<long long>(width),
                static_cast<long long>(i), got, want);
  }

  // `count` units of `width` outputs each; `before` is what the outputs hold at first, where the kernel reads them.
  void expect(const std::string& name, Index count, Index width, const Run& run, const Want& want, double units = 16,
              const Array& before = {}) {
    constexpr Index kGuard = 70;
    const T mark = T(-12345);
    const Index n = count * width;
    const auto fresh = [&] {
      Array out(static_cast<std::size_t>(n + kGuard), mark);
      std::copy(before.begin(), before.begin() + std::min<Index>(n, static_cast<Index>(before.size())), out.begin());
      return out;
    };
    Array out = fresh();
    run(0, count, out.data());
    for (Index i = 0; i < n; ++i) {
      const double expected = want(i), got = out[static_cast<std::size_t>(i)];
      const double bound = units * std::numeric_limits<T>::epsilon() * (1 + std::fabs(expected));
      if (std::isnan(expected) ? !std::isnan(got) : !(std::fabs(got - expected) <= bound))
        fail(name, count, width, i, got, expected);
    }
    for (Index i = n; i < n + kGuard; ++i)
      if (out[static_cast<std::size_t>(i)] != mark)
        fail(name + " beyond the end", count, width, i, out[static_cast<std::size_t>(i)], mark);
    for (const Index cut : {Index{1}, Index{3}, count / 2, count - 1}) {
      if (cut <= 0 || cut >= count) continue;
      Array parts = fresh();
      run(0, cut, parts.data());
      run(cut, count, parts.data());
      if (std::memcmp(parts.data(), out.data(), static_cast<std::size_t>(n) * sizeof(T)) != 0)
        fail(name + " cut", count, width, cut, 0, 0);
    }
  }
};

// Runs test(tester) for every tier in float and double, and returns the exit status.
template <class Test>
int run_tests(Test test) {
  for (const KernelTable* table : available_tables()) {
    test(Tester<float>{*table, table->of<float>()});
    test(Tester<double>{*table, table->of<double>()});
  }
  std::printf("%d failures\n", failures);
  return failures != 0;
}

}  // namespace fastgd
