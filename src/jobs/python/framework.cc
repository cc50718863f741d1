#include "jobs/python/framework.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace headrace::jobs {
namespace {

using Numbers = std::vector<int>;

// {2, 21, 0} of "2.21.0rc1"; what is behind the numbers does not count.
Numbers NumbersOf(std::string_view version) {
  Numbers numbers;
  while (numbers.size() < 8) {
    int number = 0;
    const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), number);
    if (error != std::errc()) break;
    numbers.push_back(number);
    version.remove_prefix(static_cast<size_t>(end - version.data()));
    if (version.empty() || version.front() != '.') break;
    version.remove_prefix(1);
  }
  return numbers;
}

// How many of the first two numbers are the same; those that nobody asked for are.
size_t SameNumbers(const Numbers& wanted, const Numbers& version) {
  for (size_t i = 0; i < 2; ++i) {
    if (i >= wanted.size()) return 2;
    if (i >= version.size() || version[i] != wanted[i]) return i;
  }
  return 2;
}

std::string_view LeadingVersion(std::string_view text) {
  size_t size = 0;
  while (size < text.size() && (std::isdigit(static_cast<unsigned char>(text[size])) != 0 || text[size] == '.')) ++size;
  while (size > 0 && text[size - 1] == '.') --size;
  return text.substr(0, size);
}

bool IsVersion(std::string_view text) {
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) != 0 &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '+'; });
}

std::string NamesOfFrameworks() {
  std::string names;
  for (const auto& framework : Frameworks()) names += (names.empty() ? "" : ", ") + std::string(framework.name);
  return names;
}

}  // namespace

std::span<const Framework> Frameworks() {
  static const std::vector<Framework> kFrameworks = {
      {"tensorflow",
       "tensorflow",
       {"tensorflow", "tensorflow-cpu", "tensorflow-gpu", "intel-tensorflow", "tensorflow-intel", "tf-nightly"},
       {"tensorflow"}},
      {"pytorch", "torch", {"torch"}, {"pytorch"}},
      {"sklearn", "sklearn", {"scikit-learn"}, {"scikit-learn", "sklearn"}},
      {"xgboost", "xgboost", {"xgboost", "xgboost-cpu"}, {"xgboost"}},
  };
  return kFrameworks;
}

const Framework* FindFramework(std::string_view name) {
  for (const auto& framework : Frameworks()) {
    const auto is_it = [name](std::string_view other) { return other == name; };
    if (is_it(framework.name) || is_it(framework.module) ||
        std::any_of(framework.packages.begin(), framework.packages.end(), is_it))
      return &framework;
  }
  return nullptr;
}

std::string FrameworkWanted::Text() const {
  if (framework == nullptr) return "";
  return version.empty() ? framework->name : fmt::format("{} {}", framework->name, version);
}

FrameworkWanted FrameworkOfImage(std::string_view image) {
  image = image.substr(0, image.find('@'));
  if (const auto slash = image.rfind('/'); slash != image.npos) image.remove_prefix(slash + 1);
  const auto colon = image.find(':');
  const auto repository = image.substr(0, colon);
  auto tag = colon == image.npos ? std::string_view() : image.substr(colon + 1);
  if (tag.starts_with('v')) tag.remove_prefix(1);
  for (const auto& framework : Frameworks())
    for (const auto word : framework.words_in_images)
      if (repository.find(word) != repository.npos) return {&framework, std::string(LeadingVersion(tag))};
  return {};
}

Result<FrameworkSpec> ParseFrameworkSpec(const std::string& text) {
  const auto equals = text.find("==");
  FrameworkSpec spec;
  spec.package = text.substr(0, equals);
  spec.wanted.framework = FindFramework(spec.package);
  if (spec.wanted.framework == nullptr)
    return Fail(ErrorCode::kInvalidArgument,
                "found '{}', wanted one of {}, with a version or without: tensorflow==2.21", text, NamesOfFrameworks());
  const auto& packages = spec.wanted.framework->packages;
  if (std::find(packages.begin(), packages.end(), spec.package) == packages.end()) spec.package = packages.front();
  if (equals == std::string::npos) return spec;
  spec.wanted.version = text.substr(equals + 2);
  if (!IsVersion(spec.wanted.version))
    return Fail(ErrorCode::kInvalidArgument, "found '{}', wanted a version as in {}==2.21", text,
                spec.wanted.framework->name);
  return spec;
}

std::optional<size_t> NearestVersion(std::string_view wanted, const std::vector<std::string>& versions) {
  const auto asked = NumbersOf(wanted);
  std::optional<size_t> best;
  const auto rank = [&](size_t i) {
    auto numbers = NumbersOf(versions[i]);
    const auto same = SameNumbers(asked, numbers);
    return std::pair(same, std::move(numbers));
  };
  for (size_t i = 0; i < versions.size(); ++i)
    if (!best || rank(i) > rank(*best)) best = i;
  return best;
}

bool SameMinorVersion(std::string_view wanted, std::string_view version) {
  return SameNumbers(NumbersOf(wanted), NumbersOf(version)) == 2;
}

// The package index has nothing of TensorFlow 1 for a Python of today, and what is newest runs most of its programs.
std::string CommandToAdd(const FrameworkWanted& wanted) {
  const auto numbers = NumbersOf(wanted.version);
  const std::string name = wanted.framework->name;
  if (numbers.size() < 2 || (name == "tensorflow" && numbers[0] < 2)) return "headrace python add " + name;
  return fmt::format("headrace python add {}=={}.{}", name, numbers[0], numbers[1]);
}

}  // namespace headrace::jobs
