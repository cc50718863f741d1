#include "jobs/archive/merged_names.h"

namespace headrace::jobs {
namespace {

std::string_view WithoutSlashes(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

}  // namespace

MergedNames::Verdict MergedNames::Add(std::string_view path, EntryKind kind, size_t of) {
  const std::string name(WithoutSlashes(path));
  for (auto slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1)) {
    const auto above = name.substr(0, slash);
    const auto [found, is_new] = taken_.try_emplace(above, Taken{EntryKind::kDirectory, of});
    if (!is_new && found->second.kind != EntryKind::kDirectory) return LeaveOut(above, EntryKind::kDirectory, of);
  }
  const auto [found, is_new] = taken_.try_emplace(name, Taken{kind, of});
  if (is_new) return Verdict::kTaken;
  return found->second.kind == kind ? Verdict::kAgain : LeaveOut(name, kind, of);
}

void MergedNames::Differs(std::string_view path, size_t of) {
  const std::string name(WithoutSlashes(path));
  LeaveOut(name, taken_.at(name).kind, of);
}

MergedNames::Verdict MergedNames::LeaveOut(const std::string& name, EntryKind kind, size_t of) {
  const auto& kept = taken_.at(name);
  LeftOut entry{.name = name, .kept = kept.kind, .left = kind, .kept_of = kept.of, .of = of};
  if (left_out_.empty() || left_out_.back() != entry) left_out_.push_back(std::move(entry));
  return Verdict::kLeftOut;
}

}  // namespace headrace::jobs
