#include "jobs/transform/object_output.h"

namespace headrace::jobs {

Status ObjectOutput::Add(uint64_t index, std::string answer) {
  waiting_.emplace(index, std::move(answer));
  for (auto first = waiting_.begin(); first != waiting_.end() && first->first == written_;
       first = waiting_.erase(first)) {
    HEADRACE_TRY(writer_.Write(first->second));
    if (end_lines_ && !first->second.ends_with('\n')) HEADRACE_TRY(writer_.Write("\n"));
    ++written_;
  }
  return {};
}

Status ObjectOutput::Commit(const store::AccountObjects& objects, const std::string& bucket, const std::string& key) {
  const auto stored = objects.Commit(std::move(writer_), bucket, key);
  if (!stored) return tl::unexpected<Error>(stored.error());
  return {};
}

}  // namespace headrace::jobs
