// RecordSink: where the writers put their frames: buffered, compressed when asked, visible under the file's name only
// when complete.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "headrace/data.h"

#include "base/file.h"
#include "base/result.h"

namespace headrace::data {

class Deflater;

class RecordSink {
 public:
  static Result<std::unique_ptr<RecordSink>> Create(const std::string& path, const WriterOptions& options);
  ~RecordSink();

  Status Append(std::string_view bytes);
  Status Close();  // flushes, and gives the file its name; nothing may follow
  const std::string& path() const { return path_; }

 private:
  RecordSink(std::string path, AtomicFile file, std::unique_ptr<Deflater> deflater);
  Status Flush();

  std::string path_;
  AtomicFile file_;
  std::unique_ptr<Deflater> deflater_;  // null: plain
  std::string buffer_;
  bool closed_ = false;
};

}  // namespace headrace::data
