// The choice of the kernel table: processor features are read once, FASTGD_ISA each time.
#include "dispatch/dispatch.h"

#include <cstdlib>

#include "base/check.h"
#include "kernels/tables.h"

namespace fastgd {

const std::vector<const KernelTable*>& available_tables() {
  static const std::vector<const KernelTable*> tables = [] {
    std::vector<const KernelTable*> found;
    // The builtins test the operating system's support for the wide registers too (XGETBV), not CPUID alone.
#if defined(FASTGD_HAVE_AVX512)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))
      found.push_back(&avx512::kTable);
#endif
#if defined(FASTGD_HAVE_AVX2)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))
      found.push_back(&avx2::kTable);
#endif
#if defined(FASTGD_HAVE_NEON)
    found.push_back(&neon::kTable);
#endif
    found.push_back(&generic::kTable);
    return found;
  }();
  return tables;
}

bool rows_share_sets() {
#if defined(__x86_64__)
  static const bool shared = !__builtin_cpu_is("intel");
  return shared;
#else
  return true;
#endif
}

const KernelTable& kernel_table(std::string_view isa) {
  if (isa.empty()) {
    const char* forced = std::getenv("FASTGD_ISA");
    if (forced != nullptr) isa = forced;
  }
  if (isa.empty()) return *available_tables().front();
  std::string names;
  for (const KernelTable* table : available_tables()) {
    if (isa == table->name) return *table;
    names += (names.empty() ? "" : ", ") + std::string(table->name);
  }
  fail("`isa` (FASTGD_ISA) must name a tier that this processor runs: ", names, ". Received: isa='", isa, "'");
}

}  // namespace fastgd
