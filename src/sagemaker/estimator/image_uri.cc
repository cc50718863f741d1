#include "sagemaker/estimator/image_uri.h"

#include <array>
#include <string_view>
#include <utility>

#include "sagemaker/clients/services.h"

namespace headrace::sagemaker {
namespace {

// Regions whose images lie in an account of their own.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kAccounts{{
    {"ap-east-1", "871362719292"},
    {"me-south-1", "217643126080"},
    {"af-south-1", "626614931356"},
    {"eu-south-1", "692866216735"},
    {"cn-north-1", "727897471807"},
    {"cn-northwest-1", "727897471807"},
    {"us-gov-west-1", "442386744353"},
    {"us-iso-east-1", "886529160074"},
}};
constexpr std::string_view kUsualAccount = "763104351884";

std::string Registry(const std::string& region) {
  std::string_view account = kUsualAccount;
  for (const auto& [name, own] : kAccounts) {
    if (name == region) account = own;
  }
  return std::string(account) + ".dkr.ecr." + region + "." + std::string(DomainOf(region));
}

// ml.g… and ml.p… have GPUs.
std::string Processor(const std::string& instance_type) {
  const bool gpu = instance_type.starts_with("ml.g") || instance_type.starts_with("ml.p");
  return gpu ? "gpu" : "cpu";
}

}  // namespace

std::string TrainingImage(const std::string& region, const std::string& version, const std::string& py_version,
                          const std::string& instance_type) {
  return Registry(region) + "/tensorflow-training:" + version + "-" + Processor(instance_type) + "-" + py_version;
}

std::string ServingImage(const std::string& region, const std::string& version, const std::string& instance_type) {
  return Registry(region) + "/tensorflow-inference:" + version + "-" + Processor(instance_type);
}

std::string VersionOfImage(const std::string& image_uri) {
  const size_t colon = image_uri.rfind(':');
  if (colon == std::string::npos || image_uri.find('/', colon) != std::string::npos) return {};
  const std::string tag = image_uri.substr(colon + 1);
  return tag.substr(0, tag.find('-'));
}

std::string RepositoryOfImage(const std::string& image_uri) {
  const std::string name = image_uri.substr(image_uri.rfind('/') + 1);
  return name.substr(0, name.find_first_of(":@"));
}

}  // namespace headrace::sagemaker
