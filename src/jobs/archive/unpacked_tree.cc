#include "jobs/archive/unpacked_tree.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace headrace::jobs {
namespace {

constexpr std::ptrdiff_t kDeepest = 128;

std::string LastPart(const std::string& name) { return name.substr(name.rfind('/') + 1); }

// Parts of `name` behind what it has in common with `known`.
uint64_t NewParts(std::string_view known, std::string_view name) {
  size_t common = 0, boundary = 0;
  while (common < known.size() && common < name.size() && known[common] == name[common]) {
    ++common;
    if (common == name.size() || name[common] == '/') boundary = common;
  }
  return static_cast<uint64_t>(std::count(name.begin() + static_cast<std::ptrdiff_t>(boundary), name.end(), '/')) +
         (boundary == 0 ? 1 : 0);
}

}  // namespace

Status UnpackedTree::Count(uint64_t made) {
  made_ += made;
  if (made_ > most_)
    return Fail(ErrorCode::kResourceExhausted, "the archive has more than {} entries and directories", most_);
  return {};
}

Result<const HeldDirectory*> UnpackedTree::ParentOf(std::string_view name) {
  const auto cut = name.rfind('/');
  if (cut == std::string_view::npos) return &root_;
  const auto parent = name.substr(0, cut);
  if (parent_ && parent == parent_name_) return &*parent_;
  if (std::count(parent.begin(), parent.end(), '/') >= kDeepest)
    return Fail(ErrorCode::kInvalidArgument, "it lies deeper than {} directories", kDeepest);
  auto opened = root_.OpenDirectory(parent);
  if (!opened && opened.error().code() == ErrorCode::kNotFound) {
    HEADRACE_TRY(Count(NewParts(parent_name_, parent)));
    opened = root_.MakeDirectories(parent);
  }
  if (!opened) return tl::unexpected<Error>(std::move(opened.error()));
  parent_.emplace(std::move(*opened));
  parent_name_ = parent;
  return &*parent_;
}

Status UnpackedTree::MakeDirectory(const std::string& name) {
  HEADRACE_TRY(Count(1));
  HEADRACE_ASSIGN(const auto* parent, ParentOf(name));
  HEADRACE_TRY(parent->MakeDirectories(LastPart(name)));
  return {};
}

Result<Descriptor> UnpackedTree::MakeFile(const std::string& name) {
  HEADRACE_TRY(Count(1));
  HEADRACE_ASSIGN(const auto* parent, ParentOf(name));
  return parent->CreateFile(LastPart(name), 0600);
}

Status UnpackedTree::MakeLink(const std::string& name, const std::string& target) {
  HEADRACE_TRY(Count(1));
  HEADRACE_ASSIGN(const auto* parent, ParentOf(name));
  const auto last = LastPart(name);
  ::unlinkat(parent->descriptor(), last.c_str(), 0);
  if (::symlinkat(target.c_str(), parent->descriptor(), last.c_str()) != 0)
    return Fail(ErrorCode::kInvalidArgument, "cannot make the link: {}", std::strerror(errno));
  return {};
}

// A link to a link would lead elsewhere from another directory: only files have other names.
Status UnpackedTree::MakeHardLink(const std::string& name, const std::string& existing) {
  HEADRACE_TRY(Count(1));
  HEADRACE_ASSIGN(const auto status, root_.Examine(existing));
  if (!S_ISREG(status.st_mode)) return Fail(ErrorCode::kInvalidArgument, "a hard link to what is no file");
  if (name == existing) return {};
  HEADRACE_ASSIGN(const auto from, root_.PlaceOf(existing));
  HEADRACE_ASSIGN(const auto* parent, ParentOf(name));
  const auto last = LastPart(name);
  ::unlinkat(parent->descriptor(), last.c_str(), 0);
  if (::linkat(from.directory.get(), from.name.c_str(), parent->descriptor(), last.c_str(), 0) != 0)
    return Fail(ErrorCode::kInvalidArgument, "cannot make the hard link: {}", std::strerror(errno));
  return {};
}

}  // namespace headrace::jobs
