// SageMaker's benchmark mode.
#pragma once

#include <memory>

#include "data/record_stream.h"

namespace headrace::data {

// Counts the records of a stream and the time that reading takes, and prints them in SageMaker's words: when the stream
// goes, and every `interval` records before; 0: not before.
std::unique_ptr<RecordStream> TimeReading(std::unique_ptr<RecordStream> records, int64_t interval);

}  // namespace headrace::data
