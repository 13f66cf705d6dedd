// How many threads the machine, the process and the user allow.
#include "threads/limits.h"

#include <sched.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fastgd {
namespace {

constexpr int kUnlimited = 1 << 20;

std::vector<int> allowed_cpus() {
  // Machines with more CPUs than the default mask holds need a larger one.
  for (int capacity = 1024; capacity <= 1 << 20; capacity *= 4) {
    cpu_set_t* set = CPU_ALLOC(capacity);
    if (set == nullptr) break;
    const std::size_t bytes = CPU_ALLOC_SIZE(capacity);
    const bool ok = sched_getaffinity(0, bytes, set) == 0;
    std::vector<int> cpus;
    for (int cpu = 0; ok && cpu < capacity; ++cpu)
      if (CPU_ISSET_S(cpu, bytes, set)) cpus.push_back(cpu);
    CPU_FREE(set);
    if (ok) return cpus;
  }
  return {};
}

int read_int(const std::string& path, int missing) {
  std::ifstream file(path);
  int value = missing;
  return file >> value ? value : missing;
}

// The cgroup's path for `controller` ("" for version 2) from /proc/self/cgroup, or "" when there is none.
std::string cgroup_path(const std::string& controller) {
  std::ifstream file("/proc/self/cgroup");
  std::string line;
  while (std::getline(file, line)) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string names = "," + line.substr(first + 1, second - first - 1) + ",";
    if (controller.empty() ? names == ",," : names.find("," + controller + ",") != std::string::npos)
      return line.substr(second + 1);
  }
  return "";
}

double quota_of_version_2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return kUnlimited;
  return std::atof(quota.c_str()) / period;
}

double quota_of_version_1(const std::string& folder) {
  const int quota = read_int(folder + "/cpu.cfs_quota_us", -1);
  const int period = read_int(folder + "/cpu.cfs_period_us", 0);
  return quota > 0 && period > 0 ? static_cast<double>(quota) / period : kUnlimited;
}

// A limit may be set on any ancestor, so the least on the way up counts.
template <class Quota>
double least_quota(const std::string& root, std::string path, Quota quota) {
  double least = quota(root);
  while (!path.empty() && path != "/") {
    least = std::min(least, quota(root + path));
    path.resize(path.rfind('/'));
  }
  return least;
}

}  // namespace

int affinity_cores() {
  const auto cpus = allowed_cpus();
  return cpus.empty() ? static_cast<int>(std::max(1u, std::thread::hardware_concurrency()))
                      : static_cast<int>(cpus.size());
}

int cgroup_cores() {
  const double quota = std::min(least_quota("/sys/fs/cgroup", cgroup_path(""), quota_of_version_2),
                                least_quota("/sys/fs/cgroup/cpu", cgroup_path("cpu"), quota_of_version_1));
  return quota >= kUnlimited ? kUnlimited : std::max(1, static_cast<int>(std::ceil(quota)));
}

int physical_cores() {
  std::set<std::pair<int, int>> cores;
  for (int cpu : allowed_cpus()) {
    const std::string topology = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
    const int core = read_int(topology + "core_id", -1);
    if (core < 0) return kUnlimited;
    cores.emplace(read_int(topology + "physical_package_id", 0), core);
  }
  return cores.empty() ? kUnlimited : static_cast<int>(cores.size());
}

int requested_threads() {
  const char* text = std::getenv("OMP_NUM_THREADS");
  const int n = text == nullptr ? 0 : std::atoi(text);
  return n >= 1 && n <= 1024 ? n : 0;
}

}  // namespace fastgd
