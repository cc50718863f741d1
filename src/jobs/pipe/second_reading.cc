#include "jobs/pipe/second_reading.h"

#include <algorithm>
#include <charconv>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

namespace headrace::jobs {
namespace {

constexpr uint64_t kLargestAnswer = uint64_t{1} << 20;

uint64_t SizeOf(const PipePart& part) {
  if (part.path.empty()) return part.literal.size();
  struct stat status {};
  return ::stat(part.path.c_str(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
}

std::string Read(const PipePart& part, uint64_t offset, uint64_t size) {
  if (part.path.empty()) return part.literal.substr(offset, size);
  const Descriptor file(::open(part.path.c_str(), O_RDONLY | O_CLOEXEC));
  // What the page cache holds may be what is wrong.
  ::posix_fadvise(file.get(), static_cast<off_t>(offset), static_cast<off_t>(size), POSIX_FADV_DONTNEED);
  std::string bytes(size, '\0');
  const ssize_t n = ::pread(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
  bytes.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return bytes;
}

}  // namespace

std::optional<ReadingRequest> ParseReadingRequest(std::string_view channel, std::string_view file_name) {
  const std::string prefix = fmt::format(".{}-reread-", channel);
  if (!file_name.starts_with(prefix)) return std::nullopt;
  file_name.remove_prefix(prefix.size());
  ReadingRequest request;
  const auto number = [&](auto& value, bool last) {
    const auto [end, error] = std::from_chars(file_name.data(), file_name.data() + file_name.size(), value);
    file_name.remove_prefix(static_cast<size_t>(end - file_name.data()));
    if (error != std::errc() || file_name.empty() != last || (!last && file_name[0] != '-')) return false;
    if (!last) file_name.remove_prefix(1);
    return true;
  };
  if (!number(request.epoch, false) || !number(request.offset, false) || !number(request.size, true))
    return std::nullopt;
  if (request.epoch < 0) return std::nullopt;
  return request;
}

std::string AnswerReading(const PipeContent& content, const std::vector<uint32_t>& order,
                          const ReadingRequest& request) {
  if (content.gunzip || content.record_io) return "";
  uint64_t begin = 0;
  for (const uint32_t entry : order) {
    for (uint32_t i = 0; i < content.parts_per_entry; ++i) {
      const PipePart& part = content.parts[size_t{entry} * content.parts_per_entry + i];
      const uint64_t size = SizeOf(part);
      if (request.offset - begin >= size) {
        begin += size;
        continue;
      }
      const uint64_t offset = request.offset - begin;
      return fmt::format("{}\t{}\n", part.name.empty() ? part.path : part.name, offset) +
             Read(part, offset, std::min({request.size, size - offset, kLargestAnswer}));
    }
  }
  return "";
}

}  // namespace headrace::jobs
