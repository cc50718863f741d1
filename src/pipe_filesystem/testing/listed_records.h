// For tests: the records of a list, and behind them the end or an error.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/record_stream.h"

namespace headrace::pipe_filesystem {

class ListedRecords : public data::RecordStream {
 public:
  explicit ListedRecords(std::vector<std::string> records) : records_(std::move(records)) {}
  bool fails = false;       // at the end
  size_t waits_behind = 0;  // so many records have come; 0: all

  Result<std::optional<std::string_view>> Next() override {
    if (next_ < records_.size()) return records_[next_++];
    if (fails) return Fail(ErrorCode::kDataLoss, "record {}: corrupt", next_);
    return std::nullopt;
  }
  bool HasMore() const override { return next_ != waits_behind && (next_ < records_.size() || fails); }
  std::shared_ptr<void> owner() override { return nullptr; }
  Result<int64_t> Skip(int64_t) override { return 0; }
  data::RecordPosition position() const override { return {next_, 0}; }

 private:
  std::vector<std::string> records_;
  size_t next_ = 0;
};

}  // namespace headrace::pipe_filesystem
