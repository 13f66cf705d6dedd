// All ops by name, from op_list.inc.
#include "ops/registry.h"

#include "base/losses.h"

namespace fastgd {

#define FASTGD_OP(name) \
  template <class T>    \
  std::unique_ptr<Op<T>> make_##name(const OpSetup& setup);
#include "ops/op_list.inc"
#undef FASTGD_OP

namespace {

template <class T>
const std::map<std::string, OpFactory<T>>& factories() {
  static const std::map<std::string, OpFactory<T>> map = {
#define FASTGD_OP(name) {#name, &make_##name<T>},
#include "ops/op_list.inc"
#undef FASTGD_OP
  };
  return map;
}

}  // namespace

template <class T>
std::unique_ptr<Op<T>> make_op(const std::string& name, const OpSetup& setup) {
  const auto& map = factories<T>();
  const auto it = map.find(name);
  check(it != map.end(), "The plan names an unknown op. Received: op='", name, "'");
  try {
    auto op = it->second(setup);
    setup.attrs.check_all_known();
    return op;
  } catch (const InvalidArgument& error) {
    fail("[", name, "] ", error.what());
  }
}

template std::unique_ptr<Op<float>> make_op(const std::string&, const OpSetup&);
template std::unique_ptr<Op<double>> make_op(const std::string&, const OpSetup&);

std::vector<std::string> op_names() {
  std::vector<std::string> names;
  for (const auto& [name, factory] : factories<float>()) names.push_back(name);
  return names;
}

}  // namespace fastgd
