// What a thread does with numbers below the smallest normal one, for the length of a scope.
#pragma once

#include <cstdint>

namespace fastgd {

// While `zero` holds, subnormal numbers count as zero, as operands and as results; else they are numbers like others.
// An operation on one takes some hundred cycles on processors of Intel. The end of the scope brings back what was.
class SubnormalScope {
 public:
  explicit SubnormalScope(bool zero) : before_(control()) { set(zero ? before_ | kZero : before_ & ~kZero); }
  // Exceptions that arithmetic has noted meanwhile stay noted.
  ~SubnormalScope() {
    const Control now = control();
    set((now & ~kZero) | (before_ & kZero));
  }
  SubnormalScope(const SubnormalScope&) = delete;
  SubnormalScope& operator=(const SubnormalScope&) = delete;

  // Whether they count as zero now.
  static bool are_zero() { return kZero != 0 && (control() & kZero) == kZero; }

 private:
#if defined(__x86_64__)
  using Control = std::uint32_t;
  static constexpr Control kZero = 1U << 15 | 1U << 6;  // flush to zero, denormals are zero
  static Control control() { return __builtin_ia32_stmxcsr(); }
  static void write(Control word) { __builtin_ia32_ldmxcsr(word); }
#elif defined(__aarch64__)
  using Control = std::uint64_t;
  static constexpr Control kZero = 1U << 24;  // both
  static Control control() {
    Control word = 0;
    asm volatile("mrs %0, fpcr" : "=r"(word));
    return word;
  }
  static void write(Control word) { asm volatile("msr fpcr, %0" : : "r"(word)); }
#else
  using Control = std::uint32_t;
  static constexpr Control kZero = 0;
  static Control control() { return 0; }
  static void write(Control) {}
#endif
  // Writing stops the processor for some cycles.
  static void set(Control word) {
    if (word != control()) write(word);
  }

  Control before_;
};

}  // namespace fastgd
