// ObjectOutput: the output of one object, put together from answers that come in any order; it becomes an object when
// all have come, or never.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "store/access/account_objects.h"

namespace headrace::jobs {

class ObjectOutput {
 public:
  // `end_lines`: AssembleWith Line, every answer ends with a line break.
  ObjectOutput(store::BlobWriter writer, bool end_lines) : writer_(std::move(writer)), end_lines_(end_lines) {}

  // The answer to batch `index`, counted from 0. What is next in order is written, the rest waits.
  Status Add(uint64_t index, std::string answer);
  // There are `count` batches.
  void SetCount(uint64_t count) { count_ = count; }
  bool complete() const { return count_ && written_ == *count_; }
  size_t waiting() const { return waiting_.size(); }  // answers that came too early
  // Once, when complete.
  Status Commit(const store::AccountObjects& objects, const std::string& bucket, const std::string& key);

 private:
  store::BlobWriter writer_;
  const bool end_lines_;
  uint64_t written_ = 0;
  std::optional<uint64_t> count_;
  std::map<uint64_t, std::string> waiting_;
};

}  // namespace headrace::jobs
