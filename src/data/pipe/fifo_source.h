// FifoSource: the bytes of one epoch. A writer that never comes or stalls is an error in bounded time.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/descriptor.h"
#include "data/byte_source.h"
#include "data/record_stream.h"

namespace headrace::data {

// `fifo`: open for reading, non-blocking. `name` is for messages. kUnavailable when nothing comes for `wait`, or when
// `stop` becomes true.
std::unique_ptr<ByteSource> ReadFifo(Descriptor fifo, std::string name, std::chrono::milliseconds wait, StopFlag stop);

}  // namespace headrace::data
