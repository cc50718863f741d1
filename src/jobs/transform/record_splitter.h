// RecordSplitter: an object's bytes, cut into records as SplitType says.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "jobs/transform/transform_settings.h"

namespace headrace::jobs {

class RecordSplitter {
 public:
  // Fills up to `size` > 0 bytes and returns how many; 0 at the end.
  using Read = std::function<Result<size_t>(char* out, size_t size)>;
  struct Record {
    std::string_view framed;   // with what marks it in the object: line break, header, padding
    std::string_view payload;  // without
  };

  // No record may have more than `limit` bytes of payload.
  RecordSplitter(SplitType split, Read read, size_t limit) : split_(split), read_(std::move(read)), limit_(limit) {}

  // The next record, valid until the next call; nothing at the end. Empty lines and empty objects hold none.
  // kResourceExhausted for one above the limit, kDataLoss for what is no such record: both say at which byte.
  Result<std::optional<Record>> Next();
  uint64_t count() const { return count_; }  // of records handed out

 private:
  Result<bool> Need(size_t size);  // that many bytes in the window, or false
  std::string_view Window() const { return std::string_view(buffer_).substr(begin_); }
  Result<std::optional<Record>> Whole();
  Result<std::optional<Record>> Line();
  Result<std::optional<Record>> TFRecord();
  Result<std::optional<Record>> RecordIO();
  Record Take(size_t framed, std::string_view payload);
  tl::unexpected<Error> TooLarge(uint64_t found) const;
  tl::unexpected<Error> Truncated() const;

  const SplitType split_;
  const Read read_;
  const size_t limit_;
  std::string buffer_;
  size_t begin_ = 0;  // of the window in buffer_
  size_t taken_ = 0;  // of the window, handed out by the last Next()
  uint64_t offset_ = 0, count_ = 0;
  bool ended_ = false;
  std::string joined_;  // a record that came in parts
};

}  // namespace headrace::jobs
