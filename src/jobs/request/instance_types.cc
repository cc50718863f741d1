#include "jobs/request/instance_types.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace headrace::jobs {
namespace {

constexpr uint64_t kGiB = uint64_t{1} << 30;

// Memory per virtual CPU of the general families, in GiB. Accelerator families are listed one by one below.
struct Family {
  std::string_view name;
  int gib_per_cpu;
};
constexpr Family kFamilies[] = {{"m4", 4},  {"m5", 4},   {"m5d", 4},  {"m6g", 4}, {"m6gd", 4}, {"m6i", 4},  {"m6id", 4},
                                {"m7i", 4}, {"c4", 2},   {"c5", 2},   {"c5d", 2}, {"c5n", 2},  {"c6g", 2},  {"c6gn", 2},
                                {"c6i", 2}, {"c6id", 2}, {"c7i", 2},  {"r5", 8},  {"r5d", 8},  {"r6i", 8},  {"r7i", 8},
                                {"t2", 4},  {"t3", 4},   {"g4dn", 4}, {"g5", 4},  {"g6", 4},   {"trn1", 16}};

struct Exact {
  std::string_view name;
  int cpus;
  uint64_t gib;
};
constexpr Exact kExact[] = {{"p2.xlarge", 4, 61},       {"p2.8xlarge", 32, 488},    {"p2.16xlarge", 64, 732},
                            {"p3.2xlarge", 8, 61},      {"p3.8xlarge", 32, 244},    {"p3.16xlarge", 64, 488},
                            {"p3dn.24xlarge", 96, 768}, {"p4d.24xlarge", 96, 1152}, {"p4de.24xlarge", 96, 1152},
                            {"p5.48xlarge", 192, 2048}, {"t3.medium", 2, 4},        {"t2.medium", 2, 4},
                            {"t3.large", 2, 8},         {"t2.large", 2, 8}};

// "large" 2, "xlarge" 4, "12xlarge" 48, "metal" 96; 0 for anything else.
int CpusOf(std::string_view size) {
  if (size == "medium") return 1;
  if (size == "large") return 2;
  if (size == "xlarge") return 4;
  if (size == "metal") return 96;
  int count = 0;
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), count);
  if (error != std::errc() || count < 1 || count > 128) return 0;
  return std::string_view(end, size.data() + size.size() - end) == "xlarge" ? 4 * count : 0;
}

}  // namespace

std::optional<InstanceSize> SizeOfInstance(std::string_view instance_type) {
  if (instance_type == "local" || instance_type == "local_gpu") return InstanceSize{};
  if (!instance_type.starts_with("ml.")) return std::nullopt;
  const auto name = instance_type.substr(3);
  for (const auto& exact : kExact)
    if (exact.name == name) return InstanceSize{exact.cpus, exact.gib * kGiB};
  const auto dot = name.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  for (const auto& family : kFamilies)
    if (family.name == name.substr(0, dot))
      if (const int cpus = CpusOf(name.substr(dot + 1)); cpus > 0)
        return InstanceSize{cpus, static_cast<uint64_t>(cpus) * family.gib_per_cpu * kGiB};
  return std::nullopt;
}

}  // namespace headrace::jobs
