// Errors: the only place of the core that throws.
#pragma once

#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/types.h"

namespace fastgd {

// What the caller passed is wrong: ValueError in Python.
class InvalidArgument : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

// The call itself is out of place, whatever its arguments: RuntimeError in Python.
class Misuse : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

template <class... Parts>
std::string join(Parts&&... parts) {
  std::ostringstream text;
  (text << ... << std::forward<Parts>(parts));
  return std::move(text).str();
}

template <class... Parts>
[[noreturn]] void fail(Parts&&... parts) {
  throw InvalidArgument(join(std::forward<Parts>(parts)...));
}

template <class... Parts>
void check(bool ok, Parts&&... parts) {
  if (!ok) fail(std::forward<Parts>(parts)...);
}

template <class... Parts>
[[noreturn]] void misuse(Parts&&... parts) {
  throw Misuse(join(std::forward<Parts>(parts)...));
}

}  // namespace fastgd
