// SecondReading: a reader that finds a record corrupt asks which object it came from, and for the bytes once more, read
// past the page cache. It does so with a FIFO in the job's state directory (docs/formats/pipe-mode.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/pipe/object_stream.h"

namespace headrace::jobs {

struct ReadingRequest {
  int64_t epoch = 0;
  uint64_t offset = 0, size = 0;  // in the epoch's stream
};

// ".CHANNEL-reread-EPOCH-OFFSET-SIZE"; nullopt for other names.
std::optional<ReadingRequest> ParseReadingRequest(std::string_view channel, std::string_view file_name);

// "NAME\tOFFSET IN THE OBJECT\n", then as many of the bytes as there are, up to a megabyte. Empty where the stream is
// not made of objects as they are (Gzip, RecordIO), or there are no such bytes. `order`: that of the epoch.
std::string AnswerReading(const PipeContent& content, const std::vector<uint32_t>& order,
                          const ReadingRequest& request);

}  // namespace headrace::jobs
