#include "horovod/timeline.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/log.h"

namespace headrace::hvd {

Status Timeline::Start(const std::string& path, bool mark_cycles) {
  const std::lock_guard lock(mutex_);
  if (file_) return Fail(ErrorCode::kFailedPrecondition, "timeline {}: one is being written already", path);
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) return Fail(ErrorCode::kNotFound, "timeline {}: {}", path, std::strerror(errno));
  file_ = std::move(file);
  offset_ = 0;
  rows_.clear();
  mark_cycles_ = mark_cycles;
  start_ = std::chrono::steady_clock::now();
  const auto epoch =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  WriteMetadata(0, "", fmt::format(",\"start_time_since_epoch_in_micros\":{}", epoch));
  return {};
}

void Timeline::Stop() {
  const std::lock_guard lock(mutex_);
  file_ = {};
}

bool Timeline::active() const {
  const std::lock_guard lock(mutex_);
  return static_cast<bool>(file_);
}

void Timeline::Begin(const std::string& tensor, const std::string& phase) {
  const std::lock_guard lock(mutex_);
  if (!file_) return;
  const int row = Row(tensor);
  Write(fmt::format(R"({{"ph":"B","name":{},"ts":{},"pid":{}}})", nlohmann::json(phase).dump(), Now(), row));
}

void Timeline::End(const std::string& tensor) {
  const std::lock_guard lock(mutex_);
  if (!file_) return;
  const int row = Row(tensor);
  Write(fmt::format(R"({{"ph":"E","ts":{},"pid":{}}})", Now(), row));
}

void Timeline::End(const std::string& tensor, const std::string& dtype, const std::string& shape) {
  const std::lock_guard lock(mutex_);
  if (!file_) return;
  const int row = Row(tensor);
  Write(fmt::format(R"({{"ph":"E","ts":{},"pid":{},"args":{{"dtype":{},"shape":{}}}}})", Now(), row,
                    nlohmann::json(dtype).dump(), nlohmann::json(shape).dump()));
}

void Timeline::Mark(const std::string& tensor, const std::string& what) {
  const std::lock_guard lock(mutex_);
  if (!file_) return;
  const int row = Row(tensor);
  Write(fmt::format(R"({{"ph":"X","name":{},"ts":{},"pid":{},"dur":0}})", nlohmann::json(what).dump(), Now(), row));
}

void Timeline::MarkCycle() {
  const std::lock_guard lock(mutex_);
  if (!file_ || !mark_cycles_) return;
  Write(fmt::format(R"({{"ph":"i","name":"CYCLE_START","ts":{},"s":"g"}})", Now()));
}

int64_t Timeline::Now() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start_).count();
}

int Timeline::Row(const std::string& tensor) {
  const auto [found, is_new] = rows_.emplace(tensor, static_cast<int>(rows_.size()) + 1);
  if (is_new) WriteMetadata(found->second, tensor, "");
  return found->second;
}

void Timeline::WriteMetadata(int pid, const std::string& name, const std::string& more) {
  Write(fmt::format(R"({{"ph":"M","name":"process_name","pid":{},"args":{{"name":{}{}}}}})", pid,
                    nlohmann::json(name).dump(), more));
  Write(fmt::format(R"({{"ph":"M","name":"process_sort_index","pid":{0},"args":{{"sort_index":{0}}}}})", pid));
}

void Timeline::Write(const std::string& event) {
  if (!file_) return;
  const std::string text = (offset_ == 0 ? "[\n" : ",\n") + event + "\n]\n";
  const ssize_t written = ::pwrite(file_.get(), text.data(), text.size(), offset_);
  if (written == static_cast<ssize_t>(text.size())) {
    offset_ += written - 3;  // the next event begins where this "\n]\n" stands
    return;
  }
  Log(LogLevel::kWarning, "timeline: cannot be written ({}), it ends here",
      std::strerror(written < 0 ? errno : ENOSPC));
  if (::ftruncate(file_.get(), offset_) == 0) static_cast<void>(::pwrite(file_.get(), "\n]\n", 3, offset_));
  file_ = {};
}

}  // namespace headrace::hvd
