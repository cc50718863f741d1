#include "jobs/transform/batch_reader.h"

namespace headrace::jobs {

Result<std::optional<TransformBatch>> BatchReader::Next() {
  TransformBatch batch;
  batch.first_record = records_.count() + (waiting_ ? 0 : 1);
  // What a record has around it counts as little: one that is allowed goes out, in a batch of its own if need be.
  const auto add = [&](const RecordSplitter::Record& record) {
    batch.body.append(many_records_ && split_ != SplitType::kNone ? record.framed : record.payload);
    ++batch.records;
  };
  if (waiting_) add(*std::exchange(waiting_, std::nullopt));
  while (batch.records == 0 || (many_records_ && split_ != SplitType::kNone)) {
    if (failed_ && batch.records == 0) return tl::unexpected<Error>(*failed_);
    if (failed_) break;
    auto record = records_.Next();
    if (!record) {
      failed_ = record.error();  // the batch before it goes first
      continue;
    }
    if (!*record) break;
    if (batch.records > 0 && batch.body.size() + (*record)->framed.size() > limit_) {
      waiting_ = **record;
      break;
    }
    add(**record);
  }
  if (batch.records == 0) return std::nullopt;
  return batch;
}

}  // namespace headrace::jobs
