#include "jobs/directory/spool.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

namespace headrace::jobs {
namespace {

constexpr size_t kLongestLine = size_t{4} << 20;

tl::unexpected<Error> FailErrno(const std::string& path, const char* what) {
  const int error = errno;
  return Fail(error == ENOSPC || error == EDQUOT ? ErrorCode::kResourceExhausted : ErrorCode::kFailedPrecondition,
              "{}: cannot {}: {}", path, what, std::strerror(error));
}

// Up to `size` bytes at `offset`; fewer at the end of the file.
Result<std::string> ReadAt(const Descriptor& file, const std::string& path, uint64_t offset, size_t size) {
  std::string bytes(size, '\0');
  size_t done = 0;
  while (done < size) {
    const ssize_t n = ::pread(file.get(), bytes.data() + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FailErrno(path, "read");
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

}  // namespace

Result<SpoolWriter> SpoolWriter::Create(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600));
  if (!file) return FailErrno(path, "create");
  return SpoolWriter(path, std::move(file));
}

// Takes off what has been written.
Status SpoolWriter::Write(std::string_view& bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(file_.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FailErrno(path_, "append");
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

Status SpoolWriter::Append(std::string_view lines) {
  std::string_view rest = unfinished_;
  const auto finished = Write(rest);
  unfinished_.erase(0, unfinished_.size() - rest.size());
  HEADRACE_TRY(finished);
  const size_t whole = lines.size();
  auto written = Write(lines);
  if (!written && lines.size() < whole) unfinished_ = lines;
  return written;
}

Status SpoolWriter::Sync() {
  if (::fdatasync(file_.get()) != 0) return FailErrno(path_, "flush");
  return {};
}

Result<SpoolPiece> ReadSpool(const std::string& path, uint64_t offset, size_t max_bytes) {
  SpoolPiece piece{{}, offset};
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    if (errno == ENOENT) return piece;
    return FailErrno(path, "open");
  }
  HEADRACE_ASSIGN(auto bytes, ReadAt(file, path, offset, max_bytes));
  if (bytes.size() == max_bytes && bytes.find('\n') == std::string::npos) {
    HEADRACE_ASSIGN(bytes, ReadAt(file, path, offset, kLongestLine));
    if (bytes.size() == kLongestLine && bytes.find('\n') == std::string::npos)
      return Fail(ErrorCode::kDataLoss, "{}: no end of line in {} bytes at offset {}", path, kLongestLine, offset);
  }
  size_t begin = 0;
  for (size_t end; (end = bytes.find('\n', begin)) != std::string::npos; begin = end + 1)
    piece.lines.emplace_back(bytes, begin, end - begin);
  piece.next_offset = offset + begin;
  return piece;
}

}  // namespace headrace::jobs
