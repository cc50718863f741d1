#include "jobs/runtime/compiler_reads.h"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <optional>
#include <set>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "jobs/runtime/content_hash.h"

namespace headrace::jobs {
namespace {

constexpr size_t kLargestDepfile = size_t{16} << 20;
constexpr size_t kMostFiles = 20'000;
constexpr off_t kLargestFile = off_t{256} << 20;
constexpr std::string_view kFirstLine = "headrace reads 1";

bool IsBelowAny(const std::string& path, const std::vector<std::string>& directories) {
  return std::any_of(directories.begin(), directories.end(), [&](const std::string& directory) {
    return !directory.empty() && path.starts_with(directory) &&
           (directory.ends_with('/') || (path.size() > directory.size() && path[directory.size()] == '/'));
  });
}

int64_t NanosecondsOf(const struct timespec& time) { return time.tv_sec * 1'000'000'000LL + time.tv_nsec; }

// The clock that the file system's times come from.
int64_t FileTimeNow() {
  struct timespec now {};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return NanosecondsOf(now);
}

struct FileState {
  std::string hash, identity;  // an unchanged identity is unchanged content: nobody can set the time of a change
  int64_t changed = 0;
};

std::string IdentityOf(const struct stat& status) {
  return fmt::format("{}.{}.{}.{}", status.st_dev, status.st_ino, status.st_size, NanosecondsOf(status.st_ctim));
}

std::optional<FileState> StateOfFile(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > kLargestFile)
    return std::nullopt;
  ContentHash hash;
  if (!hash.AddFile(file.get())) return std::nullopt;
  return FileState{hash.Hex(), IdentityOf(status), NanosecondsOf(status.st_ctim)};
}

// "HASH IDENTITY PATH"
bool IsUnchanged(std::string_view line) {
  const auto identity = line.find(' ');
  if (identity == std::string_view::npos) return false;
  const auto path = line.find(' ', identity + 1);
  if (path == std::string_view::npos) return false;
  const std::string name(line.substr(path + 1));
  struct stat status {};
  if (::stat(name.c_str(), &status) != 0) return false;
  if (IdentityOf(status) == line.substr(identity + 1, path - identity - 1)) return true;
  const auto state = StateOfFile(name);
  return state && state->hash == line.substr(0, identity);
}

}  // namespace

std::vector<std::string> ParseDepfile(std::string_view text) {
  std::vector<std::string> files;
  std::string word;
  bool behind_colon = false;
  const auto end_word = [&] {
    if (behind_colon && !word.empty()) files.push_back(word);
    if (!behind_colon && word.ends_with(':')) behind_colon = true;
    word.clear();
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i], next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (c == '\\' && next == '\n') {
      end_word();
      ++i;
    } else if ((c == '\\' && (next == ' ' || next == '#' || next == '\\')) || (c == '$' && next == '$')) {
      word += next;
      ++i;
    } else if (c == '\n') {
      end_word();
      behind_colon = false;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      end_word();
    } else {
      word += c;
    }
  }
  end_word();
  return files;
}

CompilerReads::CompilerReads(std::vector<std::string> elsewhere)
    : elsewhere_(std::move(elsewhere)), started_(FileTimeNow()) {}

Status CompilerReads::Take(const HeldDirectory& build, const std::string& directory,
                           const std::vector<std::string>& trusted) {
  std::set<std::string> paths;
  HEADRACE_TRY(build.Walk([&](const FoundEntry& found) -> Status {
    if (!S_ISREG(found.status.st_mode) || !found.name.ends_with(".d")) return {};
    const auto text = build.Read(found.path, kLargestDepfile);
    if (!text) return {};
    for (const auto& name : ParseDepfile(*text)) {
      if (name.find_first_of(std::string_view("\0\n", 2)) != std::string::npos) continue;
      const auto path = (std::filesystem::path(directory) / name).lexically_normal().string();
      if (!IsBelowAny(path, elsewhere_) && IsBelowAny(path, trusted)) paths.insert(path);
    }
    if (paths.size() > kMostFiles)
      return Fail(ErrorCode::kResourceExhausted, "the compiler read more than {} files", kMostFiles);
    return {};
  }));
  for (const auto& path : paths) {
    const auto state = StateOfFile(path);
    changed_meanwhile_ |= !state || state->changed >= started_;
    if (state) lines_.push_back(fmt::format("{} {} {}", state->hash, state->identity, path));
  }
  return {};
}

std::string CompilerReads::ToText() const {
  std::string text(changed_meanwhile_ ? "a file changed while the compiler ran" : kFirstLine);
  text += '\n';
  for (const auto& line : lines_) text += line + "\n";
  return text;
}

bool CompilerReads::Unchanged(std::string_view text) {
  bool first = true;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return false;
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (std::exchange(first, false)) {
      if (line != kFirstLine) return false;
      continue;
    }
    if (!IsUnchanged(line)) return false;
  }
  return !first;
}

}  // namespace headrace::jobs
