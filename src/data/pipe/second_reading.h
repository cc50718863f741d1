// The reader's side of a second reading: asks the platform, through a FIFO in the state directory, which object a
// corrupt record came from and for its bytes once more (docs/formats/pipe-mode.md).
#pragma once

#include <optional>
#include <string>

#include "data/pipe/epoch_state.h"
#include "data/record_stream.h"

namespace headrace::data {

// Bytes [offset, offset + size) of the epoch's stream. nullopt when nobody answers soon: not every platform can.
std::optional<SecondReading> RequestSecondReading(const PipeChannel& channel, int64_t epoch, uint64_t offset,
                                                  uint64_t size);

}  // namespace headrace::data
