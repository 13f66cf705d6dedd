// What an optimizer tells the engine: python/fastgd/plan.py, UpdateSpec.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/types.h"

namespace fastgd {

struct UpdateSpec {
  std::string rule;
  std::map<std::string, double> hyper;
  std::vector<std::string> slots;
  std::vector<Index> undecayed;  // trainable parameters that weight decay leaves alone, by position
};

// Reads numbers from a spec and refuses what nobody read.
class SpecNumbers {
 public:
  explicit SpecNumbers(const UpdateSpec& spec) : spec_(spec) {}
  const UpdateSpec& spec() const { return spec_; }
  bool has(const char* name) const { return spec_.hyper.contains(name); }
  double get(const char* name) {
    const auto it = spec_.hyper.find(name);
    check(it != spec_.hyper.end(), "[", spec_.rule, "] needs the number `", name, "`.");
    read_.insert(name);
    return it->second;
  }
  double get_or(const char* name, double otherwise) { return has(name) ? get(name) : otherwise; }
  void check_all_known() const {
    for (const auto& [name, value] : spec_.hyper)
      check(read_.contains(name), "[", spec_.rule, "] takes no number `", name, "`.");
  }

 private:
  const UpdateSpec& spec_;
  std::set<std::string> read_;
};

}  // namespace fastgd
