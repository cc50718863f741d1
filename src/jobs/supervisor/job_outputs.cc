#include "jobs/supervisor/job_outputs.h"

#include <fcntl.h>
#include <unistd.h>

#include "jobs/archive/pack.h"
#include "jobs/capture/terminal_lines.h"
#include "jobs/supervisor/failure_reason.h"

namespace headrace::jobs {

using nlohmann::json;

Status JobOutputs::Pack(const std::string& name, const std::string& target) const {
  const auto directory = context_.directory.ml() + "/" + name;
  // The program may have put anything there, a link to elsewhere too.
  if (!context_.directory.OpenBelowHost("ml/" + name, O_PATH | O_DIRECTORY) || !HasEntries(directory)) return {};
  const json output = context_.job.request.value("OutputDataConfig", json::object());
  const auto artifact = context_.directory.artifacts() + "/" + target;
  return output.value("CompressionType", "GZIP") == "NONE" ? CopyTree(directory, artifact)
                                                           : PackDirectory(directory, artifact + ".tar.gz");
}

std::string JobOutputs::FailureFile() const {
  const auto file = context_.directory.OpenBelowHost("ml/output/failure", O_RDONLY | O_NONBLOCK);
  std::string text(4 * kLongestFailureReason, '\0');
  const ssize_t n = file ? ::read(file.get(), text.data(), text.size()) : 0;
  text.resize(n > 0 ? static_cast<size_t>(n) : 0);
  std::string valid;
  TerminalLines lines;  // valid UTF-8 without control characters
  const auto emit = [&](std::string_view line) { valid.append(line).append("\n"); };
  lines.Feed(text, emit);
  lines.Finish(emit);
  return valid;
}

}  // namespace headrace::jobs
