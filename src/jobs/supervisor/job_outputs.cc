#include "jobs/supervisor/job_outputs.h"

#include <unistd.h>

#include "jobs/archive/pack.h"
#include "jobs/capture/terminal_lines.h"
#include "jobs/supervisor/failure_reason.h"

namespace headrace::jobs {

Status JobOutputs::Pack(const std::string& name, const std::string& target) {
  HEADRACE_ASSIGN(const auto ml, context_.directory.OpenMl());
  const auto directory = ml.OpenDirectory(name);
  if (!directory) {
    const Error& error = directory.error();
    if (error.code() == ErrorCode::kNotFound) return {};
    // Of the program's own making: a link, say. All else is the machine's trouble, and no model is lost for it
    // unnoticed.
    if (error.code() != ErrorCode::kInvalidArgument) return Fail(error.code(), "/opt/ml/{}: {}", name, error.message());
    context_.reporter.Say("/opt/ml/{} is not stored: {}", name, error.message());
    return {};
  }
  if (const auto some = directory->List(1); some && some->empty()) return {};
  const bool archive = context_.job.request.output.archive;
  const auto artifact = context_.directory.artifacts() + "/" + target;
  const TreeLimits limits{.bytes = context_.job.volume_bytes(), .cancelled = [this] { return GiveUp(); }};
  auto packed =
      archive ? PackDirectory(*directory, artifact + ".tar.gz", limits) : CopyFiles(*directory, artifact, limits);
  if (packed || packed.error().code() == ErrorCode::kUnavailable) return packed;
  return Fail(packed.error().code(), "/opt/ml/{}: {}", name, packed.error().message());
}

// In the object store a file has no holes: all of its length counts.
Status JobOutputs::CopyFiles(const HeldDirectory& directory, const std::string& target,
                             const TreeLimits& limits) const {
  uint64_t bytes = 0;
  HEADRACE_TRY(directory.Walk(
      [&](const FoundEntry& found) -> Status {
        if (S_ISREG(found.status.st_mode)) bytes += static_cast<uint64_t>(found.status.st_size);
        if (bytes <= limits.bytes) return {};
        return Fail(ErrorCode::kInvalidArgument, "{}: with it there are more than {} bytes to store (VolumeSizeInGB)",
                    found.path.substr(0, 300), limits.bytes);
      },
      limits));
  HEADRACE_ASSIGN(const auto held, HeldDirectory::Make(target));
  auto copied = directory.CopyTo(held, limits);
  if (!copied) HEADRACE_TRY(held.RemoveContents());
  return copied;
}

// A job that is to end may still store what it has, for as long as its program might have taken to end.
bool JobOutputs::GiveUp() {
  if (!context_.stop.Pending()) return false;
  const auto now = std::chrono::steady_clock::now();
  if (!asked_) asked_ = now;
  if (now - *asked_ < std::chrono::seconds(context_.job.stop_grace_seconds)) return false;
  return context_.stop.Requested();
}

std::string JobOutputs::FailureFile() const {
  const auto ml = context_.directory.OpenMl();
  const auto file = ml ? ml->OpenFile("output/failure") : Result<Descriptor>(Descriptor());
  std::string text(4 * kLongestFailureReason, '\0');
  const ssize_t n = file && *file ? ::read(file->get(), text.data(), text.size()) : 0;
  text.resize(n > 0 ? static_cast<size_t>(n) : 0);
  std::string valid;
  TerminalLines lines;  // valid UTF-8 without control characters
  const auto emit = [&](std::string_view line) { valid.append(line).append("\n"); };
  lines.Feed(text, emit);
  lines.Finish(emit);
  return valid;
}

}  // namespace headrace::jobs
