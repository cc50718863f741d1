// AccessLog: one line a request, without secrets:
//
//   2026-01-02T03:04:05.678Z ID 127.0.0.1:40112 GET /bucket/key?list-type=2 200 in=0 out=1234 4.1ms s3 ListObjectsV2
#pragma once

#include <memory>
#include <string>

#include "base/descriptor.h"
#include "base/result.h"
#include "http/server.h"

namespace headrace::http {

// Without its line end. Values of signature and token parameters become "…"; bytes that are not printable "%XX".
std::string AccessLine(const Exchange& exchange);

// Thread-safe: a line is one write to a file opened for appending.
class AccessLog {
 public:
  // "-": standard output.
  static Result<std::unique_ptr<AccessLog>> Open(const std::string& path);
  void Write(const Exchange& exchange) const;

 private:
  explicit AccessLog(Descriptor file) : file_(std::move(file)) {}
  Descriptor file_;
};

}  // namespace headrace::http
