// AccessLog: one line a request, without secrets:
//
//   2026-01-02T03:04:05.678Z ID 127.0.0.1:40112 GET /bucket/key?list-type=2 200 in=0 out=1234 4.1ms s3 ListObjectsV2
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "base/descriptor.h"
#include "base/result.h"
#include "http/server.h"

namespace headrace::http {

// Without its line end. Values of signature and token parameters become "…"; bytes that are not printable "%XX"; the
// longest targets are cut.
std::string AccessLine(const Exchange& exchange);

// Thread-safe: a line is one write to a file opened for appending. A file that has grown to `most_bytes` becomes
// PATH.1, in place of the one before it: whoever floods the server with requests does not fill its disk.
class AccessLog {
 public:
  // "-": standard output.
  static Result<std::unique_ptr<AccessLog>> Open(const std::string& path, uint64_t most_bytes = uint64_t{64} << 20);
  void Write(const Exchange& exchange);

 private:
  AccessLog(Descriptor file, uint64_t most_bytes) : file_(std::move(file)), most_bytes_(most_bytes) {}
  void BeginAnew();

  Descriptor file_;
  const uint64_t most_bytes_;
  std::string path_;  // of a regular file
  std::atomic<uint64_t> size_ = 0;
  std::mutex mutex_;
};

}  // namespace headrace::http
