// BatchReader: records of one object, packed into the bodies of requests as BatchStrategy says.
#pragma once

#include <optional>
#include <string>

#include "jobs/transform/record_splitter.h"

namespace headrace::jobs {

struct TransformBatch {
  std::string body;
  uint64_t first_record = 1, records = 0;  // counted from 1 in the object
};

class BatchReader {
 public:
  // SingleRecord sends a record's payload alone. MultiRecord sends as many as fit into `limit` bytes, each as it lies
  // in the object: with its line break, header and padding.
  BatchReader(SplitType split, bool many_records, RecordSplitter::Read read, size_t limit)
      : split_(split), many_records_(many_records), limit_(limit), records_(split, std::move(read), limit) {}

  // Nothing at the end of the object.
  Result<std::optional<TransformBatch>> Next();
  // Of the record that the last error was about.
  uint64_t record() const { return records_.count() + 1; }

 private:
  const SplitType split_;
  const bool many_records_;
  const size_t limit_;
  RecordSplitter records_;
  std::optional<RecordSplitter::Record> waiting_;  // did not fit into the batch before
  std::optional<Error> failed_;                    // behind the batch before
};

}  // namespace headrace::jobs
