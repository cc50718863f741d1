// Frameworks: what a job's image asks for, what a person calls it, and which of several versions comes nearest.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace headrace::jobs {

struct Framework {
  const char* name;                               // in commands and messages: "pytorch"
  const char* module;                             // what programs import: "torch"
  std::vector<const char*> packages;              // of the package index, the usual one first
  std::vector<std::string_view> words_in_images;  // one of them is in the names of its images
};

std::span<const Framework> Frameworks();
// By its name, its module, or one of its packages; nullptr for others.
const Framework* FindFramework(std::string_view name);

// A framework, and the version wanted of it: "" for any.
struct FrameworkWanted {
  const Framework* framework = nullptr;  // nullptr: none
  std::string version;

  std::string Text() const;  // "tensorflow 1.15.2"
};

// By the last part of the repository's name and the version that the tag begins with:
// "…/tensorflow-training:2.14.1-cpu-py310", "…/sagemaker-xgboost:1.7-1". Registry, account and region say nothing.
FrameworkWanted FrameworkOfImage(std::string_view image);

// "tensorflow==2.21", "tensorflow-cpu". kInvalidArgument says what there is to choose from.
struct FrameworkSpec {
  FrameworkWanted wanted;
  std::string package;  // as it is called where it is installed from: "tensorflow-cpu"
};
Result<FrameworkSpec> ParseFrameworkSpec(const std::string& text);

// The place in `versions` of the one that comes nearest to `wanted`: of the same major and minor number, else of the
// same major number, else any; of several the newest, of equals the first. nullopt when there are none.
std::optional<size_t> NearestVersion(std::string_view wanted, const std::vector<std::string>& versions);
// Whether both have the same first two numbers, so far as `wanted` says them.
bool SameMinorVersion(std::string_view wanted, std::string_view version);

// What the owner of the machine types to have it: "headrace python add tensorflow==2.14".
std::string CommandToAdd(const FrameworkWanted& wanted);

}  // namespace headrace::jobs
